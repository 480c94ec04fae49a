"""How each language writes dates: Django's names (FORMAT_MODULE_PATH) and a few of the site's own.

In templates `{{ moment|date:"DATE_FORMAT" }}`, in Python `date_format(moment, "DATE_FORMAT")`. Every language has
every name.
"""
