"""The models of the rooms of moderation, gathered for Django."""

from canvas.moderation.audit.models import Act, Link, LookUp
from canvas.moderation.cases.models import Case, Evidence, Note, Report
from canvas.moderation.covers.models import CoverVote
from canvas.moderation.pending.models import PendingAct
from canvas.moderation.sanctions.models import Appeal
from canvas.moderation.signals.models import IpDigest, Salt, Signal

__all__ = [
    "Act",
    "Appeal",
    "Case",
    "CoverVote",
    "Evidence",
    "IpDigest",
    "Link",
    "LookUp",
    "Note",
    "PendingAct",
    "Report",
    "Salt",
    "Signal",
]
