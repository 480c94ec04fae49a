"""What staff finds in the administration, and what not even they can do there."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from canvas.models import Canvas, Dream, Frame
from gallery.admin import ChangedFieldsAdmin

pytestmark = pytest.mark.django_db
Many = Callable[..., list[Frame]]

# How far a canvas' dreams grow out of its ink: in every form of it.
GROWTH = {name: Canvas._meta.get_field(name).get_default() for name in ("front", "growth", "hold")}


@pytest.fixture
def path(settings: Any) -> str:
    return f"/{settings.ADMIN_PATH}/canvas"


def test_frames_are_listed(as_staff: Client, path: str, many: Many, django_assert_max_num_queries: Any) -> None:
    many(60)
    with django_assert_max_num_queries(16):
        page = as_staff.get(f"{path}/frame/").content.decode()
    assert "frames/60-thumb.jpg" in page and "layer 60" in page
    assert "style=" not in page, "the policy forbids it"


def test_frames_are_hidden_and_shown_again(as_staff: Client, path: str, many: Many) -> None:
    frames = many(3)
    for action, hidden in (("hide", True), ("show_again", False)):
        data = {"action": action, "_selected_action": [frames[0].pk, frames[2].pk]}
        page = as_staff.post(f"{path}/frame/", data, follow=True).content.decode()
        assert "2 frames" in page
        assert [frame.hidden_at is not None for frame in Frame.objects.order_by("number")] == [hidden, False, hidden]


def test_frames_are_neither_made_nor_deleted_by_hand(as_staff: Client, path: str, kept: Frame) -> None:
    assert as_staff.get(f"{path}/frame/add/").status_code == 403
    assert as_staff.post(f"{path}/frame/{kept.pk}/delete/", {"post": "yes"}).status_code == 403
    page = as_staff.get(f"{path}/frame/{kept.pk}/change/").content.decode()
    assert 'name="hidden_at_0"' not in page and 'name="number"' not in page and 'name="picture"' not in page


def test_a_living_canvas_keeps_its_size(as_staff: Client, path: str, canvas: Canvas) -> None:
    as_staff.post(
        f"{path}/canvas/{canvas.pk}/change/", GROWTH | {"title": "New name", "slug": "other", "width": 10, "height": 10}
    )
    canvas.refresh_from_db()
    assert (canvas.title, canvas.slug, canvas.width) == ("New name", "main", 1536)


@pytest.fixture
def tick(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has others write to a row between the form's loading of it and its saving."""

    def meanwhile(model: Any, **columns: Any) -> None:
        save = ChangedFieldsAdmin.save_model

        def later(self: Any, request: Any, obj: Any, form: Any, change: bool) -> None:
            model.objects.filter(pk=obj.pk).update(**columns)
            save(self, request, obj, form, change)

        monkeypatch.setattr(ChangedFieldsAdmin, "save_model", later)

    return meanwhile


@pytest.mark.parametrize("title", ["New name", "Dreamsite"])
def test_a_tick_while_a_title_is_saved_is_kept(
    as_staff: Client, path: str, canvas: Canvas, kept: Frame, tick: Callable[..., None], title: str
) -> None:
    Canvas.objects.update(frame=None)
    tick(Canvas, head=77, frame=kept)
    assert as_staff.post(f"{path}/canvas/{canvas.pk}/change/", GROWTH | {"title": title}).status_code == 302
    canvas.refresh_from_db()
    assert (canvas.title, canvas.head, canvas.frame) == (title, 77, kept)


def test_a_dream_is_paused_and_nothing_else_of_it_is_written(
    as_staff: Client, path: str, canvas: Canvas, tick: Callable[..., None]
) -> None:
    Dream.objects.create(canvas=canvas, holder="first", style={"title": "mixed4c 63"}, device="cpu", missed=3)
    page = as_staff.get(f"{path}/dream/").content.decode()
    assert "mixed4c 63" in page and "waiting" in page
    tick(Dream, holder="second", state="dreaming", style_wanted=True)
    form = as_staff.get(f"{path}/dream/{canvas.pk}/change/").content.decode()
    assert 'name="paused"' in form and 'name="style_wanted"' in form and 'name="state"' not in form
    data = {"paused": "on", "holder": "me", "state": "failed"}
    assert as_staff.post(f"{path}/dream/{canvas.pk}/change/", data).status_code == 302
    dream = Dream.objects.get()
    assert (dream.paused, dream.holder, dream.state, dream.style_wanted) == (True, "second", "dreaming", True)
    assert as_staff.get(f"{path}/dream/add/").status_code == 403
    assert as_staff.post(f"{path}/dream/{canvas.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_canvas_can_be_added(as_staff: Client, path: str) -> None:
    data = GROWTH | {"title": "The night", "slug": "night", "width": 512, "height": 256, "background": "#000000"}
    assert as_staff.post(f"{path}/canvas/add/", data).status_code == 302
    assert Canvas.objects.get(slug="night").background_rgb == (0, 0, 0)


def test_seed_history(client: Client) -> None:
    arguments = ("--frames", "45", "--pictures", "2", "--side", "64")
    call_command("seed_history", *arguments, stdout=StringIO())
    frames = list(Frame.objects.order_by("number"))
    assert [frame.number for frame in frames] == list(range(1, 46))
    assert {frame.kind for frame in frames} == {"dream", "checkpoint"}
    assert (Canvas.objects.get().frame, Canvas.objects.get().head) == (frames[-1], frames[-1].seq)
    for frame in (frames[0], frames[-1]):
        assert client.get(f"/frames/{frame.pk}/").status_code == 200
        assert client.get(f"/frames/{frame.pk}/picture", follow=True)["Content-Type"] == "image/jpeg"
    with pytest.raises(CommandError, match="--canvas"):
        call_command("seed_history", *arguments)
    call_command("seed_history", *arguments, "--canvas", "night", stdout=StringIO())
    again = list(Frame.objects.filter(canvas__slug="night").order_by("number"))
    assert [frame.sha256 for frame in again] == [frame.sha256 for frame in frames], "the same seed, the same pictures"
    assert [frame.recipe for frame in again] == [frame.recipe for frame in frames]


def test_seed_history_leaves_a_canvas_that_somebody_draws_on_meanwhile(
    canvas: Canvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Canvas.full_clean

    def drawn_on(self: Canvas) -> None:
        check(self)
        Canvas.objects.update(head=5)

    monkeypatch.setattr(Canvas, "full_clean", drawn_on)
    with pytest.raises(CommandError, match="meanwhile"):
        call_command("seed_history", "--frames", "1", "--pictures", "1", "--side", "64")
    canvas.refresh_from_db()
    assert (canvas.head, canvas.width) == (5, 1536)
