from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class GalleryConfig(AppConfig):
    name = "gallery"
    verbose_name = "History"

    def ready(self) -> None:
        from canvas.signals import ink_changed, visibility_changed
        from gallery import curators
        from gallery.farewell import whole_film  # what the worker does after the end
        from gallery.films import own, requests, schedule  # their periodic tasks
        from gallery.pages import initial_pages
        from gallery.space import periodic_tasks as space_tasks
        from gallery.studio import moderation as studio_moderation
        from gallery.studio import periodic_tasks as studio_tasks
        from gallery.timeline import periodic_tasks

        post_migrate.connect(initial_pages.create_missing, sender=self)
        post_migrate.connect(curators.make_group, sender=self)
        visibility_changed.connect(requests.frame_changed)
        ink_changed.connect(requests.ink_changed)
        studio_moderation.add_subject()
