"""Fetching models over a real HTTP server, and from files."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import math
import threading
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from dreamer.library import LibraryError, Registry
from dreamer.library.conventions import GOOGLENET_MODULES, module_convolutions
from dreamer.library.download import Download
from dreamer.library.fetch import fetch, source
from dreamer.library.sources import SOURCES, Labels, Part, Source
from tests.running import PATIENCE

from .graphdef import Writer, inception, random_weights
from .published import local
from .server import PAGE, Handler, Server

pytestmark = pytest.mark.django_db


def test_googlenet_is_fetched_converted_and_registered(
    server: Server, tmp_path: Path, log: list[str], full_caffemodel: bytes
) -> None:
    server.files["labels"] = "".join(
        f"n{i:08} {'banana' if i == 954 else f'thing {i}'}\n" for i in range(1000)
    ).encode()
    registry = Registry(tmp_path)
    files = fetch(local(source("googlenet"), server, full_caffemodel), registry, download=Download(notify=log.append))
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
    server: Server, tmp_path: Path, log: list[str], caffemodel: bytes
) -> None:
    server.files["labels"] = b"one\ntwo\n"
    files = fetch(
        local(source("googlenet"), server, caffemodel), Registry(tmp_path), download=Download(notify=log.append)
    )
    assert files.labels == ()
    assert any("is not the expected list of 1000 class names" in line for line in log)
    assert any("--labels" in line for line in log)


def test_without_internet_from_a_file(server: Server, tmp_path: Path, caffemodel: bytes) -> None:
    wanted = local(source("googlenet"), server, caffemodel)
    path = tmp_path / "brought.caffemodel"
    path.write_bytes(caffemodel)
    (tmp_path / "names.txt").write_text("\n".join(f"class {i}" for i in range(1000)))
    registry = Registry(tmp_path / "models")
    files = fetch(wanted, registry, file=path, labels=tmp_path / "names.txt", name="mine")
    assert (files.name, files.labels[7], files.info.source) == ("mine", "class 7", "brought.caffemodel")
    assert path.exists()
    log: list[str] = []
    assert fetch(wanted, registry, file=path, name="nameless", download=Download(notify=log.append)).labels == ()
    assert "--labels" in log[-1]
    assert server.requests == []
    path.write_bytes(caffemodel[:-1])
    with pytest.raises(LibraryError, match=f"received {len(caffemodel) - 1} bytes, expected {len(caffemodel)}"):
        fetch(wanted, registry, file=path, name="other")
    with pytest.raises(LibraryError, match="there is no file"):
        fetch(wanted, registry, file=tmp_path / "absent", name="other")


def test_the_command_fetches_and_tells(
    server: Server, tmp_path: Path, caffemodel: bytes, published: Source, capsys: pytest.CaptureFixture[str]
) -> None:
    server.files["labels"] = "".join(f"{'banana' if i == 954 else i}\n" for i in range(1000)).encode()
    call_command("model", "fetch", "googlenet", "--as", "mine")
    out, err = capsys.readouterr()
    assert "mine: GoogLeNet (BVLC), 141 layers, 1000 labels" in out
    assert "Licence: unrestricted" in err
    assert "100%" in err  # of the progress
    server.files.clear()
    with pytest.raises(CommandError, match=r"could not be downloaded(?s:.*)404(?s:.*)--from FILE"):
        call_command("model", "fetch", "googlenet")


def unpublished(wanted: Source, *urls: str) -> Source:
    """The source as one for which nobody published a checksum or a size."""
    weights = dataclasses.replace(wanted.weights, urls=urls, sha256="", sha1="", size=0)
    return dataclasses.replace(wanted, weights=weights)


def test_a_page_instead_of_a_file_without_a_checksum_is_not_kept(
    server: Server,
    tmp_path: Path,
    caffemodel: bytes,
    published: Source,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A hotel's sign-in page comes with status 200; the next run, from the true server, brings the network."""
    monkeypatch.setitem(SOURCES, "googlenet", unpublished(published, server.url("weights")))
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
    server: Server, tmp_path: Path, log: list[str], caffemodel: bytes
) -> None:
    wanted = local(source("googlenet"), server, caffemodel)
    server.files.update({"page": PAGE, "cut": caffemodel[: len(caffemodel) // 2]})
    wanted = unpublished(wanted, server.url("page"), server.url("cut"), server.url("weights"))
    files = fetch(wanted, Registry(tmp_path), download=Download(notify=log.append))
    assert files.info.source == server.url("weights")
    assert sum("is not a .caffemodel file, or it is cut short" in line for line in log) == 2


def test_two_fetches_at_once_wait_for_each_other(
    server: Server, tmp_path: Path, log: list[str], caffemodel: bytes
) -> None:
    """Both would write into one file: the second waits, and then finds the model there."""
    requested = threading.Event()

    def slow(handler: Handler, data: bytes) -> None:
        requested.set()
        handler.server.release.wait(PATIENCE)
        handler.whole(data)

    def notify(text: str) -> None:
        log.append(text)
        server.release.set()

    wanted = local(source("googlenet"), server, caffemodel)
    server.faults["weights"] = slow
    registry = Registry(tmp_path)
    first = threading.Thread(target=fetch, args=(wanted, registry))
    first.start()
    assert requested.wait(PATIENCE)
    with pytest.raises(LibraryError, match="already a model 'googlenet'"):
        fetch(wanted, registry, download=Download(notify=notify))
    first.join()
    assert log == ["another fetch is under way; waiting for its end"]
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
