"""History: every frame the canvas has been, with its page, its recipe and its people."""
