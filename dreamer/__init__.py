"""The dreamer: a forward network turned into dreams. engine/ and library/ know no Django; worker.py drives them."""
