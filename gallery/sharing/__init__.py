"""What other places show of a frame: cards, embeds, lists for search engines."""
