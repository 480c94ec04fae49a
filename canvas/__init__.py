"""The live canvas: the journal of operations, the picture they make, and the room in which people share it."""
