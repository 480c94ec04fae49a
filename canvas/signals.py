"""What others may want to know of the canvas. Sent inside the transaction that makes it true."""

from __future__ import annotations

from django.dispatch import Signal

# A frame was hidden from everybody, or shown again: frame=canvas.models.Frame.
visibility_changed = Signal()
