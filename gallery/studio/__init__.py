"""The studio: people dream on pictures of their own.

models    originals that people upload, and works: dreams on them, small and large
cost      what a dream costs, known before it begins; what a person may spend a day
queue     whose work is next, and how long that will take
jobs      does a work, in the worker; `sources` gives it networks and pictures, `watch` hears how far it is
journeys  the works of a journey: key frames, one after another, and its film
forms     what people may set; `recipe_form` the whole recipe
moderation  publishing, hiding, reports, takedowns
views/    the pages: uploads, ordering, showing; `urls` their addresses
"""
