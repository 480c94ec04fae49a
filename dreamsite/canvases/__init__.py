"""Canvases beside the one at `/`: the list of them, those that members make for themselves, and the daily ones."""
