"""Journeys: films that go deeper and deeper into a picture, each key frame dreamed on a part of the one before.

path      where they go: key frames inside each other, and a smooth way through them
plan      what is dreamed at each key frame: one target, or several one after another
lead      where the network is most active, for journeys that it leads
between   the pictures between two key frames
render    all pictures of the film, in pieces that can be made again by themselves
"""
