"""The dreamer: takes the head of the journal each interval, dreams on it, and keeps the frame.

Killed at any instant it loses nothing: what it had not recorded is dreamed again by whoever takes the lease next.
"""

from __future__ import annotations

import contextlib
import logging
import random
import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from canvas import frames, growth, lease, limits, notify, picture, strokes, user_status
from canvas.models import OWN, Batch, Canvas, Dream, Frame
from dreamer import voting
from dreamer.engine import Cancelled, Network, Progress, Recipe, dream
from dreamer.guesses.leading import done, lead
from dreamer.guesses.listening import Listener
from dreamer.library import ModelFiles
from dreamer.loaded import GIVES_UP, LoadedNetworks, Opened
from dreamer.networks import shelves
from dreamer.registered import preset
from dreamer.styles import Style, choose

log = logging.getLogger(__name__)

GROWING = ("front", "growth", "hold")  # of a recipe, as each canvas has them
LOOK_SECONDS = 0.5  # between looks at the canvas: requests, new models, the next dream
REPORT_SECONDS = 0.4  # between two reports of progress
UNDOABLE_SECONDS = 60.0  # a checkpoint leaves the newest strokes in the journal, where they can be undone
RETRY_SECONDS = 0.5  # after a failed dream or checkpoint, doubled each time up to the interval
FAR_SECONDS = 60.0  # a dream further away than this leaves time for checkpoints
KEEPS_FAILING = 3  # so many failures in a row, and checkpoints keep the journal's tail short meanwhile


_LIVELY = [state for state in Dream.State.values if state != Dream.State.RESTING]


class Dreamer:
    """One process' dreaming, on every canvas whose lease it gets. `stop` may be set from a signal handler."""

    def __init__(self, *, slugs: list[str] | None = None, chance: random.Random | None = None) -> None:
        self.stop = threading.Event()
        self.holder = secrets.token_hex(8)
        self._slugs = slugs
        self._chance = chance or random.Random()
        self._listener = Listener()
        self._networks = LoadedNetworks()
        self._found: Opened | None = None  # the network of the canvas that is being visited
        self._no_model = ""  # why there is none
        self._failures: dict[int, int] = {}  # canvas -> dreams that failed in a row
        self._checkpoints: dict[int, tuple[int, float]] = {}  # canvas -> how many failed in a row, until when to wait
        self._lost = threading.Event()

    def run(self) -> None:
        """Dreams until `stop` is set. Leases are renewed by a thread, since one tile may take longer than a lease."""
        threading.Thread(target=self._renew, name="lease", daemon=True).start()
        try:
            while not self.stop.is_set():
                try:
                    self.look()
                except Exception:
                    # The database is away, the disk is full: nothing here may end the process for good.
                    log.exception("The dreamer stumbled and goes on in two seconds.")
                    connection.close()
                    self.stop.wait(2)
                self.stop.wait(LOOK_SECONDS)
        finally:
            self.stop.set()
            lease.give_back(self.holder)

    def look(self) -> None:
        """One look at each canvas: dreams where one is due. One SELECT where there is nothing to do."""
        ruled = Canvas.objects.filter(_worth_a_look()).annotate(**user_status.rules_columns())
        # Whose dream has been due for longest comes first, so that many canvases have their turns one after the other.
        due_first = F("dream__next_at").asc(nulls_first=True), "pk"
        canvases = ruled.select_related("dream", "frame", "choice", "day_of__choice").order_by(*due_first)
        if self._slugs is not None:
            canvases = canvases.filter(slug__in=self._slugs)
        read_at = time.monotonic()
        self._networks.begin()
        for listed in canvases:
            canvas: Canvas | None = listed
            if self._is_late(read_at):  # another canvas' dream took its time
                canvas = canvases.filter(pk=listed.pk).first()
            self._turn(canvas)
            # However many canvases members have, the site's own keep their rhythm.
            if not listed.own and self._is_late(read_at):
                for own in canvases.own().filter(dream__next_at__lte=timezone.now()):
                    self._turn(own)
            if self.stop.is_set():
                return
        self._networks.close_unused()

    @staticmethod
    def _is_late(read_at: float) -> bool:
        """Whether what was read then may have changed since."""
        return time.monotonic() - read_at > LOOK_SECONDS

    def _turn(self, canvas: Canvas | None) -> None:
        """Visits a canvas, where it is still there and nobody else has its lease."""
        seen: Dream | None = getattr(canvas, "dream", None)
        if canvas is None or self.stop.is_set() or not lease.take(canvas, self.holder, seen):
            return
        self._lost.clear()
        try:
            if seen is None or seen.holder != self.holder:
                seen = Dream.objects.get(canvas=canvas)
            self._visit(canvas, seen)
        except Error:
            raise
        except Exception:
            log.exception("%s: the visit failed; the other canvases have their turn.", canvas.slug)

    def _renew(self) -> None:
        while not self.stop.wait(lease.RENEW_SECONDS):
            try:
                if not lease.renew(self.holder):
                    self._lost.set()
            except Exception as error:
                log.warning("The lease could not be renewed: %s", error)
                connection.close()
        connection.close()

    # --- one canvas ------------------------------------------------------------------------------------------------

    def _visit(self, canvas: Canvas, row: Dream) -> None:
        now = timezone.now()
        ended_at: datetime | None = getattr(canvas, "site_ended_at", None)
        if any(at is not None and at <= now for at in (ended_at, canvas.closed_at)):
            return self._finish(canvas, row, now)
        latest = now + timedelta(seconds=canvas.interval)
        if row.next_at is None or row.next_at > latest:
            # The first visit; or the interval was shortened, or the clock has jumped back.
            row.next_at = latest
            self._report(canvas, next_at=latest)
        state, message = self._status(canvas, row)
        # A failure stays on the board until the next dream has come out well.
        if state != row.state and not (row.state == Dream.State.FAILED and state == Dream.State.WAITING):
            self._report(canvas, state=state, message=message, fraction=0.0, octave=0)
        if row.style_wanted and self._found is not None:
            try:
                self._next_style(canvas, row)
            except ValueError as error:  # a network without anything to dream of
                log.warning("%s: no other style: %s", canvas.slug, error)
                self._report(canvas, style_wanted=False, style_named=None)
        if state == Dream.State.RESTING and not (canvas.own or canvas.new_ink):
            return self._let_go(canvas)
        far = row.next_at - now > timedelta(seconds=FAR_SECONDS)
        if state != Dream.State.WAITING or far or self._failures.get(canvas.pk, 0) >= KEEPS_FAILING:
            self._checkpoint(canvas)
        if self._found is not None and state in (Dream.State.WAITING, Dream.State.RESTING):
            self._guess(canvas)
        if row.next_at <= now:
            if state == Dream.State.WAITING:
                self._dream(canvas, row, now)
            else:
                self._report(canvas, next_at=_next_due(row.next_at, now, canvas.interval))
        return None

    def _guess(self, canvas: Canvas) -> None:
        """Says what the network sees in what has just been drawn. Never at the cost of a dream."""
        if not self._files.labels:  # it knows no words, and need not be opened
            return
        try:
            self._listener.look(canvas, lambda: self._network)
        except Error:
            raise
        except Exception:
            log.exception("%s: the drawing could not be looked at.", canvas.slug)

    def _finish(self, canvas: Canvas, row: Dream, now: datetime) -> None:
        """After the end of the project or canvas: a last frame with all the ink, dreamed if it can be, and no more."""
        self._found, self._no_model = self._networks.of_canvas(canvas)
        failures = self._failures.get(canvas.pk, 0)
        if not canvas.new_ink:
            if canvas.closed_at is not None or not canvas.own:
                self._let_go(canvas)
            elif row.state != Dream.State.RESTING:
                self._report(canvas, state=Dream.State.RESTING, message="", fraction=0.0, octave=0)
        elif self._found is None or row.paused or failures >= KEEPS_FAILING:
            self._checkpoint(canvas, everything=True)
        elif not failures or row.next_at is None or row.next_at <= now:
            self._dream(canvas, row, now)

    def _let_go(self, canvas: Canvas) -> None:
        """It rests, and nobody holds it or looks at it until something wakes it (`_worth_a_look`)."""
        lease.let_go(canvas, self.holder)
        notify.look(canvas.slug)

    def _status(self, canvas: Canvas, row: Dream) -> tuple[str, str]:
        """(state, message): whether there is something to dream of, with what, and whether one may."""
        self._found, self._no_model = self._networks.of_canvas(canvas)
        if row.paused:
            return Dream.State.PAUSED, ""
        if self._found is None:
            return Dream.State.NO_MODEL, self._no_model
        if canvas.head == 0 and canvas.frame_id is None and not _seeds_due(canvas):
            return Dream.State.RESTING, ""  # an untouched canvas: there is nothing to reinterpret yet
        of_nothing_new = Frame.objects.visible().dreams().filter(canvas=canvas, seq=canvas.head).count()
        if of_nothing_new > settings.DREAM_IDLE_LIMIT:
            return Dream.State.RESTING, ""
        return Dream.State.WAITING, ""

    @property
    def _network(self) -> Network:
        """That of the canvas that is being visited, where it has one."""
        assert self._found is not None
        return self._networks.network(self._found)

    @property
    def _files(self) -> ModelFiles:
        assert self._found is not None and self._found.files is not None
        return self._found.files

    def _style(self, canvas: Canvas, row: Dream) -> Style:
        """The style in force, or a new one where it has run its time or does not fit the network."""
        style = Style.from_json(row.style)
        fresh = row.style_until is not None and row.style_until > timezone.now()
        if style and fresh and style.model == self._network.name and style.fits(self._network.layers):
            return style
        return self._next_style(canvas, row)

    def _next_style(self, canvas: Canvas, row: Dream) -> Style:
        before = Style.from_json(row.style)
        named = Style.from_json(row.style_named or {})
        if named and named.model == self._network.name and named.fits(self._network.layers):
            style, chosen = named, {"by": "moderator"}
        elif (wanted := self._voted(canvas)) is not None:
            style, chosen = wanted
        else:
            chosen = {"by": "chance"}
            shelf, surprises = shelves.of_canvas(canvas, self._files)
            style = choose(
                self._network.name, self._network.layers, shelf, self._chance, avoid=before, surprises=surprises
            )
        until = timezone.now() + timedelta(seconds=settings.STYLE_INTERVAL)
        stored = style.to_json() | {"chosen": chosen}
        self._report(canvas, style=stored, style_until=until, style_wanted=False, style_named=None)
        row.style, row.style_until, row.style_wanted, row.style_named = stored, until, False, None
        if Dream.objects.filter(canvas=canvas, coming__isnull=False).exists():  # voted since it was read, too
            voting.announce(canvas, self._files)
        log.info("%s: the style is now %s.", canvas.slug, style.title)
        return style

    def _voted(self, canvas: Canvas) -> tuple[Style, dict[str, Any]] | None:
        """What people voted for, and how many did; None where nobody has, or it does not fit the network."""
        first = voting.take(canvas, self._files)
        if first is None:
            return None
        found = Style.of_shelf(self._network.name, first.style, self._network.layers)
        return (found, {"by": "vote", "votes": first.votes}) if found.fits(self._network.layers) else None

    def _dream(self, canvas: Canvas, row: Dream, began: datetime) -> None:
        dreaming = False
        try:
            network = self._network
            style = self._style(canvas, row)
            recipe = Recipe(
                target=style.target,
                model=style.model,
                seed=self._chance.getrandbits(48),
                **preset("live", style.model) | {name: getattr(canvas, name) for name in GROWING},
            )
            composed = frames.compose(canvas, holder=self.holder, cancelled=self._cancelled)
            self._report(
                canvas,
                state=Dream.State.DREAMING,
                message="",
                fraction=0.0,
                octave=0,
                octaves=recipe.octaves,
                device=network.device,
            )
            started, dreaming = time.perf_counter(), True
            report = self._reporter(canvas, composed.seq)
            canvas_pixels, led = lead(canvas, composed.pixels, network, recipe.seed, self._cancelled)
            ages = self._planted(canvas, composed.ages)
            pixels = dream(canvas_pixels, network, recipe, ages=ages, progress=report, cancelled=self._cancelled)
            seconds, dreaming = time.perf_counter() - started, False
            made = frames.NewFrame(
                canvas,
                frames.encode(pixels, Frame.Kind.DREAM),
                Frame.Kind.DREAM,
                composed.seq,
                composed.authors,
                title=style.title,
                recipe=recipe.to_json() | led | {"chosen": row.style.get("chosen")},
                seconds=round(seconds, 3),
                device=network.device,
                ages=None if composed.ages is None else growth.older(composed.ages),
            )
            frames.keep(made, composed.claim)
        except (Cancelled, picture.Cancelled, lease.ClaimLost) as error:
            log.info("%s: the dream was dropped (%s).", canvas.slug, error)
            lease.drop(canvas, self.holder)
            return
        except Exception as error:
            self._failed(canvas, row, error, styles_fault=dreaming)
            return
        self._failures.pop(canvas.pk, None)
        if self._found is not None:
            self._networks.dreamed(self._found)
        now = timezone.now()
        interval = timedelta(seconds=canvas.interval)
        # Dreams are missed because one lasts, not because of a night in which nobody dreamed.
        missed = max(0, int((now - began) / interval))
        if missed:
            log.warning(
                "%s: missed %d dream(s), one took %.1f s of %.1f s.",
                canvas.slug,
                missed,
                seconds,
                canvas.interval,
            )
        planned = row.next_at if row.next_at and began - row.next_at < interval else began
        # As DreamCanvas did: a dream that took longer than the interval is followed by the next at once.
        next_at = max(now, planned + interval)
        self._report(
            canvas,
            state=Dream.State.WAITING,
            fraction=1.0,
            octave=recipe.octaves,
            next_at=next_at,
            missed=row.missed + missed,
        )
        log.info("%s: dreamed of %s in %.1f s, up to operation %d.", canvas.slug, style.title, seconds, composed.seq)
        done(led)
        self._index(canvas)

    def _planted(self, canvas: Canvas, ages: growth.Ages | None) -> growth.Ages | None:
        """What the dream grows out of: people's ink, or seeds of its own where there is none."""
        if ages is None or (ages != growth.NEVER).any():
            return ages
        dreams = Frame.objects.visible().dreams().filter(canvas=canvas).count()
        return growth.planted(ages, dreams, canvas.pk)

    def _index(self, canvas: Canvas) -> None:
        """Keeps the index of strokes near the journal's end, so that whoever asks it next need not wait."""
        try:
            strokes.index(canvas)
        except Exception:
            log.exception("%s: the strokes could not be indexed; whoever asks for them tries again.", canvas.slug)

    def _failed(self, canvas: Canvas, row: Dream, error: Exception, *, styles_fault: bool) -> None:
        """Says so, changes a style that could not be dreamed, and waits longer each time."""
        log.exception("%s: the dream failed.", canvas.slug)
        count = self._failures[canvas.pk] = self._failures.get(canvas.pk, 0) + 1
        if styles_fault:
            assert self._found is not None
            if self._networks.failed(self._found):
                name = self._found.name
                log.error(
                    "%s: %s failed at %d styles in a row; the last good network dreams.", canvas.slug, name, GIVES_UP
                )
            with contextlib.suppress(ValueError):  # a network without anything to dream of
                self._next_style(canvas, row)
        lease.drop(canvas, self.holder)
        self._report(
            canvas,
            state=Dream.State.FAILED,
            message=f"The last dream failed: {error}"[:300],
            next_at=timezone.now() + timedelta(seconds=_backoff(count, canvas.interval)),
        )

    def _checkpoint(self, canvas: Canvas, *, everything: bool = False) -> None:
        """While nobody dreams, a plain picture now and then, so that latecomers need not replay hours of strokes.

        `everything`: the last picture, with the newest ink, which nobody can take back any more.
        """
        failures, wait_until = self._checkpoints.get(canvas.pk, (0, 0.0))
        if time.monotonic() < wait_until:
            return
        try:
            self._keep_checkpoint(canvas, everything)
        except (picture.Cancelled, lease.ClaimLost) as error:
            log.info("%s: the checkpoint was dropped (%s).", canvas.slug, error)
            lease.drop(canvas, self.holder)
        except Exception:
            self._checkpoints[canvas.pk] = failures + 1, time.monotonic() + _backoff(failures + 1, canvas.interval)
            log.exception("%s: the checkpoint failed.", canvas.slug)
            lease.drop(canvas, self.holder)
        else:
            self._checkpoints.pop(canvas.pk, None)

    def _keep_checkpoint(self, canvas: Canvas, everything: bool) -> None:
        up_to = None if everything else self._settled(canvas)
        if up_to is None and not everything:
            return
        composed = frames.compose(canvas, up_to, holder=self.holder, cancelled=self._cancelled)
        made = frames.encode(composed.pixels, Frame.Kind.CHECKPOINT)
        new = frames.NewFrame(canvas, made, Frame.Kind.CHECKPOINT, composed.seq, composed.authors, ages=composed.ages)
        frames.keep(new, composed.claim)
        notify.look(canvas.slug)
        self._index(canvas)

    def _settled(self, canvas: Canvas) -> int | None:
        """The journal's number up to which a checkpoint may go; None where it would not be worth a picture."""
        since = canvas.frame.seq if canvas.frame else 0
        if canvas.head - since < limits.CHECKPOINT_OPS:
            return None
        settled = timezone.now() - timedelta(seconds=UNDOABLE_SECONDS)
        batches = Batch.objects.filter(canvas=canvas, last__gt=since, at__lt=settled).order_by("-last")
        up_to = batches.values_list("last", flat=True).first()
        return None if up_to is None or up_to - since < limits.CHECKPOINT_OPS // 2 else up_to

    # --- telling ---------------------------------------------------------------------------------------------------

    def _report(self, canvas: Canvas, claimed: int = 0, **what: Any) -> None:
        if not lease.report(canvas, self.holder, claimed, **what):
            self._lost.set()  # the lease, or the claim on the ink
        notify.look(canvas.slug)

    def _reporter(self, canvas: Canvas, claimed: int) -> Callable[[Progress], None]:
        reported = (0.0, 0)

        def report(progress: Progress) -> None:
            nonlocal reported
            now = time.monotonic()
            if progress.octave != reported[1] or now - reported[0] >= REPORT_SECONDS:
                reported = (now, progress.octave)
                self._report(
                    canvas, claimed, fraction=progress.fraction, octave=progress.octave, octaves=progress.octaves
                )

        return report

    def _cancelled(self) -> bool:
        return self.stop.is_set() or self._lost.is_set()


def _worth_a_look() -> Q:
    """The canvases that there can be anything to do about, at no cost for all the others.

    Not those that people begin with, members' own and the days of a daily canvas, before the first ink, nor what is
    closed and has all its ink in a frame. Nor what members made once it rests (`Dreamer._let_go`): new ink wakes it, a
    wish for another style, and a base that was changed (`lease.withdraw`).
    """
    begun = OWN & Q(day_of=None) | Q(head__gt=0) | Q(frame__isnull=False)
    moves = Q(head__gt=Coalesce("frame__seq", 0)) | Q(dream__state__in=_LIVELY)
    stays = OWN | Q(dream__isnull=True) | Q(dream__style_wanted=True) | Q(dream__paused=True)
    return Q(daily=False) & begun & (moves | Q(closed_at=None) & stays)


def _seeds_due(canvas: Canvas) -> bool:
    """Whether nobody has drawn on an untouched canvas for so long that the dreamer plants seeds of its own."""
    patience = timedelta(seconds=settings.DREAM_SEEDS_AFTER)
    return bool(patience) and timezone.now() - canvas.created_at >= patience


def _next_due(planned: datetime, now: datetime, seconds: float) -> datetime:
    """When the next dream after now is due, at one every so many seconds."""
    interval = timedelta(seconds=seconds)
    return planned + (max(0, int((now - planned) / interval)) + 1) * interval


def _backoff(failures: int, most: float) -> float:
    """Seconds to wait after so many failures in a row, at most those between two dreams."""
    return float(min(most, RETRY_SECONDS * 2 ** min(failures, 16)))
