"""Taking strokes out and earlier pictures back: the picture is what honest people made, to the byte, and back again."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from django.test import Client

from canvas import frames, journal, lease, picture, strokes, wire
from canvas.brush import Pixels
from canvas.models import Canvas, Dream, Frame, Stroke
from canvas.moderation import undo
from canvas.moderation.models import Act, LookUp
from canvas.moderation.rollback import plans
from canvas.moderation.rollback import services as rollback
from canvas.moderation.rollback.plans import RollbackRequest
from canvas.moderation.rollback.restore import Area
from canvas.moderation.rollback.selection import Selection
from dreamsite.core.errors import InvalidRequest
from dreamsite.core.models import User
from dreamsite.core.rect import Rect
from tests import wire_client
from tests.sockets import pieces

HONEST, VANDAL, OTHER = 1, 2, 3


def draw(canvas: Canvas, author: int, y: int, colour: tuple[int, int, int], stroke: int = 1) -> list[wire.Operation]:
    """A line across the canvas, piece by piece."""
    cut = pieces(stroke, [(x * 8, y * 8, 64) for x in range(4, 61, 4)], each=3, colour=colour, opacity=255)
    operations = [wire_client.by(piece, author) for piece in cut]
    for op in operations:
        journal.append(canvas, [op])
    return operations


def now(canvas: Canvas) -> Pixels:
    return frames.compose(canvas).pixels


def kept(canvas: Canvas, kind: str = Frame.Kind.CHECKPOINT) -> Frame:
    """A frame of the canvas as it is. A dream's is another picture than the drawing."""
    composed = frames.compose(canvas)
    pixels = 255 - composed.pixels // 2 if kind == Frame.Kind.DREAM else composed.pixels
    return frames.keep(
        frames.NewFrame(canvas, frames.encode(pixels, kind), kind, composed.seq, authors=composed.authors)
    )


def of(*authors: int, **more: Any) -> RollbackRequest:
    return RollbackRequest(Selection(people=authors), **more)


def test_ink_that_nobody_has_dreamed_vanishes_without_a_trace(canvas: Canvas, moderator: User) -> None:
    honest = draw(canvas, HONEST, 20, (0, 90, 0))
    draw(canvas, VANDAL, 22, (0, 0, 0))
    spoilt = now(canvas)
    act = rollback.apply(canvas, of(VANDAL), moderator, "painted over it")
    assert np.array_equal(now(canvas), picture.compose(_blank(canvas), enumerate(honest, 1)))
    assert Frame.objects.count() == 0 and act.what["strokes"] == 1 and act.by == moderator
    undo.undo(act, moderator)
    assert np.array_equal(now(canvas), spoilt)


def _blank(canvas: Canvas) -> Pixels:
    return picture.blank(canvas.width, canvas.height, canvas.background_rgb)


def test_dreamed_ink_goes_with_its_dream_and_honest_strokes_are_replayed(canvas: Canvas, moderator: User) -> None:
    draw(canvas, HONEST, 10, (0, 90, 0))
    good = kept(canvas, Frame.Kind.DREAM)
    replayed = draw(canvas, HONEST, 30, (200, 0, 0), stroke=2)
    draw(canvas, VANDAL, 32, (0, 0, 0))
    spoilt = kept(canvas, Frame.Kind.DREAM)
    on_top = draw(canvas, HONEST, 50, (0, 0, 250), stroke=3)
    draw(canvas, VANDAL, 52, (9, 9, 9), stroke=2)
    before = now(canvas)

    act = rollback.apply(canvas, of(VANDAL, area=Area("all")), moderator)

    made = Canvas.objects.select_related("frame").get(pk=canvas.pk).frame
    assert made and made.kind == Frame.Kind.RESTORED and made.seq == spoilt.seq and made.number == spoilt.number + 1
    wanted = picture.compose(frames.load(good.pk), enumerate([*replayed, *on_top], 1))
    assert np.array_equal(now(canvas), wanted)
    # What honest people drew after the base lies on top as before: it can be taken back by them.
    journal.append(canvas, [wire.Undo(3, HONEST)])
    journal.append(canvas, [op for op in on_top if isinstance(op, wire.Stroke)][:0])
    assert not np.array_equal(now(canvas), wanted)

    (undone,) = undo.undo(act, moderator)
    without = np.array_equal(now(canvas), before)
    assert not without  # the honest undo stays
    again = undo.undo(undone, moderator)
    assert again[0].undoes == undone
    assert np.array_equal(now(canvas), picture.compose(frames.load(good.pk), enumerate(replayed, 1)))


def test_undoing_brings_the_very_picture_back(canvas: Canvas, moderator: User) -> None:
    draw(canvas, HONEST, 10, (0, 90, 0))
    kept(canvas, Frame.Kind.DREAM)
    draw(canvas, VANDAL, 32, (0, 0, 0))
    kept(canvas, Frame.Kind.DREAM)
    draw(canvas, VANDAL, 52, (9, 9, 9), stroke=2)
    spoilt = now(canvas)
    act = rollback.apply(canvas, of(VANDAL), moderator)
    restored = now(canvas)
    assert not np.array_equal(restored, spoilt)
    (undone,) = undo.undo(act, moderator)
    assert np.array_equal(now(canvas), spoilt)
    undo.undo(undone, moderator)
    assert np.array_equal(now(canvas)[30:34], restored[30:34])
    with pytest.raises(InvalidRequest, match="taken back already"):
        undo.undo(act, moderator)


def test_around_ink_nothing_else_changes(canvas: Canvas, moderator: User) -> None:
    draw(canvas, HONEST, 5, (0, 90, 0))
    kept(canvas, Frame.Kind.DREAM)
    draw(canvas, VANDAL, 56, (0, 0, 0))
    kept(canvas, Frame.Kind.DREAM)
    before = now(canvas)
    rollback.apply(canvas, of(VANDAL, area=Area("ink", None, feather=4, grow=2)), moderator)
    changed = np.flatnonzero((now(canvas) != before).any(axis=(1, 2)))
    assert changed.size and changed.min() > 56 - 4 - 2 - 2 * 4 - 3


def test_an_act_after_further_dreams_is_undone_too(canvas: Canvas, moderator: User) -> None:
    draw(canvas, VANDAL, 32, (0, 0, 0))
    act = rollback.apply(canvas, of(VANDAL), moderator)  # nothing dreamed: only hidden
    kept(canvas)
    assert (now(canvas) == 255).all()
    undo.undo(act, moderator)
    assert (now(canvas)[32, 30] == 0).all()  # its ink is in the base's past, and comes back through a restored picture
    assert Canvas.objects.select_related("frame").get(pk=canvas.pk).frame.kind == Frame.Kind.RESTORED


def test_a_second_act_does_not_bring_back_what_the_first_took_out(canvas: Canvas, moderator: User) -> None:
    draw(canvas, HONEST, 10, (0, 90, 0))
    good = kept(canvas)
    draw(canvas, VANDAL, 30, (0, 0, 0))
    kept(canvas)
    draw(canvas, OTHER, 50, (7, 7, 7))
    kept(canvas)
    rollback.apply(canvas, of(VANDAL, area=Area("all")), moderator)
    assert plans.source_before(canvas, Stroke.objects.get(author=OTHER).first_seq) == good  # not the one with the ink
    rollback.apply(canvas, of(OTHER, area=Area("all")), moderator)
    assert np.array_equal(now(canvas), frames.load(good.pk))


def test_a_rectangle_comes_back_from_a_chosen_frame(canvas: Canvas, moderator: User) -> None:
    draw(canvas, HONEST, 10, (0, 90, 0))
    good = kept(canvas)
    draw(canvas, VANDAL, 12, (0, 0, 0))
    newer = draw(canvas, HONEST, 40, (200, 0, 0), stroke=2)
    kept(canvas, Frame.Kind.DREAM)
    before = now(canvas)
    request = RollbackRequest(
        Selection(people=(VANDAL,), rect=Rect(0, 0, 32, 64)), good.pk, Area("rect", Rect(0, 0, 32, 64), feather=0)
    )
    rollback.apply(canvas, request, moderator)
    after = now(canvas)
    wanted = picture.compose(frames.load(good.pk), enumerate(newer, 1))
    assert np.array_equal(after[:, :32], wanted[:, :32]) and np.array_equal(after[:, 32:], before[:, 32:])


def test_a_running_dream_of_such_ink_is_dropped(canvas: Canvas, moderator: User) -> None:
    draw(canvas, HONEST, 10, (0, 90, 0))
    draw(canvas, VANDAL, 30, (0, 0, 0))
    Dream.objects.create(canvas=canvas, holder="one")
    dreaming = frames.compose(canvas, holder="one")
    rollback.apply(canvas, of(VANDAL), moderator)
    made = frames.encode(dreaming.pixels, Frame.Kind.DREAM)
    with pytest.raises(lease.InkChanged):
        frames.keep(frames.NewFrame(canvas, made, "dream", dreaming.seq), dreaming.claim)
    assert Frame.objects.count() == 0
    # One that began after it holds nothing of that ink, and may be kept; so may one of ink that nobody touched.
    again = frames.compose(canvas, holder="one")
    draw(canvas, VANDAL, 50, (0, 0, 0), stroke=9)
    rollback.apply(canvas, of(VANDAL), moderator)
    frames.keep(
        frames.NewFrame(canvas, frames.encode(again.pixels, "checkpoint"), "checkpoint", again.seq), again.claim
    )


def test_a_frame_that_comes_in_between_makes_the_act_plan_anew(
    canvas: Canvas, moderator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(canvas, HONEST, 10, (0, 90, 0))
    draw(canvas, VANDAL, 30, (0, 0, 0))
    plan, raced = plans.plan, []

    def slow(canvas: Canvas, request: RollbackRequest) -> plans.Plan:
        made = plan(canvas, request)
        if not raced:
            raced.append(kept(canvas))
        return made

    monkeypatch.setattr(plans, "plan", slow)
    rollback.apply(canvas, of(VANDAL, area=Area("all")), moderator)
    assert raced and (now(canvas)[30] == 255).all() and not (now(canvas)[10] == 255).all()


def test_what_is_undone_or_out_already_is_left_alone(canvas: Canvas, moderator: User) -> None:
    draw(canvas, VANDAL, 30, (0, 0, 0))
    journal.append(canvas, [wire.Undo(1, VANDAL)])
    with pytest.raises(InvalidRequest, match="nothing to change"):
        rollback.apply(canvas, of(VANDAL), moderator)
    draw(canvas, VANDAL, 40, (0, 0, 0), stroke=2)
    rollback.apply(canvas, of(VANDAL), moderator)
    with pytest.raises(InvalidRequest, match="nothing to change"):
        rollback.apply(canvas, of(VANDAL), moderator)


def test_many_pieces_are_hidden_in_messages_that_browsers_take(canvas: Canvas, moderator: User) -> None:
    cut = pieces(5, [(8 * (n % 60), 80, 16) for n in range(9000)], each=1)
    for at in range(0, len(cut), 1000):
        journal.append(canvas, [wire_client.by(piece, VANDAL) for piece in cut[at : at + 1000]])
    act = rollback.apply(canvas, of(VANDAL), moderator)
    first, last = act.what["ops"]
    assert (last - first, act.what["pieces"]) == (2, 8999)
    assert all(len(batch.payload) < 60 * 1024 for batch in canvas.batches.filter(first__gte=first))
    assert (now(canvas) == 255).all()
    strokes.index(canvas)
    assert Stroke.objects.get().hidden == 8999


# --- over HTTP -------------------------------------------------------------------------------------------------------


def post(client: Client, canvas: Canvas, what: str, **data: Any) -> Any:
    return client.post(f"/c/{canvas.slug}/moderation/{what}", json.dumps(data), content_type="application/json")


def test_the_endpoints_look_up_preview_apply_and_undo(canvas: Canvas, moderator: User, client: Client) -> None:
    vandal = User.objects.create(username="vandal")
    draw(canvas, vandal.pk, 30, (255, 0, 0))
    client.force_login(moderator)
    (found,) = client.get("/c/here/moderation/at?x=30&y=30").json()["strokes"]
    assert (found["name"], found["colour"], found["state"]) == ("vandal", "#ff0000", "visible")
    assert LookUp.objects.get(verb="look-up").seen["people"] == [vandal.pk]
    (person,) = client.get("/c/here/moderation/people?minutes=5").json()["people"]
    assert (person["name"], person["strokes"]) == ("vandal", 1)
    shown = post(client, canvas, "preview", people=[vandal.pk]).json()
    assert shown["strokes"] == 1 and shown["after"].startswith("data:image/png;base64,") and not shown["restores"]
    assert Act.objects.filter(verb="rollback").count() == 0
    done = post(client, canvas, "apply", people=[vandal.pk], why="rude").json()["act"]
    assert (now(canvas) == 255).all() and done["undoable"]
    vandal.delete()
    (gone,) = client.get("/c/here/moderation/at?x=30&y=30").json()["strokes"]
    assert (gone["name"], gone["state"]) == ("", "hidden")  # somebody who has left
    post(client, canvas, "undo", act=done["id"])
    assert not (now(canvas) == 255).all()
    titles = [act["title"] for act in client.get("/c/here/moderation/log").json()["acts"]]
    assert titles == ["Undid an action", "Removed strokes from the picture"]


@pytest.mark.parametrize(
    ("data", "status", "message"),
    [
        ({}, 409, "Choose people"),
        ({"people": ["x"]}, 409, "cannot be read"),
        ({"people": [1], "rect": [0, 0, 0, 5]}, 409, "rectangle"),
        ({"people": [1], "area": "sky"}, 409, "no area"),
        ({"people": [1]}, 200, ""),
        ({"frame": 12345}, 409, "earlier picture"),
    ],
)
def test_what_cannot_be_done_says_why(
    canvas: Canvas, moderator: User, client: Client, data: dict[str, Any], status: int, message: str
) -> None:
    client.force_login(moderator)
    answer = post(client, canvas, "preview", **data)
    assert answer.status_code == status and message in answer.json().get("detail", "")


def test_only_moderators_come_in(canvas: Canvas, moderator: User, client: Client) -> None:
    gets = ("at?x=1&y=1", "people", "ink?people=1", "pictures", "state", "log")
    posts = ("preview", "apply", "undo", "switch")
    for expected in (401, 403):
        assert {client.get(f"/c/here/moderation/{what}").status_code for what in gets} == {expected}
        assert {post(client, canvas, what).status_code for what in posts} == {expected}
        client.force_login(User.objects.get_or_create(username="ann", is_staff=True)[0])
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(moderator)
    assert {post(strict, canvas, what).status_code for what in posts} == {403}
