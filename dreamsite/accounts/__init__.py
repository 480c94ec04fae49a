"""Accounts: what django-allauth leaves to the site.

adapter    names nobody may take, letters, the look of second factors     forms      allauth's forms in our words
providers  sign-in through other sites, by settings                       sessions   the list of one's sessions
sockets    what closes somebody's open sockets                            staff      the administration's second factor
export     everything that the site knows about somebody                  closing    leaving: a grace, then scrubbed
views      one's own page, the public one, and what stands on them
"""
