"""The studio's pages.

uploads    what people upload: a file, a frame of the canvas, static; kept or deleted
videos     what people upload as video
ordering   one picture: its styles, and dreams on it
journeying journeys: begun at a picture, steered on each key frame, made a film
comparing  one picture in several networks
explaining what the network does, on the visitor's own picture
showing    the studio's first page, one dream, and what people show to everybody
requests   what these have in common

What is private is found by its key alone, which nobody can guess, and only its owner acts on it.
"""
