"""The whole site as static files: what is taken along (addresses), rewritten (rewrite), and in which order (crawl)."""
