"""Videos in the studio, from outside: uploaded, tried on the first picture, dreamed, resumed, cancelled, shown."""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from PIL import Image

from dreamer.engine.pictures import read_recipe
from dreamer.film import music as mixing
from dreamer.film import sandbox
from dreamer.video.clean import Limits
from dreamsite.accounts import export
from dreamsite.core.models import User
from dreamsite.core.storage import StorageUnavailable
from dreamsite.core.tasks import STUDIO, heartbeats, worker
from dreamsite.core.tasks.jobs import State
from gallery.films import encode
from gallery.films.plan import Plan, Segment
from gallery.jobs.files import delete_pending, work_directory
from gallery.studio import jobs, periodic_tasks, pieces, queue, reading, video
from gallery.studio.models import Music, Original, Work
from tests.dreamer.test_music import tone
from tests.studio.sending import picked
from tests.studio.test_journeys import CREDIT
from tests.video import films

JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def short_segments(house: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.VAR_DIR = tmp_path / "var"
    monkeypatch.setattr(jobs, "SHEET", 1)
    monkeypatch.setattr(video, "SEGMENT", 4)


def sent(client: Client, data: bytes) -> Any:
    return client.post("/studio/video/", {"video": SimpleUploadedFile("x.mp4", data, "video/mp4")}, headers=JSON)


def read(client: Client, data: bytes) -> Work:
    """A video that was sent, and what the worker made of it."""
    response = sent(client, data)
    assert response.status_code == 201, response.content
    worker.empty(STUDIO)
    return Work.objects.get(key=response.json()["url"].split("/")[-2])


@pytest.fixture(scope="module")
def clip() -> bytes:
    return films.video(films.scene(10), sound=films.tone(1, click=0.25))


@pytest.fixture
def original(client: Client, clip: bytes) -> Original:
    """A video with its sheet tried."""
    work = read(client, clip)
    assert work.state == State.DONE, work.message
    assert client.get(work.get_absolute_url()).url == work.original.get_absolute_url()
    return work.original


def ordered(client: Client, original: Original, **more: Any) -> Work:
    response = picked(client, original, side=320, **more)
    assert response.status_code == 201, response.content
    return Work.objects.get(key=response.json()["key"])


def stored() -> set[Path]:
    """All files, once those are gone that go after the commit, which a test never comes to."""
    delete_pending()
    return {path for path in Path(default_storage.path("")).rglob("*") if path.is_file()}


def test_a_video_is_tried_on_its_first_picture_and_dreamed_whole(client: Client, original: Original) -> None:
    assert original.film["frames"] == 10 and original.film["sound"]
    page = client.get(original.get_absolute_url()).content.decode()
    assert "Dream the video" in page and original.video.url in page
    preview = picked(client, original, kind="preview", side=320).json()
    larger = picked(client, original, kind="preview", side=960).json()
    assert preview["dream"]["units"] > 0 and preview["dream"]["seconds"] > 0, "the cost is told before"
    assert larger["dream"]["units"] == preview["dream"]["units"], "it is 96 px wide, whatever is asked for"
    work = ordered(client, original)
    assert work.kind == Work.Kind.VIDEO and abs(work.units - preview["dream"]["units"]) < 0.1
    assert b"Waiting" in client.get(work.get_absolute_url()).content
    worker.empty(STUDIO)
    work.refresh_from_db()
    assert (work.state, work.message, work.width, work.height) == (State.DONE, "", 96, 64)
    path = Path(default_storage.path(work.mp4.name))
    source = films.decoded(Path(default_storage.path(original.video.name)))
    dreams = films.decoded(path)
    assert len(dreams) == 10
    changed = [np.abs(a.astype(int) - b).mean() for a, b in zip(dreams, source, strict=True)]
    assert min(changed) > 3
    loud = np.flatnonzero(np.abs(films.heard(path)) > 0.3)
    assert abs(loud[0] / 48_000 - 0.25) < 0.03, "the sound is where it was"
    assert read_recipe(Path(default_storage.path(work.picture.name)))["octaves"] == work.recipe["octaves"]
    shown = client.get(work.get_absolute_url()).content.decode()
    for part in (work.mp4.url, original.video.url, "Before", "--video video.mp4", f"--recipe {work.key}.jpg"):
        assert part in shown
    assert not work_directory(f"studio/{work.key}").exists(), "nothing is left behind"
    answer = client.get(work.mp4.url, headers={"Range": "bytes=0-99"})
    assert answer.status_code == 206 and answer["Content-Type"] == "video/mp4"


def test_a_killed_worker_loses_one_segment_and_the_film_is_the_same(
    client: Client, original: Original, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    before = stored()
    whole = ordered(client, original)
    worker.empty(STUDIO)
    whole.refresh_from_db()
    again = ordered(client, original)
    made: list[int] = []
    real = video.dreamed

    def killed(pictures: Any, *rest: Any, start: int, **more: Any) -> Iterator[Any]:
        for number, found in enumerate(real(pictures, *rest, start=start, **more), start):
            if len(made) == 6:
                raise KeyboardInterrupt  # a kill: nothing is tidied up, nothing is written
            made.append(number)
            yield found

    monkeypatch.setattr(video, "dreamed", killed)
    with pytest.raises(KeyboardInterrupt):
        jobs.run(queue.take(), queue.submit)
    assert Work.objects.filter(pk=again.pk, state=State.RUNNING).update(holder="dead")
    settings.VAR_DIR = (
        tmp_path / "another machine's"
    )  # which has the storage in common with the first, and nothing else
    monkeypatch.setattr(video, "dreamed", lambda *a, start, **k: (made.append(start), real(*a, start=start, **k))[1])
    with heartbeats.sending():
        periodic_tasks.take_up()
    worker.empty(STUDIO)
    again.refresh_from_db()
    assert again.state == State.DONE, again.message
    assert made[:6] == list(range(6)) and made[6:] == [4, 8], "it went on after the first segment"
    first, second = (films.decoded(Path(default_storage.path(w.mp4.name))) for w in (whole, again))
    apart = [float(np.abs(a.astype(int) - b).mean()) for a, b in zip(first, second, strict=True)]
    assert max(apart) < 2.5, "what the encoder may lose; the dreams are the same"
    results = {Path(default_storage.path(file.name)) for work in (whole, again) for file in work.files}
    assert stored() - before == results and again.pieces == {}, "and nothing else is left behind"


def test_what_fails_for_a_moment_is_tried_again_and_made_once(
    client: Client, original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The storage refuses each kind of file once, and the database is away when the result is written."""
    before, refused = stored(), set[str]()
    work = ordered(client, original)
    real, end = default_storage.save, jobs.finish

    def save(name: str, *rest: Any, **options: Any) -> str:
        suffix = Path(name).suffix
        if suffix not in refused:
            refused.add(suffix)
            raise StorageUnavailable("The storage failed: no space left on device")
        return real(name, *rest, **options)

    def finish(*rest: Any, **columns: Any) -> None:
        if "finish" not in refused:
            refused.add("finish")
            raise OperationalError("database is locked")
        end(*rest, **columns)

    monkeypatch.setattr(default_storage, "save", save)
    monkeypatch.setattr(jobs, "finish", finish)
    while (taken := queue.take()) is not None:
        try:
            jobs.run(taken, queue.submit)
        except (OSError, OperationalError):
            work.refresh_from_db()
            assert work.state == State.WAITING and work.message == "", "it waits for another turn"
    work.refresh_from_db()
    assert (work.state, work.message) == (State.DONE, "") and refused >= {".mp4", ".png", ".jpg", ".webp", "finish"}
    assert len(films.decoded(Path(default_storage.path(work.mp4.name)))) == 10
    assert stored() - before == {Path(default_storage.path(file.name)) for file in work.files}


def test_a_cancelled_video_leaves_nothing(client: Client, original: Original, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stored()
    work = ordered(client, original)
    real = video.dreamed

    def cancelled(*rest: Any, **more: Any) -> Iterator[Any]:
        for found in real(*rest, **more):
            client.post(f"/studio/dreams/{work.key}/cancel/")
            yield found

    monkeypatch.setattr(video, "dreamed", cancelled)
    monkeypatch.setattr("dreamsite.core.tasks.jobs.UPDATE_SECONDS", 0)
    worker.empty(STUDIO)
    work.refresh_from_db()
    assert work.state == State.CANCELLED and not work.mp4
    pieces.sweep()
    assert stored() == before and not work_directory(f"studio/{work.key}").exists()
    assert b"cancelled" in client.get(work.get_absolute_url()).content


def test_what_one_may_spend_is_said_before(client: Client, original: Original, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gallery.studio.cost.DAILY", ((0, 0.5),))
    answer = picked(client, original, side=320)
    assert answer.status_code == 429 and "units" in answer.json()["detail"]
    assert not Work.objects.filter(kind=Work.Kind.VIDEO).exists()


def test_private_until_shown_and_gone_when_deleted(
    client: Client, original: Original, django_capture_on_commit_callbacks: Any
) -> None:
    work = ordered(client, original)
    worker.empty(STUDIO)
    stranger = Client()
    page = stranger.get(work.get_absolute_url()).content.decode()
    assert original.video.url not in page, "the video itself is its maker's"
    assert stranger.get("/dreams/").content.decode().count(work.key) == 0
    client.post(f"/studio/dreams/{work.key}/show/", {"caption": "Pond", "licence": "", "show_before": "on"})
    Work.objects.filter(pk=work.pk).update(published_at=timezone.now())
    assert work.key in stranger.get("/dreams/").content.decode()
    assert original.video.url in stranger.get(work.get_absolute_url()).content.decode()
    Original.objects.filter(pk=original.pk).update(created_at=timezone.now() - timedelta(days=8))
    periodic_tasks.forget()
    assert Original.objects.exists(), "what is shown stays"
    client.post(f"/studio/dreams/{work.key}/show/", {"take_back": "1"})
    with django_capture_on_commit_callbacks(execute=True):
        periodic_tasks.forget()
    assert not Original.objects.exists() and not default_storage.exists(original.video.name)
    work.refresh_from_db()
    assert default_storage.exists(work.mp4.name), "the dream stays"
    assert "<video" in client.get(work.get_absolute_url()).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(f"/studio/dreams/{work.key}/delete/").status_code == 302
    assert not default_storage.exists(work.mp4.name)


def test_refusals_are_sentences_and_leave_nothing(
    client: Client, clip: bytes, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    before = stored()
    for data, words in (
        (b"hello" * 99, "no video we can read"),
        (clip[:300], "cannot be read"),
        (films.video(films.scene(2), times=[0, 12 * 36_000]), "10.0 hours long. Expected at most 30 s"),
    ):
        work = read(client, data)
        assert work.state == State.FAILED and words in work.message and work.original is None
        page = client.get(work.get_absolute_url()).content.decode()
        assert words in page and "This video cannot be taken" in page and "Choose another video" in page
        assert Client().get(work.get_absolute_url()).status_code == 404, "it is nobody else's"
    assert "No video came" in client.post("/studio/video/", {}, headers=JSON).json()["detail"]
    settings.UPLOAD_CHECK = "false"
    assert "not accepted" in read(client, clip).message
    monkeypatch.setattr(reading, "MAX_BYTES", 1000)
    assert "Expected at most 0 MB" in sent(client, clip).json()["detail"]
    assert stored() == before and not Original.objects.exists()


def test_the_request_opens_no_video_and_one_that_is_cancelled_leaves_nothing(
    client: Client, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored()
    monkeypatch.setattr("dreamer.film.sandbox.run", None)  # whatever would open it
    key = sent(client, clip).json()["url"].split("/")[-2]
    page = client.get(f"/studio/dreams/{key}/").content.decode()
    assert "Waiting" in page and "How much of the video is read" in page
    assert "Your video is being read" in client.get("/studio/").content.decode()
    work = Work.objects.get(key=key)
    assert default_storage.size(work.upload.name) == len(clip)
    assert client.get(f"/media/{work.upload.name}").status_code == 404, "no address leads to it"
    assert sent(client, clip).status_code == 201 and sent(client, clip).status_code == 429, "two at a time"
    for work in Work.objects.all():
        client.post(f"/studio/dreams/{work.key}/cancel/")
    periodic_tasks.forget()
    assert stored() == before


def test_videos_that_come_at_once_are_counted_before_they_are_stored(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, answers = default_storage.save, list[int]()

    def save(*rest: Any) -> str:
        assert queue.take() is None and not queue.lost(), "nobody reads what is not stored yet"
        answers.extend(sent(client, b"another").status_code for _ in range(5))
        return real(*rest)

    monkeypatch.setattr(default_storage, "save", save)
    assert sent(client, b"one").status_code == 201
    assert sorted(answers) == [201] + [429] * 9 and len(stored()) == reading_works() == 2


def reading_works() -> int:
    return Work.objects.filter(kind=Work.Kind.READ).exclude(upload="").count()


@pytest.mark.parametrize("failure", [StorageUnavailable("no room"), KeyboardInterrupt()])
def test_an_upload_that_breaks_off_leaves_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    real, before = default_storage.save, stored()

    def save(*rest: Any) -> str:
        real(*rest)
        raise failure

    monkeypatch.setattr(default_storage, "save", save)
    with pytest.raises(type(failure)):
        sent(client, b"one")
    assert stored() == before and not Work.objects.exists()


def test_an_upload_that_is_cancelled_or_killed_leaves_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch, ada: Any
) -> None:
    real, before = default_storage.save, stored()

    def save(*rest: Any) -> str:
        client.post(f"/studio/dreams/{Work.objects.get().key}/cancel/")
        return real(*rest)

    monkeypatch.setattr(default_storage, "save", save)
    sent(client, b"one")
    assert stored() == before and Work.objects.get().state == State.CANCELLED
    lost = reading.new(ada, "house", 3)  # its request was killed before it had stored anything
    lost.created_at = timezone.now() - timedelta(hours=2)
    lost.save()
    periodic_tasks.forget()
    assert not Work.objects.filter(pk=lost.pk).exists() and not Work.objects.filter(passing=True).exists()


def test_a_video_costs_units_before_it_is_stored(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stored()
    monkeypatch.setattr("gallery.studio.cost.DAILY", ((0, 0.1),))
    answer = sent(client, b"one")
    assert answer.status_code == 429 and "units" in answer.json()["detail"]
    assert stored() == before and not Work.objects.exists()


def test_what_passes_is_found_by_an_index(client: Client) -> None:
    plan = Work.objects.ended().filter(passing=True).explain()
    assert "studio_passing" in plan or connection.vendor != "sqlite", plan


def test_a_video_whose_reading_is_cancelled_ends_the_process_that_reads(
    client: Client, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, told = stored(), []
    monkeypatch.setattr("dreamsite.core.tasks.jobs.UPDATE_SECONDS", 0)
    monkeypatch.setattr("gallery.studio.watch.UPDATE_SECONDS", 0)
    real = sandbox._heard

    def heard(process: Any, *rest: Any) -> bytes:
        told.append(process)
        client.post(f"/studio/dreams/{Work.objects.get(kind=Work.Kind.READ).key}/cancel/")
        return real(process, *rest)

    monkeypatch.setattr(sandbox, "_heard", heard)
    assert read(client, clip).state == State.CANCELLED
    assert told[0].poll() is not None and stored() == before


def test_the_studio_tells_the_limits_before(client: Client) -> None:
    page = client.get("/studio/").content.decode()
    assert "up to 30 seconds, 128 MB and 4K" in page
    assert Limits() == reading.LIMITS


def test_a_poster_is_a_picture_of_the_film(client: Client, original: Original) -> None:
    with default_storage.open(original.picture.name) as file, Image.open(file) as image:
        assert image.size == (96, 64)
    with av.open(default_storage.path(original.video.name)) as container:
        assert not {"location", "creation_time", "com.apple.quicktime.location.ISO6709"} & set(container.metadata)


# --- what is heard ---------------------------------------------------------------------------------------------------


def musical(client: Client, original: Original, content: bytes, **fields: Any) -> Any:
    """Sends music for dreams of a video."""
    file = SimpleUploadedFile("night.wav", content, "audio/wav")
    return client.post(f"{original.get_absolute_url()}music/", {"music": file, **CREDIT, **fields}, headers=JSON)


@pytest.fixture
def beat(tmp_path: Path) -> bytes:
    """A second of silence, and one of a tone."""
    return tone(tmp_path / "beat.wav").read_bytes()


def film_of(work: Work) -> Path:
    work.refresh_from_db()
    assert work.state == State.DONE, work.message
    return Path(default_storage.path(work.mp4.name))


def page_of(client: Client, found: Any) -> str:
    return html.unescape(client.get(found.get_absolute_url()).content.decode())


def test_music_is_heard_instead_of_a_videos_sound_and_credited(client: Client, original: Original, beat: bytes) -> None:
    assert picked(client, original, side=320, sound="music").status_code == 400, "there is none yet"
    for missing in ({"title": ""}, {"author": " "}, {"licence": ""}, {"link": "javascript:alert(1)"}):
        assert musical(client, original, beat, **missing).status_code == 422, "all of the credit is required"
    assert musical(client, original, b"<html>").status_code == 201
    worker.empty(STUDIO)
    assert "no sound we can read" in page_of(client, original) and not Music.objects.exists()
    assert musical(client, original, beat).status_code == 201 and 'data-reading="' in page_of(client, original)
    reading_it = original.readings.get()
    assert client.get(reading_it.get_absolute_url())["Location"] == original.get_absolute_url()
    worker.empty(STUDIO)
    heard = Music.objects.get()
    assert heard.original == original and heard.owner == original.owner
    shown = page_of(client, original)
    assert "“Night” by Ada Lovelace, CC BY 4.0" in shown and CREDIT["link"] in shown and heard.file.url in shown
    plain = picked(client, original, kind="preview", side=320, sound="own").json()["dream"]["units"]
    asked = picked(client, original, kind="preview", side=320, sound="music").json()["dream"]["units"]
    work = ordered(client, original, sound="music")
    assert asked > plain and abs(work.units - asked) < 0.1, "its card costs something, which is told before"
    refused = [musical(client, original, beat), client.post(f"{original.get_absolute_url()}music/", {"remove": "1"})]
    assert refused[0].status_code == 409 and refused[1].status_code == 302 and Music.objects.exists(), "it is needed"
    worker.empty(STUDIO)
    path = film_of(work)
    pictures, sound = films.decoded(path), films.heard(path)
    assert len(pictures) == 10 + 4 * 12 and len(sound) / 48_000 == pytest.approx(len(pictures) / 12, abs=0.06)
    assert np.abs(sound[:43_000]).max() < 0.01 < 0.1 < np.abs(sound[53_000:90_000]).max(), "not the video's own"
    card = pictures[-1].astype(int)
    assert np.median(card) < 30 and (card.max(axis=2) > 60).sum() > 20, "text on a dark ground"
    page = page_of(Client(), work)
    assert "“Night” by Ada Lovelace, CC BY 4.0" in page and f'href="{CREDIT["link"]}"' in page
    assert "--music music.mp3 --credit 'Night; Ada Lovelace; CC BY 4.0; https://example.org/night'" in page
    again = client.get(f"{original.get_absolute_url()}?again={work.key}").content.decode()
    assert 'value="music" id="id_sound_1" checked' in again, "dreamed again it is heard again"


def test_a_video_may_be_silent_and_follow_the_music(
    client: Client, original: Original, beat: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    musical(client, original, beat)
    worker.empty(STUDIO)
    whole, led = ordered(client, original, sound="none"), ordered(client, original, sound="music", follow="on")
    assert not ordered(client, original, sound="own", follow="on").follow, "its own sound leads nothing"
    loud: list[float] = []
    real = mixing.mixed
    monkeypatch.setattr(mixing, "mixed", lambda plain, dream, at: (loud.append(at), real(plain, dream, at))[1])
    worker.empty(STUDIO)
    with av.open(str(film_of(whole))) as container:
        assert not container.streams.audio
    strong, weak = (films.decoded(film_of(work))[:10] for work in (whole, led))
    apart = [np.abs(one.astype(int) - other).mean() for one, other in zip(strong, weak, strict=True)]
    assert len(loud) >= 10 and np.median(loud) < 0.1 and min(apart[3:]) > 2, "a second of silence: the dream is weak"
    assert film_of(led) and led.credit and not whole.credit


def test_a_killed_workers_film_with_music_goes_on_with_it(
    client: Client, original: Original, beat: bytes, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    """The pictures are all dreamed, and the worker is killed as it joins them with their music."""
    musical(client, original, beat)
    worker.empty(STUDIO)
    delete_pending()
    before = stored()
    work = ordered(client, original, sound="music")
    real = video.encode.join

    def killed(*_rest: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(video.encode, "join", killed)
    with pytest.raises(KeyboardInterrupt):
        jobs.run(queue.take(), queue.submit)
    assert Work.objects.filter(pk=work.pk, state=State.RUNNING).update(holder="dead")
    settings.VAR_DIR = tmp_path / "another machine's"
    monkeypatch.setattr(video.encode, "join", real)
    monkeypatch.setattr(video, "dreamed", None)  # nothing is dreamed twice
    with heartbeats.sending():
        periodic_tasks.take_up()
    worker.empty(STUDIO)
    assert len(films.decoded(film_of(work))) == 10 + 4 * 12
    assert stored() - before == {Path(default_storage.path(file.name)) for file in work.files}


def test_the_music_goes_with_its_video_and_when_it_is_taken_away(
    client: Client, original: Original, beat: bytes, ada: Any, django_capture_on_commit_callbacks: Any
) -> None:
    def brought() -> str:
        musical(client, original, beat)
        worker.empty(STUDIO)
        return str(Music.objects.get().file.name)

    name = brought()
    told = [row for part in export.PARTS if part.file == "music.jsonl" for row in part.rows(ada)]
    assert [row["title"] for row in told] == ["Night"]
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(f"{original.get_absolute_url()}music/", {"remove": "1"}).status_code == 302
    assert not Music.objects.exists() and not default_storage.exists(name)
    name = brought()
    waiting = ordered(client, original, sound="music")
    Music.objects.get().delete()  # by hand, say
    worker.empty(STUDIO)
    waiting.refresh_from_db()
    assert waiting.state == State.FAILED and "no longer here" in waiting.message
    name = brought()
    Original.objects.update(created_at=timezone.now() - timedelta(days=8))
    with django_capture_on_commit_callbacks(execute=True):
        periodic_tasks.forget()
    assert not Music.objects.exists() and not default_storage.exists(name), "after a week, as the video"


def test_only_a_video_takes_music_and_only_its_owners(client: Client, original: Original, beat: bytes) -> None:
    stranger = Client()
    stranger.force_login(User.objects.create_user("eve", password="hunter2 hunter2"))
    assert musical(stranger, original, beat).status_code == 404
    Original.objects.update(video="", film=None)
    assert musical(client, original, beat).status_code == 404


@pytest.mark.parametrize("lengths", [(4, 2, 4), (3, 1, 1, 5), (2, 48)])
def test_pieces_of_one_or_two_pictures_are_joined_with_others(tmp_path: Path, lengths: tuple[int, ...]) -> None:
    """A shot may be as short; what is encoded of it has no delay of its own."""
    directory = encode.WorkDirectory(tmp_path / "w", "x")
    [output] = encode.outputs(av1=False, lossless=False, threads=1)
    starts = [sum(lengths[:number]) for number in range(len(lengths))]
    segments = [Segment(n, n, n + 1, at, length) for n, (at, length) in enumerate(zip(starts, lengths, strict=True))]
    scene = films.scene(sum(lengths))
    for part in segments:
        pictures = (Image.fromarray(picture) for picture in scene[part.start : part.start + part.length])
        encode.segment(directory, part, pictures, [output], 12)
    encode.join(tmp_path / "joined.mp4", directory, Plan([], segments, 12), output)
    made = films.decoded(tmp_path / "joined.mp4")
    assert max(np.abs(one.astype(int) - other).mean() for one, other in zip(made, scene, strict=True)) < 8
