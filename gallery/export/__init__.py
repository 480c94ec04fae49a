"""The whole site as static files: what is included (addresses), how links change (rewrite), in which order (crawl)."""
