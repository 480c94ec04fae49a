"""`manage.py seed_history`: a made-up history to develop against; the same arguments make the same pictures."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from numpy.typing import NDArray

from canvas import frames
from canvas.models import Canvas, Frame

LAYERS = ["inception_3b/output", "inception_4a/output", "inception_4c/output", "inception_5a/1x1"]
NAMES = ["ada", "bruno", "chioma", "dmitri", "eun-ji", "farah", "gustavo", "hana", "imre", "jun", "kemal", "lotte"]
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
        place, _ = Canvas.objects.get_or_create(slug=options["canvas"], defaults={"title": options["canvas"].title()})
        if place.head or Frame.objects.filter(canvas=place).exists():
            raise CommandError(f"{place} has been drawn on already; name another canvas with --canvas.")
        place.width = place.height = options["side"]
        place.full_clean()
        _write(place, width=place.width, height=place.height)
        dice = random.Random(options["seed"])
        files = [_files(place, self._picture(options, index)) for index in range(options["pictures"])]
        people = list(_people())
        begun = timezone.now() - timedelta(seconds=settings.DREAM_INTERVAL * options["frames"])
        for start in range(0, options["frames"], CHUNK):
            numbers = range(start + 1, min(start + CHUNK, options["frames"]) + 1)
            made = Frame.objects.bulk_create(
                _frame(place, number, files[number % len(files)], begun, dice, options["side"]) for number in numbers
            )
            drew = Frame.contributors.through
            drew.objects.bulk_create(
                drew(frame_id=frame.pk, user_id=person.pk)
                for frame in made
                for person in dice.sample(people, dice.choice([0, 1, 1, 2, 3, 5]))
            )
            self.stdout.write(f"{numbers[-1]} of {options['frames']} frames")
        newest = Frame.objects.filter(canvas=place).order_by("-number").first()
        if newest:
            # With the journal's head where the last frame has it: what is drawn next is newer than every frame.
            _write(place, frame=newest, head=newest.seq)

    def _picture(self, options: dict[str, Any], index: int) -> frames.Picture:
        if options["verbosity"] > 1:
            self.stdout.write(f"picture {index + 1} of {options['pictures']}")
        return frames.encode(_dreamlike(options["side"], options["seed"], index), Frame.Kind.DREAM)


def _write(place: Canvas, **columns: Any) -> None:
    """Writes these columns where nobody has drawn yet: a whole row as it was loaded would undo a tick in between."""
    if not Canvas.objects.filter(pk=place.pk, head=0).update(**columns):
        raise CommandError(f"Somebody has drawn on {place} meanwhile; name another canvas with --canvas.")


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


def _files(place: Canvas, picture: frames.Picture) -> dict[str, Any]:
    folder = f"frames/{place.slug}/seeded"
    return {
        "picture": default_storage.save(f"{folder}/{picture.sha256[:20]}.{picture.suffix}", ContentFile(picture.data)),
        "thumbnail": default_storage.save(
            f"{folder}/{picture.sha256[:20]}-thumb.jpg", ContentFile(frames.thumbnail_of(picture.pixels))
        ),
        "size": len(picture.data),
        "sha256": picture.sha256,
    }


def _people() -> Any:
    model = get_user_model()
    for name in NAMES:
        person, made = model.objects.get_or_create(username=name)
        if made:
            person.set_unusable_password()
            person.save(update_fields=["password"])
        yield person


def _frame(place: Canvas, number: int, file: dict[str, Any], begun: Any, dice: random.Random, side: int) -> Frame:
    layer, channel = LAYERS[number // 20 % len(LAYERS)], (number // 20 * 37) % 256
    whole = number // 20 % 4 == 3
    term: dict[str, Any] = {"layer": layer} if whole else {"layer": layer, "channels": [[channel, 1.0]]}
    rest = number % 40 == 1
    return Frame(
        canvas=place,
        number=number,
        seq=number * 7,
        kind=Frame.Kind.REST if rest else Frame.Kind.DREAM,
        made_at=begun + timedelta(seconds=settings.DREAM_INTERVAL * number),
        width=side,
        height=side,
        title="" if rest else f"{layer}^2" if whole else f"{layer} {channel}",
        seconds=0.0 if rest else round(dice.uniform(2, 9), 2),
        recipe={}
        if rest
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
