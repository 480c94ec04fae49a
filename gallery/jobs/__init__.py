"""What a worker makes for the gallery, as rows: how they are claimed, how far they are, and their files."""
