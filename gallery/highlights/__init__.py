"""Highlights: frames that moderators chose."""
