"""The administration's pages of all rooms; canvases, frames and dreams are in gallery/admin.py, which knows both."""

from __future__ import annotations

from canvas.moderation.audit import admin as audit
from canvas.moderation.cases import admin as cases
from canvas.moderation.covers import admin as covers
from canvas.moderation.people import admin as people
from canvas.moderation.sanctions import admin as sanctions
from canvas.moderation.signals import admin as signals
from canvas.moderation.switches import admin as switches

__all__ = ["audit", "cases", "covers", "people", "sanctions", "signals", "switches"]
