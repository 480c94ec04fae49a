"""What a moderator's act would do to the picture, worked out but not done: for its preview, and then for itself.

Strokes are taken out by hiding their numbers in the journal, dreamed or not: so they stay out of every picture that is
composed from the journal later. Where a dream holds their ink, an earlier picture comes back as well: the *source*, a
frame from before that ink, with everybody else's strokes since then replayed on it, is blended into the present base
within an *area*. The result becomes the base in its place, at the same number, so what was drawn after the base lies on
top as before and can still be taken back by those who drew it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from canvas import frames, journal, picture, strokes, wire
from canvas.brush import Pixels
from canvas.models import Canvas, Frame, Stroke
from canvas.moderation.models import Act
from canvas.moderation.rollback import restore
from canvas.moderation.rollback.restore import Area
from canvas.moderation.rollback.selection import Selection
from canvas.picture import NumberedStroke
from dreamsite.core.errors import InvalidRequest
from dreamsite.core.rect import Rect


@dataclass(frozen=True)
class RollbackRequest:
    """What a moderator asks for."""

    selection: Selection = field(default_factory=Selection)
    frame: int | None = None  # the frame to restore; None finds the newest from before the ink
    area: Area = field(default_factory=Area)
    restore_dreamed: bool = True  # False leaves dreamed ink alone

    @classmethod
    def of(cls, data: dict[str, Any]) -> RollbackRequest:
        """From a request's JSON. Raises InvalidRequest."""
        selection = Selection.of(data)
        kind = data.get("area") or "ink"
        try:
            feather, frame = int(data.get("feather", restore.FEATHER)), data.get("frame")
            if not 0 <= feather <= 200:
                raise ValueError(f"feather {feather}, expected 0 to 200 px")
            frame = None if frame is None else int(frame)
        except (TypeError, ValueError) as error:
            raise InvalidRequest(f"The request cannot be read: {error}") from error
        if not selection and frame is None:
            raise InvalidRequest("Choose people, strokes or a frame first.")
        if not selection and kind == "ink":
            kind = "rect" if selection.rect else "all"
        if kind not in ("ink", "rect", "all") or (kind == "rect" and selection.rect is None):
            raise InvalidRequest("Choose a rectangle first." if kind == "rect" else f"There is no area {kind!r}.")
        rect = selection.rect if kind == "rect" else None
        return cls(selection, frame, Area(kind, rect, feather), bool(data.get("restore", True)))


@dataclass(frozen=True)
class Plan:
    """What would be done on a canvas whose base and head are `canvas`'s."""

    canvas: Canvas
    strokes: tuple[Stroke, ...] = ()  # those that it is about
    numbers: tuple[int, ...] = ()  # to hide, or with `show` to show again
    show: bool = False
    ink: tuple[wire.Stroke, ...] = ()  # of these numbers, what the base holds
    restores: bool = False
    source: Frame | None = None  # where it restores: the frame that comes back; None is the blank canvas
    area: Area = field(default_factory=Area)

    @property
    def empty(self) -> bool:
        return not self.numbers and not self.restores

    @cached_property
    def alpha(self) -> restore.Alpha:
        return self.area.alpha(self.canvas.width, self.canvas.height, self.ink)

    @cached_property
    def restored(self) -> Pixels:
        """The base as it would be."""
        now, seq = frames.base(self.canvas)
        rect = restore.box(self.alpha) if self.restores else None
        if rect is None:
            return now
        if self.source is None:
            source, since = picture.blank(self.canvas.width, self.canvas.height, self.canvas.background_rgb), 0
        else:
            source, since = frames.load(self.source.pk), self.source.seq
        operations = [(number, op) for number, op in self._visible(since) if number <= seq]
        undreamed = frames.earlier_pictures(self.canvas, self.source)
        earlier = restore.replayed(_as_large(source, now), operations, rect, undreamed)
        return restore.blend(now, earlier, self.alpha)

    def before(self) -> Pixels:
        now, seq = frames.base(self.canvas)
        operations = journal.operations(self.canvas, seq, self.canvas.head)
        return picture.compose(now, operations, earlier=frames.earlier_pictures(self.canvas, self.canvas.frame))

    def after(self) -> Pixels:
        """The canvas as everybody would see it."""
        seq = self.canvas.frame.seq if self.canvas.frame else 0
        below = None if self.restores else self.canvas.frame  # nothing comes back from behind a restoration
        return picture.compose(self.restored, self._visible(seq), earlier=frames.earlier_pictures(self.canvas, below))

    def rect(self) -> Rect:
        """Where the picture would change, and a little around it."""
        boxes = [stroke.box for stroke in self.strokes]
        if self.restores and (box := restore.box(self.alpha)):
            boxes.append(box)
        if not boxes:
            return Rect(0, 0, self.canvas.width, self.canvas.height)
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        left, top = max(0, min(lefts) - 8), max(0, min(tops) - 8)
        right, bottom = min(self.canvas.width, max(rights) + 8), min(self.canvas.height, max(bottoms) + 8)
        return Rect(left, top, right, bottom) if left < right and top < bottom else Rect(0, 0, 1, 1)

    def _visible(self, since: int) -> list[NumberedStroke]:
        operations = journal.operations(self.canvas, since, self.canvas.head)
        change = wire.Hide(self.numbers, self.show)
        return picture.visible([*operations, (self.canvas.head + 1, change)])


def _as_large(source: Pixels, like: Pixels) -> Pixels:
    if source.shape != like.shape:
        raise InvalidRequest("That frame has another size than the canvas.")
    return source


def plan(canvas: Canvas, wanted: RollbackRequest) -> Plan:
    """What the request means at this moment. Raises InvalidRequest."""
    chosen = tuple(wanted.selection.strokes(canvas))
    now = fresh(canvas)
    base_seq = now.frame.seq if now.frame else 0
    ink = strokes.pieces(canvas, chosen)
    out = {number for stroke in chosen for number in stroke.hidden_numbers}
    numbered = sorted((number, op) for pieces in ink.values() for number, op in pieces if number not in out)
    result = Plan(now, chosen, tuple(number for number, _ in numbered))
    dreamed = [(number, op) for number, op in numbered if number <= base_seq]
    if not wanted.restore_dreamed or (not dreamed and (wanted.frame is None or wanted.area.kind == "ink")):
        return result
    if now.frame is None:
        raise InvalidRequest("Nothing has been dreamed yet: there is no earlier picture.")
    if wanted.frame is None:
        source = source_before(now, dreamed[0][0])
    else:
        source = Frame.objects.filter(canvas=now, pk=wanted.frame).first()
        if source is None or source.seq > base_seq:
            raise InvalidRequest("There is no such frame on this canvas, or it is newer than the picture.")
    return replace(result, ink=tuple(op for _, op in dreamed), restores=True, source=source, area=wanted.area)


def reverse(act: Act) -> Plan:
    """What would take an act of this kind back, now."""
    assert act.canvas is not None
    now, what = fresh(act.canvas), act.what
    base_seq = now.frame.seq if now.frame else 0
    first, last = what["ops"] or (1, 0)
    hides = [op for _, op in journal.operations(now, first - 1, last) if isinstance(op, wire.Hide)]
    numbers = tuple(number for op in hides for number in op.numbers)
    numbered = strokes.numbered(now, numbers)
    dreamed = [op for number, op in numbered if number <= base_seq]
    strokes.index(now)
    rows = tuple(strokes.rows(now, {(op.author, op.stroke_id) for _, op in numbered}))
    result = Plan(now, rows, numbers, not what["show"], tuple(dreamed))
    if now.frame is None or (what["frame"] is None and not dreamed):
        return result
    # What the base was before the act, with everything since: exactly that where the act's own frame is still the base.
    source = Frame.objects.filter(pk=what["before"]).first() if what["before"] else None
    area = Area("all") if now.frame.pk == what["frame"] else area_of(what["area"]).wider()
    return replace(result, restores=True, source=source, area=area)


def area_of(data: dict[str, Any]) -> Area:
    return Area(data["kind"], Rect(*data["rect"]) if data["rect"] else None, data["feather"], data["grow"])


def fresh(canvas: Canvas) -> Canvas:
    """The canvas with head and base as they are now, from one SELECT."""
    return Canvas.objects.select_related("frame").get(pk=canvas.pk)


def source_before(canvas: Canvas, number: int) -> Frame | None:
    """The newest frame that everybody may see, from before operation `number`, and without ink that is out today.

    A frame from before an earlier act holds what that act has taken out; one from between an act and its undoing lacks
    what is back. None is the blank canvas.
    """
    stale = _stale(canvas)
    earlier = Frame.objects.visible().whole().filter(canvas=canvas, seq__lt=number).order_by("-number")
    for frame in earlier.only("number", "seq", "kind", "made_at").iterator(50):
        if not any(first <= frame.seq and start <= frame.number < end for first, start, end in stale):
            return Frame.objects.get(pk=frame.pk)
    return None


def _stale(canvas: Canvas) -> list[tuple[int, int, int]]:
    """(first operation concerned, frame numbers from, to) where frames differ from what acts say today."""
    found = []
    rows = Act.objects.filter(canvas=canvas, verb__in=("rollback", "restore", "undo")).order_by("id")
    acts = [act for act in rows if act.what.get("kind") == "picture"]  # one query, however many links
    undone_by = {act.undoes_id: act for act in acts}
    for act in acts:
        if act.undoes_id is not None or act.what["first"] is None:
            continue
        turns = [act.what["next"]]
        link = undone_by.get(act.pk)
        while link is not None:
            turns.append(link.what["next"])
            link = undone_by.get(link.pk)
        # In force after an odd number of turns; spans of the other parity differ from now.
        edges = [0, *turns]
        spans = list(zip(edges, turns, strict=False))
        found += [(act.what["first"], start, end) for i, (start, end) in enumerate(spans) if i % 2 != len(turns) % 2]
    return found
