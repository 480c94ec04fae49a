"""Films of the history, made by a worker, and downloads of its days."""
