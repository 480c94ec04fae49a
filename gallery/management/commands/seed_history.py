"""`manage.py seed_history`: a made-up history to develop against; the same arguments make the same one."""

from __future__ import annotations

import hashlib
import random
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from numpy.typing import NDArray

from canvas import brush, frames, thumbnails, wire
from canvas.models import Batch, Canvas, Frame, IndexProgress, Stroke
from gallery.highlights.models import Highlight
from gallery.timeline import activity

LAYERS = ["inception_3b/output", "inception_4a/output", "inception_4c/output", "inception_5a/1x1"]
NAMES = ["ada", "bruno", "chioma", "dmitri", "eun-ji", "farah", "gustavo", "hana", "imre", "jun", "kemal", "lotte"]
CAPTIONS = ["The first eyes", "Everybody drew the same hill", "A tower out of one line", "", "It rained dogs"]
CHUNK = 2000


class Command(BaseCommand):
    help = "Fills a canvas that has no frames yet with a made-up history, for development."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--frames", type=int, default=400, help="how many frames (default 400)")
        parser.add_argument("--pictures", type=int, default=24, help="how many different pictures (default 24)")
        parser.add_argument("--side", type=int, default=768, help="their side in pixels (default 768)")
        parser.add_argument("--canvas", default=settings.CANVAS_SLUG, help="slug of the canvas, made if need be")
        parser.add_argument("--seed", type=int, default=7)

    def handle(self, *args: Any, **options: Any) -> None:
        canvas, _ = Canvas.objects.get_or_create(slug=options["canvas"], defaults={"title": options["canvas"].title()})
        if canvas.head or Frame.objects.filter(canvas=canvas).exists():
            raise CommandError(f"{canvas} has been drawn on already; name another canvas with --canvas.")
        canvas.width = canvas.height = options["side"]
        canvas.full_clean()
        _write(canvas, width=canvas.width, height=canvas.height)
        dice = random.Random(options["seed"])
        files = [_files(canvas, self._picture(options, index)) for index in range(options["pictures"])]
        people = list(_people())
        end = timezone.now() - timedelta(seconds=1)
        begun = end - _after(options["frames"])
        seq = 0
        for start in range(0, options["frames"], CHUNK):
            numbers = range(start + 1, min(start + CHUNK, options["frames"]) + 1)
            with transaction.atomic():
                seq = _chunk(canvas, numbers, seq, files, people, begun, end, dice, options["side"])
            self.stdout.write(f"{numbers[-1]} of {options['frames']} frames, {seq} strokes")
        newest = Frame.objects.filter(canvas=canvas).order_by("-number").first()
        if newest:
            # With the journal's head where the last frame has it: what is drawn next is newer than every frame.
            _write(canvas, frame=newest, head=newest.seq)
        IndexProgress.objects.update_or_create(canvas=canvas, defaults={"seq": seq})
        for frame in Frame.objects.visible().filter(canvas=canvas, number__in=_highlights(options["frames"])):
            Highlight.objects.create(frame=frame, caption=CAPTIONS[frame.number % len(CAPTIONS)], chosen_by=people[0])
        activity.store_finished(canvas)

    def _picture(self, options: dict[str, Any], index: int) -> frames.Picture:
        if options["verbosity"] > 1:
            self.stdout.write(f"picture {index + 1} of {options['pictures']}")
        return frames.encode(_dreamlike(options["side"], options["seed"], index), Frame.Kind.DREAM)


def _write(canvas: Canvas, **columns: Any) -> None:
    """Writes these columns where nobody has drawn yet: a whole row as it was loaded would undo a tick in between."""
    if not Canvas.objects.filter(pk=canvas.pk, head=0).update(**columns):
        raise CommandError(f"Somebody has drawn on {canvas} meanwhile; name another canvas with --canvas.")


def _dreamlike(side: int, seed: int, index: int) -> NDArray[np.uint8]:
    """Warped waves in soft colours, [side, side, 3]; neighbouring indices look alike, as a canvas' frames do."""
    random_numbers = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side * 2 - 1
    time = index * 0.06
    for octave in range(5):
        scale = 1.7 * 1.31415**octave
        a, b, c, d = random_numbers.uniform(-2, 2, 4)
        x, y = (
            x + np.sin(y * scale * 2 + a + time * b) / (scale * 1.9),
            y + np.cos(x * scale * 2 + c - time * d) / (scale * 1.9),
        )
    rings = np.sin(np.hypot(x, y) * 9 + time * 3)
    phase = np.stack([x * 1.7 + rings * 0.5, y * 1.5 + 0.7 + rings * 0.3, (x - y) * 1.2 + 1.9], axis=-1)
    colours = 0.55 + 0.38 * np.sin(phase * 1.6 + np.array([0.2, 1.2, 2.4]) + time)
    grain = random_numbers.normal(0, 0.012, (side, side, 1))
    pixels: NDArray[np.uint8] = (np.clip(colours + grain, 0, 1) * 255).astype(np.uint8)
    return pixels


def _files(canvas: Canvas, picture: frames.Picture) -> dict[str, Any]:
    folder = f"frames/{canvas.slug}/seeded"
    small = thumbnails.encode(picture.pixels)
    return {
        "picture": default_storage.save(f"{folder}/{picture.sha256[:20]}.{picture.suffix}", ContentFile(picture.data)),
        "thumbnail": default_storage.save(f"{folder}/{picture.sha256[:20]}-thumb.webp", ContentFile(small)),
        "size": len(picture.data),
        "sha256": picture.sha256,
        "thumbnail_size": len(small),
        "thumbnail_sha256": hashlib.sha256(small).hexdigest(),
    }


def _people() -> Any:
    model = get_user_model()
    for name in NAMES:
        person, made = model.objects.get_or_create(username=name)
        if made:
            person.set_unusable_password()
            person.save(update_fields=["password"])
        yield person


def _after(number: int) -> timedelta:
    """How long after the beginning a frame was made: at the site's pace, with nights off and longer gaps."""
    pauses = timedelta(minutes=35) * (number // 2_500) + timedelta(hours=7) * ((number + 9_000) // 21_000)
    return timedelta(seconds=settings.DREAM_INTERVAL) * number + pauses


def _highlights(count: int) -> list[int]:
    return [max(count * share // 13, 1) for share in range(1, 13)]


def _chunk(
    canvas: Canvas,
    numbers: range,
    seq: int,
    files: list[dict[str, Any]],
    people: list[Any],
    begun: datetime,
    end: datetime,
    dice: random.Random,
    side: int,
) -> int:
    """Some frames with the ink that lies in each; gives the journal's number after them."""
    frames_, batches, strokes = [], [], []
    drew: list[set[int]] = []
    for number in numbers:
        made_at = begun + _after(number)
        authors: set[int] = set()
        strokes_before = _busy(end - made_at, dice)
        ages = (dice.uniform(0.05, 0.9) * settings.DREAM_INTERVAL for _ in range(strokes_before))
        for age in sorted(ages, reverse=True):
            seq += 1
            person = dice.choice(people)
            at = made_at - timedelta(seconds=age)
            batch, stroke = _stroke(canvas, seq, person.pk, at, dice, side)
            batches.append(batch)
            strokes.append(stroke)
            authors.add(person.pk)
        frames_.append(_frame(canvas, number, seq, made_at, files[number % len(files)], dice, side))
        drew.append(authors)
    Batch.objects.bulk_create(batches)
    Stroke.objects.bulk_create(strokes)
    made = Frame.objects.bulk_create(frames_)
    through = Frame.contributors.through
    through.objects.bulk_create(
        through(frame_id=frame.pk, user_id=person) for frame, who in zip(made, drew, strict=True) for person in who
    )
    return seq


def _busy(left: timedelta, dice: random.Random) -> int:
    """How many strokes were drawn before a frame: most in the evening, few at night, and in bursts at weekends.

    A made-up history ends on a Sunday evening, whatever the clock says: `left`, the time to its end, tells hour and
    day. So a short one is never a night in which nobody draws, and the same arguments make the same strokes.
    """
    days, rest = divmod(left, timedelta(days=1))
    hours = rest / timedelta(hours=1)
    most = 1 + 7 * max(0.0, 1 - min(hours, 24 - hours) / 9)
    return int(dice.random() ** 2 * most * (3 if days % 7 < 2 and dice.random() < 0.3 else 1))


def _stroke(
    canvas: Canvas, seq: int, author: int, at: datetime, dice: random.Random, side: int
) -> tuple[Batch, Stroke]:
    """A wandering line, as a row of the journal and as the index would read it."""
    x, y = dice.uniform(0, side), dice.uniform(0, side)
    dx, dy = dice.uniform(-side, side) / 60, dice.uniform(-side, side) / 60
    width = dice.randint(24, max(24, side // 3))
    points = []
    for _ in range(dice.randint(4, 14)):
        points.append((int(8 * min(max(x, 0), side)), int(8 * min(max(y, 0), side)), min(8 * width // 4, 992)))
        x, y, dx, dy = x + dx, y + dy, dx * 0.9 + dice.uniform(-side, side) / 160, dy * 0.9 + dice.uniform(-4, 4)
    colour = (dice.randrange(256), dice.randrange(256), dice.randrange(256))
    name = int(at.timestamp() * 1_000_000) * 8 % 2**53
    op = wire.Stroke(name, 0, colour, 160, 0, tuple(points), last=True, author=author)
    left, top, right, bottom = brush.bounds(op.points)
    batch = Batch(canvas=canvas, first=seq, last=seq, at=at, payload=wire.encode(op))
    return batch, Stroke(
        canvas=canvas,
        author=author,
        stroke_id=name,
        first_seq=seq,
        last_seq=seq,
        began_at=at,
        ended_at=at,
        left=left,
        top=top,
        right=right,
        bottom=bottom,
        colour="#" + bytes(colour).hex(),
        opacity=op.opacity,
        width=max(w for *_, w in points) / 8,
        pieces=1,
        points=len(points),
        finished=True,
    )


def _frame(
    canvas: Canvas, number: int, seq: int, made_at: datetime, file: dict[str, Any], dice: random.Random, side: int
) -> Frame:
    layer, channel = LAYERS[number // 20 % len(LAYERS)], (number // 20 * 37) % 256
    whole = number // 20 % 4 == 3
    term: dict[str, Any] = {"layer": layer} if whole else {"layer": layer, "channels": [[channel, 1.0]]}
    checkpoint = number % 40 == 1
    return Frame(
        canvas=canvas,
        number=number,
        seq=seq,
        kind=Frame.Kind.CHECKPOINT if checkpoint else Frame.Kind.DREAM,
        made_at=made_at,
        hidden_at=made_at + timedelta(minutes=3) if number % 997 == 500 else None,
        width=side,
        height=side,
        title="" if checkpoint else f"{layer}^2" if whole else f"{layer} {channel}",
        seconds=0.0 if checkpoint else round(dice.uniform(2, 9), 2),
        recipe={}
        if checkpoint
        else {
            "target": {"terms": [term]},
            "model": "googlenet",
            "octaves": 6,
            "octave_scale": 1.31415,
            "iterations": 1,
            "step": 1.5,
            "seed": dice.randrange(2**31),
            "device": "cpu",
        },
        **file,
    )
