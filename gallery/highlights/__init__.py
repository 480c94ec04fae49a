"""Frames that moderators put in the window."""
