"""The gallery's models; each lives beside its feature."""

from __future__ import annotations

from gallery.beside.models import BesideFeed
from gallery.donations.models import LedgerEntry
from gallery.downloads.models import Download
from gallery.exhibits.models import Exhibit, Picture
from gallery.films.models import Film, FilmFile, Shots, Track
from gallery.highlights.models import Highlight
from gallery.jobs.models import PendingDeletion
from gallery.pages.models import Page, PageVersion
from gallery.studio.models import Original, Proposal, Spent, Work
from gallery.timeline.models import QuarterHour
from gallery.uploads.models import Upload

__all__ = [
    "BesideFeed",
    "Download",
    "Exhibit",
    "Film",
    "FilmFile",
    "Highlight",
    "LedgerEntry",
    "Original",
    "Page",
    "PageVersion",
    "PendingDeletion",
    "Picture",
    "Proposal",
    "QuarterHour",
    "Shots",
    "Spent",
    "Track",
    "Upload",
    "Work",
]
