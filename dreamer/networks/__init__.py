"""Networks as the site's owner sees them: fetched, chosen; the long work is done by workers.

jobs.py      long work as rows: ordering, claiming, progress, cancelling
fetching.py  fetching published networks, and the site's own by itself at the first start
"""
