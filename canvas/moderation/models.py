"""The models of the rooms of moderation, gathered for Django."""

from canvas.moderation.audit.models import Act
from canvas.moderation.cases.models import Case, Evidence, Note, Report
from canvas.moderation.covers.models import VeilVote
from canvas.moderation.sanctions.models import Appeal
from canvas.moderation.signals.models import Salt, Signal, Trace

__all__ = ["Act", "Appeal", "Case", "Evidence", "Note", "Report", "Salt", "Signal", "Trace", "VeilVote"]
