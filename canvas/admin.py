"""Moderation in the administration; canvases, frames and dreams are in gallery/admin.py, which knows both."""

from __future__ import annotations

from canvas.moderation import admin_acts, admin_cases

__all__ = ["admin_acts", "admin_cases"]
