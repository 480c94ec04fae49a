"""What a dream costs, in units of a million pixels times steps: the same everywhere, and known before it begins."""

from __future__ import annotations

from django.db.models import F, Sum
from django.utils import timezone

from canvas import limits
from canvas.models import CleanHours
from dreamer.engine import Recipe
from dreamer.engine.ascent import samples
from dreamer.engine.octaves import octave_sizes, steps_of
from dreamer.journey.plan import Plan
from dreamsite.core.tasks.jobs import OPEN, State
from gallery.studio.models import DAY, Journey, Spent, Work

# A day's units by clean hours, the largest that is reached: fifteen photographs of a megapixel for a newcomer.
DAILY = ((0, 300.0), (2, 1500.0), (limits.TRUSTED_HOURS, 5000.0))
LEAST = 0.2  # what the smallest work costs
PICTURE = 0.25  # of a film, for each million of pixels: drawn between two key frames, and encoded
LARGE = 0.5  # of a print, for each million of pixels: enlarging the dream, and encoding
USUAL_SPEED = 2.0  # units a second, until this machine's is known


def units(recipe: Recipe, height: int, width: int) -> float:
    """Of a dream of this recipe on a picture of this size."""
    sizes = octave_sizes(height, width, recipe.octaves, recipe.octave_scale, recipe.min_size, recipe.finest)
    steps = steps_of(len(sizes), recipe.iterations, recipe.taper)
    work = sum(h * w * n * samples(recipe, (h, w)) for (h, w), n in zip(sizes, steps, strict=True))
    return max(LEAST, work / 1e6)


def key_frame(plan: Plan, number: int, zoom: float, height: int, width: int) -> float:
    """Of a key frame of a journey; the first is the picture itself."""
    return LEAST if number == 0 else units(plan.recipe_at(number, zoom), height, width)


def film(frames: int, height: int, width: int) -> float:
    """Of a film of so many pictures, whose key frames are there."""
    return max(LEAST, PICTURE * frames * height * width / 1e6)


def allowance(user_id: int) -> float:
    """What this person may spend in 24 hours."""
    hours = CleanHours.objects.filter(user=user_id).values_list("hours", flat=True).first() or 0
    return max(most for reached, most in DAILY if hours >= reached)


def spent(user_id: int) -> float:
    """What this person's works of the last 24 hours cost, deleted ones too; those that failed cost nothing, those
    that were cancelled what was made of them.

    What journeys will do by themselves counts from the beginning.
    """
    since = timezone.now() - DAY
    states = (*OPEN, State.DONE)
    found = Work.objects.filter(owner=user_id, created_at__gte=since, state__in=states)
    cancelled = Work.objects.filter(owner=user_id, created_at__gte=since, state=State.CANCELLED, fraction__gt=0)
    deleted = Spent.objects.filter(owner=user_id, at__gte=since)
    to_come = Journey.objects.filter(owner=user_id, created_at__gte=since, reserved__gt=0)
    made = F("units") * F("fraction")
    return sum(
        float(rows.aggregate(sum=Sum(column))["sum"] or 0.0)
        # In this order: what becomes a work in between counts twice for once, not never.
        for rows, column in ((to_come, "reserved"), (found, "units"), (cancelled, made), (deleted, "units"))
    )


def speed(network: str) -> float:
    """Units a second with this network, by the last works of this site; films have none, and a speed of their own."""
    done = Work.objects.filter(network=network, state=State.DONE, seconds__gt=0)
    done = done.exclude(kind__in=Work.READS).order_by("-finished_at")[:20]
    rows = list(done.values_list("units", "seconds"))
    return sum(u for u, _ in rows) / sum(s for _, s in rows) if rows else USUAL_SPEED
