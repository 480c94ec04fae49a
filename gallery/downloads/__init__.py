"""A day of a canvas as one file to download, made by a worker."""
