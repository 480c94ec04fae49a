"""`manage.py canvas`: what each canvas starts from, and setting it by hand."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from canvas import frames
from canvas.models import Canvas, Frame


class Command(BaseCommand):
    help = (
        "Shows what the canvases start from, or the newest frames of one of them and whether the storage holds them; "
        "sets what it starts from. All ink drawn after that frame is put back on it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", nargs="?", help="the canvas; without it all are listed")
        parser.add_argument(
            "--base", metavar="NUMBER", help="start from this frame of the canvas, or from its background: none"
        )
        parser.add_argument("--frames", type=int, default=10, metavar="COUNT", help="how many to show (default: 10)")

    def handle(self, *, slug: str | None, base: str | None, **options: Any) -> None:
        canvases = Canvas.objects.select_related("frame").order_by("pk")
        if slug is None:
            if base is not None:
                raise CommandError("Which canvas? manage.py canvas NAME --base NUMBER")
            for canvas in canvases:
                self._show(canvas)
            return
        found = canvases.filter(slug=slug).first()
        if found is None:
            names = ", ".join(canvases.values_list("slug", flat=True))
            raise CommandError(f"No canvas is called {slug}; there are {names}.")
        if base is not None:
            self._set(found, base)
            found.refresh_from_db()
        self._show(found)
        self._list(found, options["frames"])

    def _set(self, canvas: Canvas, base: str) -> None:
        if base == "none":
            frames.set_base(canvas, None)
            return
        frame = canvas.frames.filter(number=base).first() if base.isdecimal() else None
        if frame is None:
            raise CommandError(f"{canvas.slug} has no frame {base}; expected a number of the list, or none.")
        try:
            frames.set_base(canvas, frame)
        except (ValueError, frames.FrameGone) as error:
            raise CommandError(f"Frame {base} cannot be what {canvas.slug} starts from: {error}") from error

    def _show(self, canvas: Canvas) -> None:
        since = canvas.frame.seq if canvas.frame else 0
        start = f"frame {canvas.frame.number}, {_condition(canvas.frame)}" if canvas.frame else "its background"
        self.stdout.write(f"{canvas.slug} starts from {start}; {canvas.head - since} operations after it")

    def _list(self, canvas: Canvas, count: int) -> None:
        self.stdout.write("")
        for frame in canvas.frames.order_by("-number")[:count]:
            state = "hidden" if frame.hidden_at else _condition(frame)
            mark = "*" if frame == canvas.frame else " "
            self.stdout.write(
                f"{mark} {frame.number:6}  {frame.made_at:%Y-%m-%d %H:%M:%S} UTC  {frame.kind:8}"
                f"  up to operation {frame.seq}  {state}"
            )


def _condition(frame: Frame) -> str:
    """How the storage holds it; the whole file is read."""
    try:
        frames.read(frame)
    except frames.FrameDamaged as error:
        return f"DAMAGED: {error}"
    except frames.FrameGone:
        return "MISSING from the storage"
    except Exception as error:
        return f"the storage does not answer: {error}"
    return "in the storage"
