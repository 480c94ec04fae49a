"""The owner's page Networks, over HTTP and by role; what it orders is done by a worker's queue."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from canvas import journal, wire
from canvas.models import Canvas, Dream
from canvas.moderation.models import Act
from dreamer.engine.pictures import read_picture
from dreamer.library.sources import Source
from dreamer.models import Choice, Job, Network, OwnStyle, StyleOff
from dreamer.networks import admin, choosing, jobs, shelves, trying
from dreamer.registered import default_model, registry
from dreamer.worker import Dreamer
from dreamsite.core import tasks
from dreamsite.core.models import User
from dreamsite.core.tasks import worker

from . import nets
from .server import Server
from .test_library_onnx import tiny

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def canvas(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Canvas:
    """A small canvas at `/`, with a line on it, which dreams with a network called tiny."""
    settings.MEDIA_ROOT, settings.MODELS_DIR = tmp_path / "media", tmp_path / "models"
    settings.DREAM_THREADS, settings.CANVAS_SIZE = 1, 64
    monkeypatch.setattr(tasks.jobs, "UPDATE_SECONDS", 0.0)
    nets.register_tiny(settings.MODELS_DIR)
    canvas = Canvas.objects.default()
    journal.append(canvas, [wire.Stroke(1, 0, (0, 0, 0), 255, 0, ((80, 80, 64), (400, 400, 64)), True, 1)])
    return canvas


@pytest.fixture
def path(settings: Any) -> str:
    return f"/{settings.ADMIN_PATH}/dreamer/network/"


@pytest.fixture
def vera() -> User:
    return User.objects.create_superuser("vera", password="a long walk by the sea")


@pytest.fixture
def owner(vera: User) -> Client:
    client = Client()
    client.force_login(vera)
    return client


def staff(*permissions: str) -> Client:
    """Somebody of the staff with just these."""
    user = User.objects.create(username="ada", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="dreamer", codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def work(*queues: str) -> None:
    for queue in queues or (tasks.NETWORKS, tasks.QUICK):
        while worker.queue().run_one(queue):  # without heartbeats, as in test_fetching.look
            pass


def job(kind: str, network: str = "tiny") -> Job:
    return Job.objects.get(kind=kind, network=network)


def acts() -> list[str]:
    return list(Act.objects.order_by("pk").values_list("verb", flat=True))


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content[:500]
    html = answer.content.decode()
    assert not re.search(
        r"<script(?![^>]* src=)|<style|\sstyle=|onclick=", re.sub(r"(?s)<header.*?</header>", "", html)
    )
    return html


def test_it_says_which_device_dreams(owner: Client, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dreamer.engine.cuda.obstacle", lambda: "")
    monkeypatch.setattr("dreamer.engine.cuda.driver", lambda: None)
    assert "Dreams are made by the processor: no NVIDIA driver answers" in page(owner, path)
    why = "NVIDIA&#x27;s libcudnn.so.9 cannot be loaded"
    monkeypatch.setattr("dreamer.engine.cuda.obstacle", lambda: "NVIDIA's libcudnn.so.9 cannot be loaded")
    assert f"the graphics card cannot be used: {why}." in page(owner, path)
    monkeypatch.setattr("dreamer.engine.cuda.obstacle", lambda: "")
    monkeypatch.setattr("dreamer.engine.cuda.driver", lambda: (13, 0))
    assert "Dreams are made by the graphics card." in page(owner, path)
    monkeypatch.setattr("django.conf.settings.DREAM_DEVICE", "cpu")
    assert "by the processor, as DREAM_DEVICE says." in page(owner, path)
    monkeypatch.setattr("django.conf.settings.DREAM_DEVICE", "openvino")
    monkeypatch.setattr("dreamer.engine.openvino.obstacle", lambda: "the package openvino is not installed")
    assert "Nothing dreams, for OpenVINO, which DREAM_DEVICE asks for, cannot be used: the package" in page(owner, path)
    monkeypatch.setattr("dreamer.engine.openvino.obstacle", lambda: "")
    assert "Dreams are made by the processor with OpenVINO, as DREAM_DEVICE says." in page(owner, path)


# --- who -------------------------------------------------------------------------------------------------------------


def test_it_is_for_the_staff_by_their_permissions(path: str, canvas: Canvas) -> None:
    anybody, ann = Client(), Client()
    ann.force_login(User.objects.create(username="ann"))
    for client in (anybody, ann):
        assert client.get(path).status_code == client.get(f"{path}state").status_code == 302
        assert client.post(f"{path}import", {}).status_code == 302
    nobody = staff()
    for address in ("", "state", "n/tiny/", "n/tiny/picture", "n/tiny/preview"):
        assert nobody.get(path + address).status_code == 403, address
    User.objects.filter(username="ada").delete()
    reader = staff("view_network")
    html = page(reader, path)
    assert (
        "tiny" in html
        and "<button"
        not in re.sub(r"(?s)<header.*?</header>|<nav.*?</nav>", "", html.replace('<button class="theme-toggle"', ""))
        .split('id="content-main"')[1]
        .split('id="footer"')[0]
    )
    page(reader, f"{path}n/tiny/")
    posts = ("fetch", "import", "use", "n/tiny/remove", "n/tiny/measure", "n/tiny/styles", "n/tiny/own")
    for address in (*posts, "n/tiny/own/1/remove", "jobs/1/cancel"):
        assert reader.post(path + address, {}).status_code == 403, address
        assert reader.get(path + address).status_code in (302, 403, 405), address
    assert acts() == [] and not Job.objects.exclude(kind__in=["measure", "pictures"]).exists()


def test_a_form_without_its_token_changes_nothing(vera: User, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(vera)
    for address in ("fetch", "import", "use", "n/tiny/remove", "n/tiny/styles", "n/tiny/own"):
        data = {"name": "googlenet", "file": SimpleUploadedFile("a.onnx", b"x")}
        assert client.post(path + address, data).status_code == 403, address
    assert acts() == [] and not Job.objects.exists()
    client.get(path)
    token = client.cookies["csrf"].value
    data = {"csrfmiddlewaretoken": token, "file": SimpleUploadedFile("a.onnx", b"x")}
    assert client.post(f"{path}import", data).status_code == 302
    assert job("import", "a").state == "waiting"


# --- fetching --------------------------------------------------------------------------------------------------------


def test_a_network_is_fetched_shown_and_stopped(
    owner: Client, vera: User, path: str, published: Source, server: Server, settings: Any
) -> None:
    nets.register_tiny(settings.MODELS_DIR)
    assert "GoogLeNet trained at" in page(owner, path)
    assert owner.post(f"{path}fetch", {"name": "googlenet"}).status_code == 302
    assert job("fetch", "googlenet").by == vera and acts() == ["network-fetch"]
    shown = json.loads(owner.get(f"{path}state").content)
    (fetching,) = [entry for entry in shown["jobs"] if entry["kind"] == "fetch"]
    assert (fetching["state"], fetching["words"]) == ("waiting", "waits for a worker")
    assert 'data-stamp="' + shown["stamp"].replace("&", "&amp;") in page(owner, path)
    Job.objects.filter(kind="fetch").update(state="running", fraction=0.5, done=14_000_000, total=28_000_000)
    (fetching,) = [e for e in json.loads(owner.get(f"{path}state").content)["jobs"] if e["kind"] == "fetch"]
    assert fetching["fraction"] == 0.5 and fetching["words"] == "50 %, 14.0 of 28.0 MB"
    # Ordered twice it is fetched once; cancelled, it does not come.
    Job.objects.filter(kind="fetch").update(state="waiting")
    owner.post(f"{path}fetch", {"name": "googlenet"})
    owner.post(f"{path}jobs/{job('fetch', 'googlenet').pk}/cancel")
    assert acts() == ["network-fetch", "network-cancel"]
    work(tasks.NETWORKS)
    assert server.requests == [] and job("fetch", "googlenet").state == "cancelled"
    # What fails says why, and can be tried again or put away.
    server.files.clear()
    owner.post(f"{path}fetch", {"name": "googlenet"})
    work(tasks.NETWORKS)
    html = page(owner, path)
    assert "failed" in html and "404" in html and "Try again" in html
    owner.post(f"{path}jobs/{job('fetch', 'googlenet').pk}/cancel")
    assert "404" not in page(owner, path)
    owner.post(f"{path}fetch", {"name": "gogglenet"})
    assert "did you mean googlenet" in page(owner, path)


# --- importing -------------------------------------------------------------------------------------------------------


def upload(name: str = "My Net.onnx", network: onnx.ModelProto | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, (network or tiny()).SerializeToString())


def test_a_file_is_imported_and_no_canvas_changes_by_it(
    owner: Client, vera: User, path: str, canvas: Canvas, settings: Any
) -> None:
    labels = SimpleUploadedFile("names.txt", "\n".join("abcde").encode())
    data = {"file": upload(), "labels": labels, "title": "Mine", "convention": "raw", "licence": "my own"}
    assert owner.post(f"{path}import", data).status_code == 302
    assert "my-net" not in registry().names()
    work(tasks.NETWORKS)
    files = registry().get("my-net")
    assert (files.info.title, files.info.licence, files.info.source) == ("Mine", "my own", "My Net.onnx")
    assert files.labels == tuple("abcde") and job("import", "my-net").message.startswith("5 layers")
    assert default_model() == "tiny" and acts() == ["network-import", "network-arrived"]
    assert list((settings.MODELS_DIR / ".incoming").iterdir()) == []
    # It was tried at once, and the page has the figures.
    assert Network.objects.get(name="my-net").seconds > 0 and job("measure", "my-net").state == "done"
    html = page(owner, path)
    assert "Mine" in html and "s at 64 px on this machine (CPU" in html and "my own" in html
    # A canvas dreams with it when somebody says so.
    assert owner.post(f"{path}use", {"canvas": canvas.slug, "network": "my-net"}).status_code == 302
    assert choosing.in_use() == [(canvas, "my-net")] and acts()[-1] == "network-use"
    assert Act.objects.latest("pk").by == vera
    assert "Dreamsite dreams with Mine from its next dream on." in page(owner, path)
    Dreamer(slugs=[canvas.slug]).look()
    owner.post(f"{path}use", {"canvas": canvas.slug, "network": "nothing"})
    assert choosing.in_use() == [(canvas, "my-net")]
    owner.post(f"{path}use", {"canvas": canvas.slug, "network": ""})
    assert choosing.in_use() == [(canvas, "tiny")]


def test_a_file_that_is_no_network_is_refused_in_words(owner: Client, path: str, settings: Any) -> None:
    owner.post(f"{path}import", {"file": SimpleUploadedFile("bad.onnx", b"not a network" * 50)})
    work(tasks.NETWORKS)
    assert job("import", "bad").state == "failed"
    assert job("import", "bad").message.startswith("bad.onnx is not an ONNX file"), "and no path of this machine"
    assert "bad.onnx is not an ONNX file" in page(owner, path)
    assert list((settings.MODELS_DIR / ".incoming").iterdir()) == [] and "bad" not in registry().names()
    # One that the site does not know says what is missing.
    owner.post(f"{path}import", {"file": upload("strange.onnx")})
    work(tasks.NETWORKS)
    assert job("import", "strange").state == "failed" and "channel" in job("import", "strange").message


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, "This field is required"),
        ({"file": "a.txt"}, "a.txt is no file of a kind that can be imported"),
        ({"file": "夢.onnx"}, "no name for a model can be made of"),
        ({"file": "house.onnx"}, "is a network that comes with the program"),
        ({"file": "a.onnx", "name": "No Name"}, "cannot name a model"),
        ({"file": "a.onnx", "mean": "1,2"}, "1,2 is not one number, or three with commas"),
        ({"file": "tiny.onnx"}, "There is a network called tiny, which this one would replace. Dreamsite would change"),
    ],
)
def test_what_is_wrong_with_an_upload_stands_at_its_field(
    owner: Client, path: str, settings: Any, data: dict[str, str], expected: str
) -> None:
    files = {"file": upload(data["file"])} if "file" in data else {}
    answer = owner.post(f"{path}import", {**data, **files})
    assert answer.status_code == 422 and expected in answer.content.decode().replace("&#x27;", "'")
    assert acts() == [] and not (settings.MODELS_DIR / ".incoming").exists()


def test_a_network_in_use_is_replaced_only_when_that_is_meant(owner: Client, path: str) -> None:
    before = registry().get("tiny").info
    owner.post(f"{path}import", {"file": upload("tiny.onnx"), "convention": "raw", "sure": "on"})
    work(tasks.NETWORKS)
    assert registry().get("tiny").info.source == "tiny.onnx" != before.source


def test_the_name_of_the_site_s_own_network_is_asked_about(owner: Client, path: str, settings: Any) -> None:
    settings.HOUSE_MODEL, settings.DREAM_FETCH = True, "googlenet"
    answer = owner.post(f"{path}import", {"file": upload("googlenet.onnx"), "convention": "raw"})
    assert answer.status_code == 422 and "Dreamsite would dream with it at once" in answer.content.decode()


def test_an_upload_is_bounded_before_it_is_kept(
    owner: Client, path: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.NETWORK_UPLOAD = 1000
    big = {"file": SimpleUploadedFile("big.onnx", bytes(2_000_000))}
    answer = owner.post(f"{path}import", big)
    assert answer.status_code == 413 and "larger than 0.0 MB" in answer.content.decode()
    # One that is just not counted by its announced length is cut off as it comes.
    big = {"file": SimpleUploadedFile("big.onnx", bytes(5000))}
    answer = owner.post(f"{path}import", big)
    assert answer.status_code == 413 and "NETWORK_UPLOAD_MB" in answer.content.decode()
    assert not (settings.MODELS_DIR / ".incoming").exists() and acts() == []


def test_an_import_goes_on_in_the_next_worker_and_can_be_called_off(
    owner: Client, path: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.post(f"{path}import", {"file": upload(), "convention": "raw"})
    again = owner.post(f"{path}import", {"file": upload(), "convention": "raw"})
    assert again.status_code == 422 and "being imported under this name" in again.content.decode()
    assert len(list((settings.MODELS_DIR / ".incoming").iterdir())) == 1
    Job.objects.update(state="running", holder="killed", attempts=1)
    work(tasks.NETWORKS)
    assert job("import", "my-net").state == "done" and "my-net" in registry().names()
    owner.post(f"{path}import", {"file": upload("other.onnx"), "convention": "raw"})
    update = jobs.Progress.update

    def after_it_is_cancelled(self: jobs.Progress, **columns: Any) -> None:
        Job.objects.filter(network="other").cancel()
        update(self, **columns)

    monkeypatch.setattr(jobs.Progress, "update", after_it_is_cancelled)
    work(tasks.NETWORKS)
    assert "other" not in registry().names() and job("import", "other").state == "cancelled"
    assert list((settings.MODELS_DIR / ".incoming").iterdir()) == []


# --- removing --------------------------------------------------------------------------------------------------------


def test_what_is_in_use_stays(owner: Client, path: str, canvas: Canvas, settings: Any) -> None:
    owner.post(f"{path}n/tiny/remove")
    assert "Dreamsite dreams with it: choose another network first." in page(owner, path)
    assert registry().names() == ("tiny",) and acts() == []
    nets.register_tiny(settings.MODELS_DIR, "second")
    trying.folder(registry().get("second")).mkdir(parents=True)
    owner.post(f"{path}n/second/remove")
    assert registry().names() == ("tiny",) and acts() == ["network-remove"]
    assert not (settings.MODELS_DIR / ".pictures" / "second").exists()
    settings.HOUSE_MODEL = True
    choosing.use(canvas, "tiny", None)
    owner.post(f"{path}n/house/remove")
    assert "comes with the program and cannot be removed" in page(owner, path)


# --- styles ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(settings: Any) -> list[str]:
    """Curated styles of the tiny network, of layers it has; their keys."""
    layers = [name for name, count in registry().layers("tiny").items() if count > 3][-4:-1]
    styles = [{"layer": layer, "channel": channel, "title": "Curated"} for layer in layers for channel in (0, 1)]
    (Path(settings.MODELS_DIR) / "tiny" / "shelf.json").write_text(json.dumps(styles))
    return [f"{style['channel']}@{style['layer']}" for style in styles]


def test_the_shelf_is_dreamed_as_pictures_once(
    owner: Client, path: str, shelf: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "data-src=" in page(owner, f"{path}n/tiny/")
    assert job("pictures").state == "waiting"
    files = registry().get("tiny")
    # The first worker is killed in the middle: what it has made stays.
    made: list[Path] = []
    write = trying.write_picture

    def dies(path: Path, picture: Any) -> None:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(path)
        write(path, picture)

    monkeypatch.setattr(trying, "write_picture", dies)
    with pytest.raises(KeyboardInterrupt):
        jobs.network_job.func(job("pictures").pk)
    assert (job("pictures").state, job("pictures").done, job("pictures").total) == ("running", 2, 6)
    monkeypatch.setattr(trying, "write_picture", lambda path, picture: (made.append(path), write(path, picture)))
    jobs.network_job.func(job("pictures").pk)
    assert job("pictures").state == "done" and len(made) == 6 and not trying.missing(files)
    html = page(owner, f"{path}n/tiny/")
    assert "data-src=" not in html and html.count("/picture?style=") == 6
    answer = owner.get(f"{path}n/tiny/picture", {"style": shelf[0]})
    assert answer["Content-Type"] == "image/webp"
    assert read_picture(trying.picture(files, shelf[0])).shape == (112, 112, 3)
    assert owner.get(f"{path}n/tiny/picture", {"style": "../../model"}).status_code == 404
    # Of another file under the same name they are dreamed anew.
    assert trying.missing(nets_replaced())


def nets_replaced() -> Any:
    files = registry().get("tiny")
    info = json.loads((files.path / "model.json").read_text()) | {"sha256": "ab" * 32}
    (files.path / "model.json").write_text(json.dumps(info))
    return registry().get("tiny")


def test_a_style_that_does_not_fit_is_not_tried_without_end(owner: Client, path: str, shelf: list[str]) -> None:
    shelves.add("tiny", "no/such/layer", 1, "Gone", None)
    page(owner, f"{path}n/tiny/")
    work(tasks.NETWORKS)
    assert (job("pictures").state, job("pictures").done) == ("done", 6) and "1 of 7" in job("pictures").message
    page(owner, f"{path}n/tiny/")
    assert job("pictures").state == "done" and job("pictures").edition == 1


def test_pictures_give_way_to_what_somebody_waits_for(owner: Client, path: str, shelf: list[str]) -> None:
    jobs.request(Job.Kind.PICTURES, "tiny")
    owner.post(f"{path}import", {"file": upload(), "convention": "raw"})
    worker.queue().run_one(tasks.NETWORKS)
    assert (job("pictures").state, job("pictures").attempts) == ("waiting", 0)
    worker.queue().run_one(tasks.NETWORKS)
    assert job("import", "my-net").state == "done"
    work(tasks.NETWORKS)
    assert job("pictures").state == "done" and job("pictures").done == 6


def test_styles_are_turned_off_and_on_at_each_canvas(
    owner: Client, path: str, canvas: Canvas, shelf: list[str]
) -> None:
    other = Canvas.objects.create(slug="other", title="Other", width=64, height=64)
    files = registry().get("tiny")
    layer, _, channel = shelf[1].partition("@")[2], None, 1
    Dream.objects.create(canvas=canvas, style={"model": "tiny", "layer": layer, "channel": channel, "title": "x"})
    on = [shelf[0], shelf[2]]
    assert owner.post(f"{path}n/tiny/styles", {"on": on}).status_code == 302
    assert shelves.off_at(canvas, "tiny") == set(shelf) - set(on) and shelves.off_at(other, "tiny") == set()
    assert Dream.objects.get(canvas=canvas).style_wanted, "it dreamed of one that is off now"
    act = Act.objects.get()
    assert act.verb == "network-styles" and act.what["off"] == sorted(set(shelf) - set(on))
    html = page(owner, f"{path}n/tiny/")
    assert html.count(" checked") == 2 and "2 of 6" in html
    assert "6 of 6" in page(owner, f"{path}n/tiny/?canvas=other")
    # The dreamer keeps to it, and to nothing else where no surprises are wanted.
    found, surprises = shelves.of_canvas(canvas, files)
    assert [f"{style.channel}@{style.layer}" for style in found] == on and not surprises
    # The same again is no act; nothing at all is refused.
    owner.post(f"{path}n/tiny/styles", {"on": on})
    assert Act.objects.count() == 1
    owner.post(f"{path}n/tiny/styles", {})
    assert "nothing to dream of" in page(owner, f"{path}n/tiny/") and StyleOff.objects.count() == 4
    owner.post(f"{path}n/tiny/styles", {"on": shelf, "surprises": "on"})
    assert StyleOff.objects.count() == 0 and Choice.objects.get(canvas=canvas).surprises


def test_a_canvas_dreams_only_of_what_is_on(canvas: Canvas, shelf: list[str], vera: User) -> None:
    files = registry().get("tiny")
    shelves.turn(canvas, files, [shelf[3]], False, vera)
    dreamer = Dreamer(slugs=[canvas.slug])
    dreamer.look()
    for _ in range(12):
        Dream.objects.update(style_wanted=True)
        dreamer.look()
        style = Dream.objects.get(canvas=canvas).style
        assert f"{style['channel']}@{style['layer']}" == shelf[3]


def test_a_style_of_one_s_own(owner: Client, path: str, canvas: Canvas, shelf: list[str], vera: User) -> None:
    layer = shelf[0].partition("@")[2]
    # First to see what it makes of the canvas.
    owner.post(f"{path}n/tiny/own", {"layer": layer, "channel": "2", "preview": "yes"})
    assert job("preview").options["canvas"] == canvas.slug and acts() == []
    owner.post(f"{path}n/tiny/own", {"layer": layer, "channel": "3", "preview": "yes"})
    work(tasks.QUICK)
    assert job("preview").state == "done" and job("preview").options["channel"] == 3
    html = page(owner, f"{path}n/tiny/")
    assert "/preview?2" in html and 'value="3"' in html, "the form is as it was filled"
    answer = owner.get(f"{path}n/tiny/preview")
    with Image.open(b"".join(answer.streaming_content) and trying.preview("tiny")) as image:
        assert image.size == (64, 64) and np.asarray(image.convert("L")).std() > 0
    # Then it stands with the others, before them.
    owner.post(f"{path}n/tiny/own", {"layer": layer, "channel": "3", "title": "Mine"})
    assert "“Mine” is among its styles." in page(owner, f"{path}n/tiny/")
    (own,) = OwnStyle.objects.all()
    assert own.by == vera and acts() == ["network-own-style"]
    first = shelves.of_network(registry().get("tiny"))[0]
    assert (first.layer, first.channel, first.title) == (layer, 3, "Mine")
    owner.post(f"{path}n/tiny/own/{own.pk}/remove")
    assert not OwnStyle.objects.exists() and acts()[-1] == "network-own-style-removed"


@pytest.mark.parametrize("address", ["", "n/tiny/"])
def test_what_ends_while_the_page_is_made_still_changes_it(
    owner: Client, path: str, shelf: list[str], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    owner.post(f"{path}n/tiny/own", {"layer": shelf[0].partition("@")[2], "channel": "2", "preview": "yes"})
    made = admin.NetworkAdmin._context

    def late(*args: Any, **more: Any) -> Any:
        """What the page shows has been read; now the preview is done, before its stamp is taken."""
        Job.objects.filter(kind="preview").update(state="done")
        return made(*args, **more)

    monkeypatch.setattr(admin.NetworkAdmin, "_context", late)
    html = page(owner, f"{path}{address}")
    shown = re.search(r'data-stamp="([^"]*)"', html)
    assert shown and "networks-preview" not in html
    assert shown[1] != owner.get(f"{path}state").json()["stamp"]


def test_a_class_is_a_style_too_by_its_name(owner: Client, path: str, canvas: Canvas) -> None:
    owner.post(f"{path}n/tiny/own", {"wanted": "Thing 7"})
    own = OwnStyle.objects.get()
    assert (own.layer, own.channel, own.title) == ("logits", 7, "Thing 7")
    owner.post(f"{path}n/tiny/own", {"wanted": "thing 7", "preview": "yes"})
    shelves.turn(canvas, registry().get("tiny"), ["7@logits"], False, None)
    assert "Thing 7" in page(owner, f"{path}n/tiny/")
    work()
    assert job("preview").state == "done", job("preview").message
    assert job("pictures").state == "done" and job("pictures").message == ""
    dreamer = Dreamer(slugs=[canvas.slug])
    dreamer.look()
    Dream.objects.update(next_at=None, style_wanted=True)
    dreamer.look()
    assert Dream.objects.get().style["title"] == "Thing 7"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, "Choose a layer, or a class."),
        ({"layer": "nothing"}, "Select a valid choice"),
        ({"layer": "LAYER", "channel": "999"}, "This layer has channels 0 to"),
        ({"wanted": "thinq 7"}, "It knows no class thinq 7; near are thing 7"),
    ],
)
def test_a_style_that_does_not_fit_is_refused_in_words(
    owner: Client, path: str, shelf: list[str], data: dict[str, str], expected: str
) -> None:
    layer = shelf[0].partition("@")[2]
    given = {name: value.replace("LAYER", layer) for name, value in data.items()}
    answer = owner.post(f"{path}n/tiny/own", given)
    assert answer.status_code == 422 and expected in answer.content.decode()
    assert not OwnStyle.objects.exists()


def test_another_style_is_chosen_from_what_is_on_by_moderators_too(
    owner: Client, canvas: Canvas, shelf: list[str], vera: User
) -> None:
    shelves.turn(canvas, registry().get("tiny"), [shelf[0]], True, vera)
    styles = owner.get("/moderation/styles", {"canvas": canvas.slug}).json()["styles"]
    assert [f"{style['channel']}@{style['layer']}" for style in styles] == [shelf[0]]


def test_a_removed_or_broken_network_is_named(owner: Client, path: str, settings: Any) -> None:
    nets.register_tiny(settings.MODELS_DIR, "half")
    (settings.MODELS_DIR / "half" / "model.json").write_text("{")
    html = page(owner, path)
    assert "half" in html and "not JSON" in html
    assert owner.get(f"{path}n/nothing/").status_code == 404
