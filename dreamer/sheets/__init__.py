"""Contact sheets to judge the live dream by: what people draw, and what today's rule and the new one make of it.

drawings.py   six canvases drawn with the site's brush
likeness.py   a number beside the eyes: the share of a drawing's edges that are found again
chains.py     dreams on top of one another as the live canvas has them, kept in a folder so that a run can go on
__main__.py   the command: `make sheets`, or `python -m dreamer.sheets`
"""
