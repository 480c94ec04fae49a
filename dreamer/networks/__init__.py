"""Networks as the site's owner sees them: fetched, imported, chosen, tried. The long work is done by workers.

jobs.py       the kinds of long work, and requesting them
fetching.py   fetching published networks, and the site's own by itself at the first start
importing.py  networks from uploaded files
choosing.py   which canvas dreams with which
shelves.py    the styles: curated ones and the staff's own, on or off at each canvas
trying.py     what is dreamed to show a network: the styles' pictures, a preview, the time a dream takes
admin.py      the page Networks, with forms.py
"""
