"""The gallery's models; each lives beside its feature."""

from __future__ import annotations

from gallery.donations.models import Entry
from gallery.exhibits.models import Exhibit, Picture
from gallery.highlights.models import Highlight
from gallery.pages.models import Page
from gallery.timeline.models import Quarter
from gallery.uploads.models import Upload

__all__ = ["Entry", "Exhibit", "Highlight", "Page", "Picture", "Quarter", "Upload"]
