"""What films have beside pictures: music, its credit, and cards with text. Plain Python, no Django.

audio   music cut to a film's length or repeated, with a fade at every seam
music   a file of sound that nobody vouches for, made anew in a child process; its loudness; put under a film
child   what that process does
cards   title and credits
"""
