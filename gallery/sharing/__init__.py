"""What other sites show of a frame: previews, embeds, sitemaps."""
