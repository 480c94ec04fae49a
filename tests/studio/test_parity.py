"""What the studio can do the command can, and the other way round: both lists are walked, and gaps have reasons."""

from __future__ import annotations

import html
import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from PIL import Image

from dreamer.film.music import Credit
from dreamer.management.commands.dream import Command
from dreamsite.core.models import User
from dreamsite.core.tasks import STUDIO, worker
from gallery.studio import jobs
from gallery.studio import urls as studio_urls
from gallery.studio.forms import DreamForm, FilmForm, JourneyForm, MusicForm, SoundForm
from gallery.studio.models import Original, Work, new_key
from gallery.studio.recipe_form import LEFT_OUT, RecipeForm
from tests.dreamer.test_music import tone
from tests.studio.sending import painted, picked, uploaded
from tests.studio.test_journeys import CREDIT
from tests.studio.test_video import read as video_read
from tests.video import films

# A field of the studio's form, or an address of it, and the command's options for the same.
SAME = {
    "network": "--model",
    "layer": "--layer",
    "channel": "--channel",
    "label": "--class",
    "guide": "--guide",
    "mask": "--mask",
    "depth": "--iterations",
    "size": "--octaves",
    "keep_colours": "--keep-colours",
    "seed": "--seed",
    "side": "--side",
    "position": "--position",
    "squared": "--squared",
    "guide_mode": "--guide-mode",
    "again": "--recipe",
    "studio_noise": "--noise",
    "studio_original": "--sheet",
    "studio_compare": "--compare",
    "journey-kind": "--journey",
    "journey-things": "--class",
    "journey-each": "--key-frames",
    "journey-side": "--frame-side",
    "fps": "--fps",
    "seconds": "--seconds",
    "loop": "--loop",
    "follow": "--follow",
    "sound": "--sound",
    "music": "--music",
    "credit": "--credit",
    "studio_journey_go": "--path",
    "studio_print": "--finest",
    "gif": "--gif",
    "mp4": "--film",
    "studio_video": "--video",
    "studio_video_music": "--music",
    "studio_journey_music": "--music",
}
# What only one of them has, and why.
ONLY_WEB = {
    "journey-led": "the command is led by the network wherever there is no --path",
    "title": "a name for people; the command's file has the name that it is given",
}
ONLY_COMMAND = {
    "--preset": "the web chooses it: a photograph's, or noise's for a class that grows from static",
    "--tile": "bounds the memory of the machine, which is the operator's",
    "--zoom": "on the web each kind of journey has its own",
    "--dreams": "a zoom without key frames; the web has journeys, which are smoother",
    "--turn": "belongs to --dreams",
    "--between": "belongs to --dreams",
    "--device": "the operator's, by DREAM_DEVICE",
    "--threads": "the operator's, by DREAM_THREADS",
}
# The whole recipe is a form on the web, made of the same declaration as the command's options.
RECIPE = {f"--{name.replace('_', '-')}" for name in RecipeForm().fields}
DJANGO = {
    "--help",
    "--version",
    "--verbosity",
    "--settings",
    "--pythonpath",
    "--traceback",
    "--no-color",
    "--force-color",
}
DJANGO |= {"--skip-checks"}


def options() -> set[str]:
    parser = Command().create_parser("manage.py", "dream")
    names = {name for action in parser._actions for name in action.option_strings if name.startswith("--")}
    return {name for name in names if not name.startswith("--no-")} - DJANGO


def test_every_field_of_the_web_is_an_option_of_the_command() -> None:
    journey = {f"journey-{name}" for name in JourneyForm.base_fields}
    on_the_web = {*DreamForm.base_fields, *FilmForm.base_fields, *SoundForm.base_fields, *journey}
    assert on_the_web == {name for name in SAME if name in on_the_web} | set(ONLY_WEB)
    assert set(SAME.values()) <= options()
    addresses = {pattern.name for pattern in studio_urls.urlpatterns}
    assert {name for name in SAME if name.startswith("studio_")} <= addresses
    assert set(MusicForm.base_fields) - {"music"} == {field.name for field in fields(Credit)}, "what --credit parses"
    assert all(SAME.values()) and all(ONLY_WEB.values())


def test_every_option_of_the_command_is_on_the_web_or_has_a_reason() -> None:
    told = set(SAME.values()) | set(ONLY_COMMAND) | RECIPE
    assert options() - told == set(), "new options: where are they on the web, or why not?"
    assert set(ONLY_COMMAND) - options() == set(), "options that are gone"
    assert not set(ONLY_COMMAND) & (set(SAME.values()) | RECIPE)
    for name in LEFT_OUT:
        option = f"--{name.replace('_', '-')}"
        assert option in ONLY_COMMAND or option in SAME.values(), f"{option} is nowhere on the web"


@pytest.fixture
def client(house: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(jobs, "SHEET", 1)
    monkeypatch.chdir(tmp_path)
    client = Client()
    client.force_login(User.objects.create_user("ada", password="hunter2 hunter2"))
    return client


@pytest.mark.parametrize("more", [{}, {"mask": painted()}, {"label": "dog", "layer": None, "channel": None}])
def test_the_command_on_a_dreams_page_makes_the_same_picture(client: Client, more: dict[str, Any]) -> None:
    original = uploaded(client)
    worker.empty(STUDIO)
    original = Original.objects.get(pk=original.pk)
    key = picked(client, original, keep_colours="on", depth=2, size=2, **more).json()["key"]
    worker.empty(STUDIO)
    work = Work.objects.get(key=key)
    saved = {"photo.jpg": original.picture.name, f"{key}.jpg": work.picture.name}
    for name, stored in saved.items():
        Path(name).write_bytes(default_storage.open(stored).read())
    if "mask" in more:
        Path(f"{key}-mask.png").write_bytes(client.get(f"/studio/dreams/{key}/mask.png").content)
    page = client.get(work.get_absolute_url()).content.decode()
    command = page.split("<code>manage.py ")[1].split("</code>")[0]
    call_command(*shlex.split(command))
    web, own = (np.asarray(Image.open(name)) for name in (f"{key}.jpg", "dreamed.jpg"))
    assert np.array_equal(web, own), "to the byte"
    assert np.abs(web.astype(int) - np.asarray(Image.open("photo.jpg")).astype(int)).mean() > 1, "and it was dreamed on"


def test_the_command_on_a_videos_page_gives_it_the_same_sound(client: Client, tmp_path: Path) -> None:
    original = video_read(client, films.video(films.scene(4), sound=films.tone(1))).original
    assert original
    tone(tmp_path / "music.mp3", codec="libmp3lame")
    file = SimpleUploadedFile("night.mp3", Path("music.mp3").read_bytes(), "audio/mpeg")
    client.post(f"{original.get_absolute_url()}music/", {"music": file, **CREDIT})
    worker.empty(STUDIO)
    Path("video.mp4").write_bytes(default_storage.open(original.video.name).read())
    for asked in ({"sound": "none"}, {"sound": "music", "follow": "on"}):
        key = picked(client, original, side=320, depth=1, **asked).json()["key"]
        worker.empty(STUDIO)
        work = Work.objects.get(key=key)
        Path(f"{key}.jpg").write_bytes(default_storage.open(work.picture.name).read())
        page = html.unescape(client.get(work.get_absolute_url()).content.decode())
        command = page.split("<code>manage.py ")[1].split("</code>")[0]
        call_command(*shlex.split(command))
        web, own = Path(default_storage.path(work.mp4.name)), Path("dreamed.mp4")
        heard = [films.heard(path) if streams(path)["audio"] else np.zeros(0) for path in (web, own)]
        assert len(heard[0]) == pytest.approx(len(heard[1]), abs=2048) and streams(web) == streams(own), asked
        assert len(films.decoded(web)) == len(films.decoded(own))
        Path("dreamed.mp4").unlink()


def streams(path: Path) -> dict[str, int]:
    with av.open(str(path)) as container:
        return {"audio": len(container.streams.audio), "pictures": container.streams.video[0].frames}


def test_no_key_begins_as_an_option_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--recipe -key.jpg` would be an option without its file."""
    drawn = iter(["-3kYq", "--4sW", "7-dkf"])
    monkeypatch.setattr("gallery.studio.models.secrets.token_urlsafe", lambda size: next(drawn))
    assert new_key() == "7-dkf"
