"""The studio: people dream on pictures of their own.

models    originals that people upload, and works: dreams on them, small and large
cost      what a dream costs, known before it begins; what a person may spend a day
queue     whose work is next, and how long that will take
jobs      does a work, in the worker
moderation  publishing, hiding, reports, takedowns
views/    the pages: uploads, ordering, showing; `urls` their addresses
"""
