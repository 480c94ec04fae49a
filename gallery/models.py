"""The gallery's models; each lives beside its feature."""

from __future__ import annotations

from gallery.highlights.models import Highlight
from gallery.timeline.models import Quarter

__all__ = ["Highlight", "Quarter"]
