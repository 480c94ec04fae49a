"""Fetching over a real HTTP server that misbehaves in every way downloads do, and from files."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import io
import math
import threading
import urllib.parse
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from dreamer.library import LibraryError, Registry
from dreamer.library.conventions import GOOGLENET_MODULES, module_convolutions
from dreamer.library.download import Download
from dreamer.library.fetch import fetch, source
from dreamer.library.sources import SOURCES, Labels, Part, Source

from . import caffe_files
from .graphdef import MODULES, Writer, inception, random_weights

DATA = np.random.default_rng(3).bytes(300_000)
SHA256 = hashlib.sha256(DATA).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `files`; what goes wrong is a function per path. `requests` lists (path, Range) as they came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, Callable[[Handler, bytes], None]] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.release = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urllib.parse.unquote(self.path.lstrip("/"))
        self.server.requests.append((path, self.headers.get("Range")))
        self.close_connection = True
        if path not in self.server.files:
            self.send_error(404)
            return
        data = self.server.files[path]
        self.server.faults.get(path, Handler.whole)(self, data)

    def whole(self, data: bytes, ranges: bool = True, length: int | None = None) -> None:
        """The right answer, with or without ranges, perhaps under a wrong length."""
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and ranges else 0
        if start and start >= len(data):
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start if length is None else length - start))
        self.end_headers()
        self.wfile.write(data[start:])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield found
        found.release.set()
        found.shutdown()
        thread.join()


@pytest.fixture
def told() -> list[str]:
    return []


def get(part: Part, folder: Path, told: list[str], stall: float = 5.0) -> bytes:
    return Download(stall=stall, tell=told.append).get(part, folder, Path.read_bytes)[0]


def broken_after(count: int) -> Callable[[Handler, bytes], None]:
    """Sends `count` bytes of what is asked for, under the right length, and hangs up; resumes properly."""

    def fault(handler: Handler, data: bytes) -> None:
        asked = handler.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        end = min(start + count, len(data))
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        handler.send_header("Content-Length", str(len(data) - start))
        handler.end_headers()
        handler.wfile.write(data[start:end])

    return fault


def test_a_file_comes_whole_and_reports_progress(server: Server, tmp_path: Path) -> None:
    server.files["a"] = DATA
    seen: list[tuple[int, int]] = []
    download = Download(progress=lambda done, total: seen.append((done, total)))
    part = Part("a", (server.url("a"),), sha256=SHA256)
    assert download.get(part, tmp_path, Path.read_bytes) == (DATA, server.url("a"))
    assert seen[-1] == (len(DATA), len(DATA))
    assert [d for d, _ in seen] == sorted(d for d, _ in seen)
    assert not list(tmp_path.glob("*.part"))
    assert download.get(part, tmp_path, Path.read_bytes) == (DATA, "")
    assert len(server.requests) == 1  # it is there: nothing is asked for again


def test_404_then_the_mirror(server: Server, tmp_path: Path, told: list[str]) -> None:
    server.files["mirror"] = DATA
    part = Part("a", (server.url("gone"), server.url("mirror")), sha256=SHA256)
    assert get(part, tmp_path, told) == DATA
    assert any("404" in line for line in told)


def test_a_wrong_file_is_refused_and_the_mirror_asked(server: Server, tmp_path: Path, told: list[str]) -> None:
    server.files["wrong"] = b"<html>moved</html>" * 1000
    server.files["mirror"] = DATA
    part = Part("a", (server.url("wrong"), server.url("mirror")), sha1=hashlib.sha1(DATA).hexdigest())
    assert get(part, tmp_path, told) == DATA
    assert server.requests[1] == ("mirror", None)  # nothing of the wrong file is carried on


def test_all_wrong_says_received_and_expected(server: Server, tmp_path: Path, told: list[str]) -> None:
    wrong = b"something else"
    server.files["wrong"] = wrong
    part = Part("net.bin", (server.url("wrong"), server.url("gone")), sha256=SHA256)
    with pytest.raises(LibraryError) as caught:
        get(part, tmp_path, told)
    text = str(caught.value)
    assert f"received sha256 {hashlib.sha256(wrong).hexdigest()}, expected {SHA256}" in text
    assert "gone: 404" in text
    assert "--from FILE" in text
    assert not list(tmp_path.iterdir())  # a wrong file is not left to be resumed


def test_a_wrong_size_is_known_before_it_is_downloaded(server: Server, tmp_path: Path, told: list[str]) -> None:
    server.files["short"] = DATA[:1000]
    with pytest.raises(LibraryError, match=f"the file there has 1000 bytes, expected {len(DATA)}"):
        get(Part("a", (server.url("short"),), size=len(DATA)), tmp_path, told)


def test_truncated_answers_are_resumed(server: Server, tmp_path: Path, told: list[str]) -> None:
    server.files["a"] = DATA
    server.faults["a"] = broken_after(110_000)
    assert get(Part("a", (server.url("a"),), sha256=SHA256), tmp_path, told) == DATA
    assert server.requests == [("a", None), ("a", "bytes=110000-"), ("a", "bytes=220000-")]


def test_a_second_run_resumes_the_first(server: Server, tmp_path: Path, told: list[str]) -> None:
    server.files["a"] = DATA
    (tmp_path / "a.part").write_bytes(DATA[:200_000])
    assert get(Part("a", (server.url("a"),), sha256=SHA256), tmp_path, told) == DATA
    assert server.requests == [("a", "bytes=200000-")]


def test_a_complete_part_needs_no_request(server: Server, tmp_path: Path, told: list[str]) -> None:
    (tmp_path / "a.part").write_bytes(DATA)
    part = Part("a", (server.url("a"),), sha256=SHA256, size=len(DATA))
    assert get(part, tmp_path, told) == DATA
    assert server.requests == []


def test_a_server_that_ignores_ranges_starts_over(server: Server, tmp_path: Path, told: list[str]) -> None:
    server.files["a"] = DATA
    server.faults["a"] = lambda handler, data: handler.whole(data, ranges=False)
    (tmp_path / "a.part").write_bytes(b"x" * 5000 + DATA[5000:200_000])
    assert get(Part("a", (server.url("a"),), sha256=SHA256), tmp_path, told) == DATA
    assert server.requests == [("a", "bytes=200000-")]


@pytest.mark.parametrize("left", [b"x" * 1000, b"x" * 400_000], ids=["wrong beginning", "longer than the file"])
def test_a_part_of_something_else_is_thrown_away(server: Server, tmp_path: Path, told: list[str], left: bytes) -> None:
    server.files["a"] = DATA
    (tmp_path / "a.part").write_bytes(left)
    assert get(Part("a", (server.url("a"),), sha256=SHA256), tmp_path, told) == DATA
    assert server.requests[-1] == ("a", None)


def test_a_stalled_server_is_left_for_the_mirror(server: Server, tmp_path: Path, told: list[str]) -> None:
    """It sends a beginning and then nothing: what came is kept, and the mirror asked for the rest."""

    def stall(handler: Handler, data: bytes) -> None:
        if handler.headers.get("Range") is None:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data[:100_000])
            handler.wfile.flush()
        handler.server.release.wait(10)

    server.files["slow"] = server.files["mirror"] = DATA
    server.faults["slow"] = stall
    part = Part("a", (server.url("slow"), server.url("mirror")), sha256=SHA256)
    assert get(part, tmp_path, told, stall=0.15) == DATA
    assert server.requests[-1][0] == "mirror"
    assert server.requests[-1][1] is not None  # resumed, not begun again
    assert any("no data" in line for line in told)


@pytest.mark.parametrize("ranges", [True, False])
def test_a_server_that_never_gets_further_is_left(
    server: Server, tmp_path: Path, told: list[str], ranges: bool
) -> None:
    """It promises more than it has: resuming is refused, beginning again brings the same half."""
    server.files.update({"half": DATA[:1000], "mirror": DATA})
    server.faults["half"] = lambda handler, data: handler.whole(data, ranges, len(DATA))
    part = Part("a", (server.url("half"), server.url("mirror")), sha256=SHA256)
    assert get(part, tmp_path, told) == DATA
    assert server.requests.count(("half", None)) < 6


def test_no_network_at_all_is_said(tmp_path: Path, told: list[str]) -> None:
    with Server() as gone:
        url = gone.url("a")
    with pytest.raises(LibraryError, match=r"a could not be downloaded(?s:.*)refused(?s:.*)--from FILE"):
        get(Part("a", (url,)), tmp_path, told)
    with pytest.raises(LibraryError, match="no web address"):
        get(Part("a", ("file:///etc/hostname",)), tmp_path, told)


def test_a_full_disk_is_not_blamed_on_the_server(
    server: Server, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    server.files["a"] = DATA
    monkeypatch.setattr("dreamer.library.download.os.fsync", full)
    for requests, sha256 in enumerate((SHA256, ""), 1):
        with pytest.raises(LibraryError, match=r"a\.part cannot be written: .*No space left"):
            get(Part("a", (server.url("a"), server.url("mirror")), sha256=sha256), tmp_path, told)
        assert len(server.requests) == requests
    assert not list(tmp_path.iterdir())


# --- whole models


@pytest.fixture(scope="module")
def caffemodel() -> bytes:
    """A GoogLeNet-shaped file with small random weights, in the layers' published names."""
    random = np.random.default_rng(2)
    found: caffe_files.Weights = {}

    def layer(name: str, *shape: int) -> None:
        found[name] = [random.standard_normal(shape, np.float32) * 0.05, np.zeros(shape[0], np.float32)]

    layer("conv1/7x7_s2", 64, 3, 7, 7)
    layer("conv2/3x3_reduce", 64, 64, 1, 1)
    layer("conv2/3x3", 192, 64, 3, 3)
    depth = 192
    for module, sizes in {**MODULES, "4a": (192, 96, 208, 16, 48, 64), "5a": (256, 160, 320, 32, 128, 128)}.items():
        one, reduce3, three, reduce5, five, pool = sizes
        name = f"inception_{module}"
        layer(f"{name}/1x1", one, depth, 1, 1)
        layer(f"{name}/3x3_reduce", reduce3, depth, 1, 1)
        layer(f"{name}/3x3", three, reduce3, 3, 3)
        layer(f"{name}/5x5_reduce", reduce5, depth, 1, 1)
        layer(f"{name}/5x5", five, reduce5, 5, 5)
        layer(f"{name}/pool_proj", pool, depth, 1, 1)
        depth = one + three + five + pool
    layer("loss3/classifier", 1000, 1024)
    return caffe_files.v1(found)


def local(wanted: Source, server: Server, data: bytes, holds: tuple[Part, ...] = ()) -> Source:
    """A published source, served from here: our addresses, our file's checksum."""
    server.files["weights"] = data
    part = dataclasses.replace(
        wanted.weights,
        urls=(server.url("gone"), server.url("weights")),
        sha256=hashlib.sha256(data).hexdigest(),
        sha1="",
        size=len(data),
        holds=holds,
    )
    labels = wanted.labels and dataclasses.replace(
        wanted.labels, urls=(server.url("nothing"), server.url("labels")) if wanted.labels.urls else ()
    )
    return dataclasses.replace(wanted, weights=part, labels=labels)


def test_googlenet_is_fetched_converted_and_registered(
    server: Server, tmp_path: Path, told: list[str], caffemodel: bytes
) -> None:
    server.files["labels"] = "".join(
        f"n{i:08} {'banana' if i == 954 else f'thing {i}'}\n" for i in range(1000)
    ).encode()
    registry = Registry(tmp_path)
    files = fetch(local(source("googlenet"), server, caffemodel), registry, download=Download(tell=told.append))
    assert (files.name, files.info.title, files.info.mean) == ("googlenet", "GoogLeNet (BVLC)", (104, 117, 123))
    assert files.info.licence.startswith("unrestricted")
    assert files.labels[954] == "banana"
    assert files.labels[3] == "thing 3"
    layers = registry.layers("googlenet")
    assert len(files.shelf) >= 30
    assert all(s.layer in layers and (s.channel or 0) < layers[s.layer] for s in files.shelf)
    assert len({s.title for s in files.shelf}) == len(files.shelf)
    assert files.info.source == server.url("weights")  # the first address had nothing
    assert [p.name for p in (tmp_path / ".downloads").iterdir()] == ["lock"]  # 50 MB are not kept twice
    with pytest.raises(LibraryError, match="already a model 'googlenet'"):
        fetch(source("googlenet"), registry)


def test_missing_labels_do_not_forbid_the_model(
    server: Server, tmp_path: Path, told: list[str], caffemodel: bytes
) -> None:
    server.files["labels"] = b"one\ntwo\n"
    files = fetch(
        local(source("googlenet"), server, caffemodel), Registry(tmp_path), download=Download(tell=told.append)
    )
    assert files.labels == ()
    assert any("is not the expected list of 1000 class names" in line for line in told)
    assert any("--labels" in line for line in told)


def test_without_internet_from_a_file(server: Server, tmp_path: Path, caffemodel: bytes) -> None:
    wanted = local(source("googlenet"), server, caffemodel)
    path = tmp_path / "brought.caffemodel"
    path.write_bytes(caffemodel)
    (tmp_path / "names.txt").write_text("\n".join(f"class {i}" for i in range(1000)))
    registry = Registry(tmp_path / "models")
    files = fetch(wanted, registry, file=path, labels=tmp_path / "names.txt", name="mine")
    assert (files.name, files.labels[7], files.info.source) == ("mine", "class 7", "brought.caffemodel")
    assert path.exists()
    told: list[str] = []
    assert fetch(wanted, registry, file=path, name="nameless", download=Download(tell=told.append)).labels == ()
    assert "--labels" in told[-1]
    assert server.requests == []
    path.write_bytes(caffemodel[:-1])
    with pytest.raises(LibraryError, match=f"received {len(caffemodel) - 1} bytes, expected {len(caffemodel)}"):
        fetch(wanted, registry, file=path, name="other")
    with pytest.raises(LibraryError, match="there is no file"):
        fetch(wanted, registry, file=tmp_path / "absent", name="other")


def test_the_command_fetches_and_tells(
    server: Server,
    tmp_path: Path,
    caffemodel: bytes,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings.MODELS_DIR = tmp_path
    monkeypatch.setitem(SOURCES, "googlenet", local(source("googlenet"), server, caffemodel))
    server.files["labels"] = "".join(f"{'banana' if i == 954 else i}\n" for i in range(1000)).encode()
    call_command("model", "fetch", "googlenet", "--as", "mine")
    out, err = capsys.readouterr()
    assert "mine: GoogLeNet (BVLC), 141 layers, 1000 labels" in out
    assert "Licence: unrestricted" in err
    assert "100%" in err  # of the progress
    server.files.clear()
    with pytest.raises(CommandError, match=r"could not be downloaded(?s:.*)404(?s:.*)--from FILE"):
        call_command("model", "fetch", "googlenet")


PAGE = b"<!doctype html><title>Sign in to this network</title>" * 100


def unpublished(wanted: Source, *urls: str) -> Source:
    """The source as one for which nobody published a checksum or a size."""
    weights = dataclasses.replace(wanted.weights, urls=urls, sha256="", sha1="", size=0)
    return dataclasses.replace(wanted, weights=weights)


def test_a_page_instead_of_a_file_without_a_checksum_is_not_kept(
    server: Server,
    tmp_path: Path,
    caffemodel: bytes,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A hotel's sign-in page comes with status 200; the next run, from the true server, brings the network."""
    settings.MODELS_DIR = tmp_path
    wanted = local(source("googlenet"), server, caffemodel)
    monkeypatch.setitem(SOURCES, "googlenet", unpublished(wanted, server.url("weights")))
    server.files["weights"] = PAGE
    with pytest.raises(CommandError, match=r"(?s)weights: .*is not a \.caffemodel file.*Try again later, or get"):
        call_command("model", "fetch", "googlenet")
    assert [p.name for p in (tmp_path / ".downloads").iterdir()] == ["lock"]
    server.files["weights"] = caffemodel
    call_command("model", "fetch", "googlenet")
    assert server.requests[:2] == [("weights", None)] * 2
    assert f"this file's SHA-256 is {hashlib.sha256(caffemodel).hexdigest()}" in capsys.readouterr().err
    assert Registry(tmp_path).get("googlenet").info.source == server.url("weights")
    assert [p.name for p in (tmp_path / ".downloads").iterdir()] == ["lock"]


def test_a_file_that_cannot_be_read_sends_on_to_the_mirror(
    server: Server, tmp_path: Path, told: list[str], caffemodel: bytes
) -> None:
    wanted = local(source("googlenet"), server, caffemodel)
    server.files.update({"page": PAGE, "cut": caffemodel[: len(caffemodel) // 2]})
    wanted = unpublished(wanted, server.url("page"), server.url("cut"), server.url("weights"))
    files = fetch(wanted, Registry(tmp_path), download=Download(tell=told.append))
    assert files.info.source == server.url("weights")
    assert sum("is not a .caffemodel file, or it is cut short" in line for line in told) == 2


def test_without_a_checksum_nothing_goes_from_one_address_or_run_into_another(
    server: Server, tmp_path: Path, told: list[str]
) -> None:
    """Within one run and address a broken download is resumed all the same."""
    server.files.update({"broken": b"x" * 1000, "mirror": DATA})
    server.faults["broken"] = lambda handler, data: handler.whole(data, length=len(DATA))
    server.faults["mirror"] = broken_after(200_000)
    for left in ("a", "a.part"):
        (tmp_path / left).write_bytes(b"x" * 5000)
    assert get(Part("a", (server.url("broken"), server.url("mirror"))), tmp_path, told) == DATA
    assert server.requests[0] == ("broken", None)
    assert server.requests[-2:] == [("mirror", None), ("mirror", "bytes=200000-")]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("said", [True, False], ids=["length given", "length not given"])
def test_a_file_below_the_least_size_is_refused(server: Server, tmp_path: Path, told: list[str], said: bool) -> None:
    def unsaid(handler: Handler, data: bytes) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(data)

    server.files["page"] = PAGE
    if not said:
        server.faults["page"] = unsaid
    with pytest.raises(LibraryError, match=f"{len(PAGE)} bytes, expected {len(DATA)} or more"):
        get(Part("a", (server.url("page"),), at_least=len(DATA)), tmp_path, told)
    assert not list(tmp_path.iterdir())


def test_two_fetches_at_once_wait_for_each_other(
    server: Server, tmp_path: Path, told: list[str], caffemodel: bytes
) -> None:
    """Both would write into one file: the second waits, and then finds the model there."""
    asked = threading.Event()

    def slow(handler: Handler, data: bytes) -> None:
        asked.set()
        handler.server.release.wait(20)
        handler.whole(data)

    def tell(text: str) -> None:
        told.append(text)
        server.release.set()

    wanted = local(source("googlenet"), server, caffemodel)
    server.faults["weights"] = slow
    registry = Registry(tmp_path)
    first = threading.Thread(target=fetch, args=(wanted, registry))
    first.start()
    assert asked.wait(20)
    with pytest.raises(LibraryError, match="already a model 'googlenet'"):
        fetch(wanted, registry, download=Download(tell=tell))
    first.join()
    assert told == ["another fetch is under way; waiting for its end"]
    assert registry.verify("googlenet").info.source_sha256 == hashlib.sha256(caffemodel).hexdigest()


def archive() -> tuple[bytes, tuple[Part, ...]]:
    writer = Writer(random_weights(1))
    inception(writer)
    inside = {
        "tensorflow_inception_graph.pb": writer.graph.data(),
        "imagenet_comp_graph_label_strings.txt": (
            "dummy\n" + "".join(f"{'banana' if i == 323 else f'thing {i}'}\n" for i in range(1, 1001))
        ).encode(),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for name, data in inside.items():
            zipped.writestr(name, data)
    return out.getvalue(), tuple(Part(n, (), sha256=hashlib.sha256(d).hexdigest()) for n, d in inside.items())


def test_inception5h_comes_out_of_its_archive(server: Server, tmp_path: Path) -> None:
    data, holds = archive()
    wanted = local(source("inception5h"), server, data, holds)
    files = fetch(wanted, Registry(tmp_path))
    assert (files.info.title, files.labels[323], len(files.labels)) == (
        "Inception 5h (TensorFlow, 2015)",
        "banana",
        1001,
    )
    assert files.info.licence.startswith("Apache-2.0")
    assert len(files.shelf) >= 60
    tampered = dataclasses.replace(holds[0], sha256="0" * 64)
    with pytest.raises(LibraryError, match=r"tensorflow_inception_graph.pb in .*: wrong checksum"):
        fetch(local(source("inception5h"), server, data, (tampered, holds[1])), Registry(tmp_path), replace=True)
    assert not (tmp_path / ".downloads" / "unpacked").exists()
    graph = tmp_path / "unpacked.pb"
    graph.write_bytes(zipfile.ZipFile(io.BytesIO(data)).read("tensorflow_inception_graph.pb"))
    assert fetch(wanted, Registry(tmp_path), file=graph, name="by-hand").info.mean == (117.0, 117.0, 117.0)


def test_the_table_of_sources_is_sound() -> None:
    for name, wanted in SOURCES.items():
        parts = [wanted.weights, *wanted.weights.holds]
        assert wanted.name == name
        assert wanted.licence
        assert wanted.about
        for part in parts:
            assert not part.sha256 or len(bytes.fromhex(part.sha256)) == 32
            assert not part.sha1 or len(bytes.fromhex(part.sha1)) == 20
            assert part.checked or part.at_least  # something tells an error page from a network
        assert all(url.startswith(("https://", "http://")) for part in parts for url in part.urls)
        assert isinstance(wanted.labels, Labels)
    assert len(SOURCES["googlenet"].weights.urls) >= 3
    trunk = sum(n * (math.prod(s) + s[0]) for s, n in module_convolutions(GOOGLENET_MODULES).items())
    assert SOURCES["places365"].weights.at_least == 4 * (trunk + 365 * 1025)  # weights and biases, float32
    with pytest.raises(LibraryError, match="unknown published model 'inception5': did you mean inception5h"):
        source("inception5")
