"""The whole history as a line: how much happened when, and every way to a moment."""
