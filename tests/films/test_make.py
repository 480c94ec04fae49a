"""A film from its row to its files, decoded again."""

from __future__ import annotations

import hashlib
import io
import itertools
import struct
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from canvas import frames as kept_frames
from canvas import journal, wire
from canvas.models import Canvas, Frame
from dreamer.film import audio
from dreamsite.core import tasks
from dreamsite.core.models import User
from dreamsite.core.tasks import heartbeats
from dreamsite.core.tasks.jobs import State
from dreamsite.core.tasks.models import WorkerHeartbeat
from gallery.films import encode, make, plan, source
from gallery.films.models import Film, Track
from gallery.films.requests import request_film
from tests.films.conftest import BEGUN, SIDE, grey, levels, pictures

Kept = Callable[..., list[Frame]]
pytestmark = pytest.mark.django_db


def film(canvas: Canvas, kind: str = "part", **more: Any) -> Film:
    return request_film(canvas, kind, BEGUN - timedelta(minutes=1), BEGUN + timedelta(days=1), **more)


def made(row: Film) -> Film:
    make.make(row.pk)
    row.refresh_from_db()
    return row


def file_of(row: Film, codec: str = "h264") -> Path:
    return Path(default_storage.path(row.files.get(codec=codec).file.name))


def boxes(path: Path) -> list[str]:
    """The kinds of an MP4's outermost boxes, in their order."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        found.append(kind.decode())
        at += size
    return found


def test_every_frame_is_in_the_film_once_in_its_order(canvas: Canvas, kept: Kept, settings: Any) -> None:
    settings.FILM_AV1 = True
    kept(36)
    row = made(film(canvas, drawing=False, lossless=True))
    assert (row.state, row.frames, row.first_number, row.last_number) == (State.DONE, 36, 1, 36)
    film_plan = source.plan_of(row)
    assert len(film_plan.segments) > 1, "more than one segment, or joining is not tested"
    for codec in ("av1", "h264", "lossless"):
        path = file_of(row, codec)
        shown = levels(path)
        assert len(shown) == film_plan.length == round(row.seconds * row.fps)
        for part in film_plan.parts[1:-1]:
            rest = shown[part.start + part.draw + part.fade - 1 : part.start + part.length]
            assert all(abs(level - grey(part.still.number)) < 3 for level in rest), (codec, part)
        with av.open(str(path)) as opened:
            stream = opened.streams.video[0]
            assert (stream.codec_context.pix_fmt, stream.width, stream.height) == ("yuv420p", SIDE, SIDE)
            assert stream.codec_context.name in ({"libdav1d", "av1"} if codec == "av1" else {"h264"})
            assert opened.duration == round(row.seconds * 1e6)
            assert [entry["metadata"]["title"] for entry in opened.chapters()] == [
                "style 0",
                "style 1",
                "style 2",
                "style 3",
            ]
            packets = [packet for packet in opened.demux(stream) if packet.dts is not None]
            assert all(later.dts > earlier.dts for earlier, later in itertools.pairwise(packets))
            gaps = [packet.pts for packet in packets if packet.is_keyframe]
            assert max(later - earlier for earlier, later in itertools.pairwise(gaps)) <= (
                encode.KEY_FRAMES / row.fps / stream.time_base
            )
        order = boxes(path)
        assert order.index("moov") < order.index("mdat"), "faststart: a player begins before it has the whole file"
        stored = row.files.get(codec=codec)
        assert stored.size == path.stat().st_size
        assert stored.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert stored.codecs.startswith("av01.0." if codec == "av1" else "avc1.64")
    assert file_of(row, "lossless").stat().st_size > file_of(row).stat().st_size
    assert not list((Path(settings.VAR_DIR) / "work" / "films").iterdir()), "nothing is left in the work"


def test_the_fade_rises_gently_from_frame_to_frame(canvas: Canvas, kept: Kept) -> None:
    kept(2)
    row = made(film(canvas, "hours", drawing=False))
    part = source.plan_of(row).parts[2]
    shown = levels(file_of(row))[part.start - 1 : part.start + part.fade]
    assert part.fade == plan.PACES["hours"].fade and abs(shown[0] - grey(1)) < 2 and abs(shown[-1] - grey(2)) < 2
    assert all(later >= earlier - 0.7 for earlier, later in itertools.pairwise(shown))
    steps = np.diff(shown)
    assert steps[len(steps) // 2] > steps[0], "slow at the ends, faster between"


def test_cards_stand_at_both_ends(canvas: Canvas, kept: Kept) -> None:
    ann = User.objects.create_user("ann")
    kept(3, people=(ann.pk,))
    row = made(film(canvas, title="A quiet hour"))
    shown = list(pictures(file_of(row)))
    night = np.array([13, 12, 17])
    for card in (shown[plan.TITLE // 2], shown[-1]):
        assert abs(np.median(card.reshape(-1, 3), axis=0) - night).max() < 4
        assert card.max() > 120, "there are words on it"
    with av.open(str(file_of(row))) as opened:
        assert opened.metadata["title"] == "A quiet hour" and "CC BY-SA" in opened.metadata["copyright"]


def test_strokes_appear_one_after_another(canvas: Canvas, kept: Kept) -> None:
    """What was drawn between two frames is painted over the first, piece by piece; what was hidden since is not."""
    first = kept(1)[0]
    lines = [
        wire.Stroke(
            1 + line, 0, (255, 255, 255), 255, 0, ((0, 8 * 8 * line, 64), (8 * SIDE, 8 * 8 * line, 64)), True, 1
        )
        for line in range(1, 7)
    ]
    journal.append(canvas, lines)
    journal.append(canvas, [wire.Undo(2, author=1)])
    canvas.refresh_from_db()
    kept(1, begun=BEGUN + timedelta(minutes=5))
    journal.append(canvas, [wire.Hide((6,))])
    row = made(film(canvas, "hours", drawing=True))
    part = source.plan_of(row).parts[2]
    assert part.draw == plan.PACES["hours"].draw
    shown = list(pictures(file_of(row)))[part.start : part.start + part.draw]
    bright = [[float(picture[8 * line].mean()) > 150 for line in range(1, 7)] for picture in shown]
    count = [sum(lines) for lines in bright]
    assert count == sorted(count) and len(set(count)) >= 3, "little by little"
    assert bright[-1] == [False, True, True, True, True, False], "the first was undone, the last hidden"
    assert first.number == 1


def test_a_lost_file_leaves_the_frame_before_on_the_screen(canvas: Canvas, kept: Kept) -> None:
    made_frames = kept(5)
    default_storage.delete(made_frames[2].picture.name)
    kept_frames.load.cache_clear()
    row = made(film(canvas, drawing=False))
    part = source.plan_of(row).parts[3]
    shown = levels(file_of(row))[part.start + part.fade]
    assert row.state == State.DONE and abs(shown - grey(2)) < 3


def test_work_goes_on_after_the_last_finished_segment(
    canvas: Canvas, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off in the second segment, as by a failing disk; then only what was not finished is encoded."""
    kept(60)
    row = film(canvas, drawing=False)
    real, encoded = encode.segment, []

    def break_off(work: Any, part: Any, *rest: Any, **more: Any) -> None:
        if part.index == 1 and not encoded.count(1):
            encoded.append(1)
            (work.folder / "00001-h264.part").write_bytes(b"half")
            raise OSError("no space left")
        encoded.append(part.index)
        real(work, part, *rest, **more)

    monkeypatch.setattr(encode, "segment", break_off)
    with pytest.raises(OSError, match="no space"):
        make.make(row.pk)
    row.refresh_from_db()
    assert (row.state, row.message) == (State.FAILED, "no space left")
    assert made(row).state == State.DONE
    count = len(source.plan_of(row).segments)
    assert encoded == [0, 1, *range(1, count)] and count >= 3
    assert len(levels(file_of(row))) == source.plan_of(row).length


def test_a_worker_that_is_told_to_end_stops_within_a_segment(canvas: Canvas, kept: Kept) -> None:
    kept(30)
    row = film(canvas)
    tasks.stopping.set()
    try:
        with pytest.raises(tasks.Interrupted):
            make.make(row.pk)
    finally:
        tasks.stopping.clear()
    row.refresh_from_db()
    assert (row.state, row.holder) == (State.WAITING, "")
    assert made(row).state == State.DONE


def test_two_workers_never_make_the_same_film(canvas: Canvas, kept: Kept) -> None:
    kept(3)
    row = film(canvas)
    with heartbeats.sending():
        Film.objects.filter(pk=row.pk).update(state=State.RUNNING, holder="another")
        WorkerHeartbeat.objects.create(worker="another", at=WorkerHeartbeat.objects.get(worker=tasks.WORKER).at)
        assert made(row).state == State.RUNNING, "its worker lives"
        WorkerHeartbeat.objects.filter(worker="another").delete()
        assert made(row).state == State.DONE, "its worker is gone"
    before = row.made_at
    assert made(row).made_at == before, "made once, however often its task is run"


def test_a_cancelled_film_is_dropped_while_it_is_made(
    canvas: Canvas, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(30)
    row = film(canvas)
    real = encode.segment

    def cancel(*rest: Any, **more: Any) -> None:
        assert Film.objects.filter(pk=row.pk).cancel()
        real(*rest, **more)

    monkeypatch.setattr(encode, "segment", cancel)
    assert made(row).state == State.CANCELLED and not row.files.exists()
    assert made(row).state == State.CANCELLED, "and stays so"


def test_a_hidden_frame_takes_its_films_back_at_once(
    canvas: Canvas, kept: Kept, django_capture_on_commit_callbacks: Any
) -> None:
    shown = kept(12)
    row, other = made(film(canvas)), made(film(canvas, "hours"))
    old = file_of(row)
    with django_capture_on_commit_callbacks(execute=True):
        assert kept_frames.hide(shown[5])
    row.refresh_from_db()
    assert row.state == State.WAITING and not row.files.exists() and not row.poster
    assert not old.exists(), "nobody who kept the address sees it any longer"
    other.refresh_from_db()
    assert other.state == State.WAITING
    assert made(row).frames == 11
    part = source.plan_of(row).parts[6]
    assert part.still is not None and part.still.number == 7
    assert all(abs(level - grey(6)) > 2 for level in levels(file_of(row))[part.start + part.fade - 1 : part.start + 1])
    kept_frames.unhide(Frame.objects.get(pk=shown[5].pk))
    row.refresh_from_db()
    assert made(row).frames == 12
    for frame in shown:
        kept_frames.hide(frame)
    row.refresh_from_db()
    assert made(row).state == State.EMPTY


def sound(path: Path, seconds: float) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=44_100, layout="stereo")
        t = np.arange(round(44_100 * seconds)) / 44_100
        wave = (np.sin(2 * np.pi * 440 * t) * 16_000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None], format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 44_100, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def loudness(path: Path) -> np.ndarray:
    """The loudest sample of each tenth of a second."""
    with av.open(str(path)) as opened:
        rate = opened.streams.audio[0].rate
        samples = np.concatenate([frame.to_ndarray()[0] for frame in opened.decode(audio=0)])
    count = len(samples) // (rate // 10)
    return np.abs(samples[: count * (rate // 10)].reshape(count, -1)).max(axis=1)


@pytest.mark.parametrize("seconds", [3.0, 60.0], ids=["repeated", "cut"])
def test_music_lies_under_the_film_with_its_credit(canvas: Canvas, kept: Kept, tmp_path: Path, seconds: float) -> None:
    sound(tmp_path / "a.wav", seconds)
    track = Track.objects.create(
        title="Slow water",
        author="Ann Example",
        licence="CC BY 4.0",
        link="https://music.example/1",
        seconds=audio.length(tmp_path / "a.wav"),
        file=default_storage.save("tracks/a.wav", ContentFile((tmp_path / "a.wav").read_bytes())),
    )
    assert track.seconds == pytest.approx(seconds, abs=0.1)
    kept(6)
    row = made(film(canvas, track=track))
    assert row.credit == "“Slow water” by Ann Example, CC BY 4.0" and row.credit_link == "https://music.example/1"
    path = file_of(row)
    with av.open(str(path)) as opened:
        assert opened.streams.audio[0].codec_context.name == "aac"
        assert opened.duration / 1e6 == pytest.approx(row.seconds, abs=0.1), "as long as the film, not as the track"
        assert "Slow water" in opened.metadata["comment"] and "music.example" in opened.metadata["comment"]
    assert row.files.get().codecs.endswith("mp4a.40.2")
    loud = loudness(path)
    assert loud[0] < 0.15 and loud[-1] < 0.1 < 0.3 < loud[8:-45].max(), "it comes and goes gently"
    assert len(loud) / 10 == pytest.approx(row.seconds, abs=0.2)
    if seconds == 3.0:
        assert loud[29:31].min() < 0.2 < 0.4 < loud[42], "the seam is faded, and it begins again"


def test_what_is_no_music_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"no music at all" * 100)
    with pytest.raises(ValueError, match="received no readable sound file"):
        audio.length(tmp_path / "a.mp3")


def test_previews_show_what_the_film_shows(canvas: Canvas, kept: Kept) -> None:
    kept(36)
    row = made(film(canvas, drawing=False))
    with default_storage.open(row.sprite.name) as file:
        sheet = np.asarray(Image.open(io.BytesIO(file.read())).convert("L"))
    film_plan, tiles = source.plan_of(row), row.tiles
    for index in range(tiles["count"]):
        x, y = index % tiles["columns"] * tiles["width"], index // tiles["columns"] * tiles["height"]
        tile = sheet[y + 8 : y + tiles["height"] - 8, x + 8 : x + tiles["width"] - 8]
        assert abs(float(tile.mean()) - grey(film_plan.at((index + 0.5) * tiles["every"]).number)) < 4
