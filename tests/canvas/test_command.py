"""`manage.py canvas`: what canvases start from, for a person at the command line."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from canvas import frames, journal, wire
from canvas.models import Canvas, Frame

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("canvas", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def three(canvas: Canvas) -> list[Frame]:
    made = []
    for number in range(3):
        journal.append(canvas, [wire.Stroke(number + 1, 0, (0, 0, 0), 255, 0, ((8, 8, 96),), True, 1)])
        picture = frames.encode(np.full((64, 64, 3), 40 * number, np.uint8), Frame.Kind.DREAM)
        made.append(frames.keep(frames.NewFrame(canvas, picture, Frame.Kind.DREAM, number + 1)))
    return made


def base_of(canvas: Canvas) -> Frame | None:
    return Canvas.objects.get(pk=canvas.pk).frame


def test_all_canvases_and_what_they_start_from(three: list[Frame]) -> None:
    Canvas.objects.create(slug="empty", title="Empty")
    assert run().splitlines() == [
        "here starts from frame 3, in the storage; 0 operations after it",
        "empty starts from its background; 0 operations after it",
    ]


def test_the_frames_of_one_and_how_the_storage_holds_them(three: list[Frame]) -> None:
    Path(three[2].picture.path).unlink()
    path = Path(three[1].picture.path)
    path.write_bytes(path.read_bytes()[:100])
    first, *lines = run("here").splitlines()
    assert first == "here starts from frame 3, MISSING from the storage; 0 operations after it"
    assert [line.split()[0] for line in lines if line] == ["*", "2", "1"]
    assert "MISSING" in lines[1] and "DAMAGED" in lines[2] and "100 bytes" in lines[2] and "in the storage" in lines[3]


def test_setting_a_base(three: list[Frame], canvas: Canvas) -> None:
    output = run("here", "--base", "2")
    assert base_of(canvas) == three[1]
    assert "here starts from frame 2, in the storage; 1 operations after it" in output
    assert "its background; 3 operations" in run("here", "--base", "none")
    assert base_of(canvas) is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "No canvas is called nowhere; there are here."),
        (["--base", "2"], "Which canvas?"),
        (["here", "--base", "17"], "here has no frame 17"),
        (["here", "--base", "last"], "expected a number of the list, or none"),
        (["here", "--base", "1"], "missing"),
    ],
)
def test_what_cannot_be_is_said(three: list[Frame], canvas: Canvas, arguments: list[str], words: str) -> None:
    Path(three[0].picture.path).unlink()
    with pytest.raises(CommandError) as error:
        run(*arguments)
    assert words in str(error.value)
    assert base_of(canvas) == three[2]
