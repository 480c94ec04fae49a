from __future__ import annotations

from django.apps import AppConfig


class CanvasConfig(AppConfig):
    name = "canvas"
