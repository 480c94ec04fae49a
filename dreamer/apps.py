from __future__ import annotations

from django.apps import AppConfig


class DreamerConfig(AppConfig):
    name = "dreamer"
