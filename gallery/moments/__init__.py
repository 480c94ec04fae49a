"""The canvas at any time: a frame, and the ink that lay on it."""
