"""What the core tells the apps above it."""

from __future__ import annotations

from django.dispatch import Signal

# The project ended, or was opened again. Sent once the transaction that says so is committed.
project_changed = Signal()
