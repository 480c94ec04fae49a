"""Moderation: an app of its own, beside the canvas it looks after. It knows the canvas; the canvas does not know it.

audit      the log of everything staff does        cases      reports, gathered, decided; notes
sanctions  issued, changed, lifted; appeals         rollback   whose ink is where, and taking it out again
switches   freeze, lock, slow, pause, hide          covers     trusted people cover an area together
signals    what is odd about how people draw        people     one person, for those who may look
summary    a month in numbers, for everybody       pending    what takes two, and is undone as one

Each has its models, services (what can be done), forms, views and admin. Beside them: who may do what (permissions),
taking acts back (undo), the panel on a canvas (panel), and what workers do now and then (periodic_tasks).
"""
