"""One frame: its permanent page, its files, its recipe."""
