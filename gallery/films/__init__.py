"""Films of the history, made by a worker."""
