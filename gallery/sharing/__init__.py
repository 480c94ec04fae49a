"""What other sites show of a frame: cards, embeds, lists for search engines."""
