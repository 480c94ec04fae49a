"""What others may want to know of the canvas. Sent inside the transaction that makes it true."""

from __future__ import annotations

from django.dispatch import Signal

# A frame was hidden from everybody, or shown again: frame=canvas.models.Frame.
visibility_changed = Signal()

# Ink was hidden by a moderator, or put back: canvas=canvas.models.Canvas, numbers=the operations' numbers.
ink_changed = Signal()
