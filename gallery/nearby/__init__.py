"""A private feed that says who drew beside one's strokes, for those who ask for it."""
