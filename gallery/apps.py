from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class GalleryConfig(AppConfig):
    name = "gallery"
    verbose_name = "History"

    def ready(self) -> None:
        from canvas.signals import ink_changed, visibility_changed
        from gallery import staff
        from gallery.farewell import film  # noqa: F401  what the worker does after the end
        from gallery.films import schedule, wishes  # noqa: F401  the worker's chores
        from gallery.pages import first
        from gallery.timeline import chores  # noqa: F401  for the worker

        post_migrate.connect(first.make, sender=self)
        post_migrate.connect(staff.make_group, sender=self)
        visibility_changed.connect(wishes.frame_changed)
        ink_changed.connect(wishes.ink_changed)
