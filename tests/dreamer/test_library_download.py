"""Downloading over HTTP: what arrives is whole and right, or it is said what is wrong and the mirror is asked."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import numpy as np
import pytest

from dreamer.library import LibraryError, download
from dreamer.library.download import Download
from dreamer.library.sources import Part
from tests.running import PATIENCE

from .server import PAGE, Handler, Server, broken_after

DATA = np.random.default_rng(3).bytes(300_000)
SHA256 = hashlib.sha256(DATA).hexdigest()


def get(part: Part, folder: Path, log: list[str]) -> bytes:
    return Download(stall=PATIENCE, notify=log.append).get(part, folder, Path.read_bytes)[0]


def test_a_file_comes_whole_and_reports_progress(server: Server, tmp_path: Path) -> None:
    server.files["a"] = DATA
    seen: list[tuple[int, int]] = []
    loader = Download(progress=lambda done, total: seen.append((done, total)))
    part = Part("a", (server.url("a"),), sha256=SHA256)
    assert loader.get(part, tmp_path, Path.read_bytes) == (DATA, server.url("a"))
    assert seen[-1] == (len(DATA), len(DATA))
    assert [d for d, _ in seen] == sorted(d for d, _ in seen)
    assert not list(tmp_path.glob("*.part"))
    assert loader.get(part, tmp_path, Path.read_bytes) == (DATA, "")
    assert len(server.requests) == 1  # it is there: nothing is asked for again


def test_404_then_the_mirror(server: Server, tmp_path: Path, log: list[str]) -> None:
    server.files["mirror"] = DATA
    part = Part("a", (server.url("gone"), server.url("mirror")), sha256=SHA256)
    assert get(part, tmp_path, log) == DATA
    assert any("404" in line for line in log)


def test_a_wrong_file_is_refused_and_the_mirror_asked(server: Server, tmp_path: Path, log: list[str]) -> None:
    server.files["wrong"] = b"<html>moved</html>" * 1000
    server.files["mirror"] = DATA
    part = Part("a", (server.url("wrong"), server.url("mirror")), sha1=hashlib.sha1(DATA).hexdigest())
    assert get(part, tmp_path, log) == DATA
    assert server.requests[1] == ("mirror", None)  # nothing of the wrong file is carried on


def test_all_wrong_says_received_and_expected(server: Server, tmp_path: Path, log: list[str]) -> None:
    wrong = b"something else"
    server.files["wrong"] = wrong
    part = Part("net.bin", (server.url("wrong"), server.url("gone")), sha256=SHA256)
    with pytest.raises(LibraryError) as caught:
        get(part, tmp_path, log)
    text = str(caught.value)
    assert f"received sha256 {hashlib.sha256(wrong).hexdigest()}, expected {SHA256}" in text
    assert "gone: 404" in text
    assert "--from FILE" in text
    assert not list(tmp_path.iterdir())  # a wrong file is not left to be resumed


def test_a_wrong_size_is_known_before_it_is_downloaded(server: Server, tmp_path: Path, log: list[str]) -> None:
    server.files["short"] = DATA[:1000]
    with pytest.raises(LibraryError, match=f"the file there has 1000 bytes, expected {len(DATA)}"):
        get(Part("a", (server.url("short"),), size=len(DATA)), tmp_path, log)


def test_truncated_answers_are_resumed(server: Server, tmp_path: Path, log: list[str]) -> None:
    server.files["a"] = DATA
    server.faults["a"] = broken_after(110_000)
    assert get(Part("a", (server.url("a"),), sha256=SHA256), tmp_path, log) == DATA
    assert server.requests == [("a", None), ("a", "bytes=110000-"), ("a", "bytes=220000-")]


def test_a_second_run_resumes_the_first(server: Server, tmp_path: Path, log: list[str]) -> None:
    server.files["a"] = DATA
    (tmp_path / "a.part").write_bytes(DATA[:200_000])
    assert get(Part("a", (server.url("a"),), sha256=SHA256), tmp_path, log) == DATA
    assert server.requests == [("a", "bytes=200000-")]


def test_a_complete_part_needs_no_request(server: Server, tmp_path: Path, log: list[str]) -> None:
    (tmp_path / "a.part").write_bytes(DATA)
    part = Part("a", (server.url("a"),), sha256=SHA256, size=len(DATA))
    assert get(part, tmp_path, log) == DATA
    assert server.requests == []


def test_a_server_that_ignores_ranges_starts_over(server: Server, tmp_path: Path, log: list[str]) -> None:
    server.files["a"] = DATA
    server.faults["a"] = lambda handler, data: handler.whole(data, ranges=False)
    (tmp_path / "a.part").write_bytes(b"x" * 5000 + DATA[5000:200_000])
    assert get(Part("a", (server.url("a"),), sha256=SHA256), tmp_path, log) == DATA
    assert server.requests == [("a", "bytes=200000-")]


@pytest.mark.parametrize("left", [b"x" * 1000, b"x" * 400_000], ids=["wrong beginning", "longer than the file"])
def test_a_part_of_something_else_is_thrown_away(server: Server, tmp_path: Path, log: list[str], left: bytes) -> None:
    server.files["a"] = DATA
    (tmp_path / "a.part").write_bytes(left)
    assert get(Part("a", (server.url("a"),), sha256=SHA256), tmp_path, log) == DATA
    assert server.requests[-1] == ("a", None)


def test_a_stalled_server_is_left_for_the_mirror(server: Server, tmp_path: Path, log: list[str]) -> None:
    """It sends a beginning and then nothing: what came is kept, and the mirror asked for the rest."""

    def stall(handler: Handler, data: bytes) -> None:
        if handler.headers.get("Range") is None:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data[:100_000])
            handler.wfile.flush()
        handler.server.release.wait(PATIENCE)

    server.files["slow"] = server.files["mirror"] = DATA
    server.faults["slow"] = stall
    part = Part("a", (server.url("slow"), server.url("mirror")), sha256=SHA256)

    def notify(line: str) -> None:
        log.append(line)
        if "from" in line and "mirror" in line:
            loader.stall = PATIENCE  # it is not to be left, however slow this machine is

    loader = Download(stall=0.5, notify=notify)
    assert loader.get(part, tmp_path, Path.read_bytes)[0] == DATA
    assert server.requests[-1][0] == "mirror"
    assert server.requests[-1][1] is not None  # resumed, not begun again
    assert any("no data" in line for line in log)


@pytest.mark.parametrize("ranges", [True, False])
def test_a_server_that_never_gets_further_is_left(server: Server, tmp_path: Path, log: list[str], ranges: bool) -> None:
    """It promises more than it has: resuming is refused, beginning again brings the same half."""
    server.files.update({"half": DATA[:1000], "mirror": DATA})
    server.faults["half"] = lambda handler, data: handler.whole(data, ranges, len(DATA))
    part = Part("a", (server.url("half"), server.url("mirror")), sha256=SHA256)
    assert get(part, tmp_path, log) == DATA
    assert server.requests.count(("half", None)) < 6


def test_no_network_at_all_is_said(tmp_path: Path, log: list[str]) -> None:
    with Server() as gone:
        url = gone.url("a")
    with pytest.raises(LibraryError, match=r"a could not be downloaded(?s:.*)refused(?s:.*)--from FILE"):
        get(Part("a", (url,)), tmp_path, log)
    with pytest.raises(LibraryError, match="no web address"):
        get(Part("a", ("file:///etc/hostname",)), tmp_path, log)


def test_a_full_disk_is_not_blamed_on_the_server(
    server: Server, tmp_path: Path, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    server.files["a"] = DATA
    monkeypatch.setattr("dreamer.library.download.os.fsync", full)
    for requests, sha256 in enumerate((SHA256, ""), 1):
        with pytest.raises(LibraryError, match=r"a\.part cannot be written: .*No space left"):
            get(Part("a", (server.url("a"), server.url("mirror")), sha256=sha256), tmp_path, log)
        assert len(server.requests) == requests
    assert not list(tmp_path.iterdir())


# --- whole models


def test_without_a_checksum_nothing_goes_from_one_address_or_run_into_another(
    server: Server, tmp_path: Path, log: list[str]
) -> None:
    """Within one run and address a broken download is resumed all the same."""
    server.files.update({"broken": b"x" * 1000, "mirror": DATA})
    server.faults["broken"] = lambda handler, data: handler.whole(data, length=len(DATA))
    server.faults["mirror"] = broken_after(200_000)
    for left in ("a", "a.part"):
        (tmp_path / left).write_bytes(b"x" * 5000)
    assert get(Part("a", (server.url("broken"), server.url("mirror"))), tmp_path, log) == DATA
    assert server.requests[0] == ("broken", None)
    assert server.requests[-2:] == [("mirror", None), ("mirror", "bytes=200000-")]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("with_length", [True, False], ids=["length given", "length not given"])
def test_a_file_below_the_least_size_is_refused(
    server: Server, tmp_path: Path, log: list[str], with_length: bool
) -> None:
    def unsaid(handler: Handler, data: bytes) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(data)

    server.files["page"] = PAGE
    if not with_length:
        server.faults["page"] = unsaid
    with pytest.raises(LibraryError, match=f"{len(PAGE)} bytes, expected {len(DATA)} or more"):
        get(Part("a", (server.url("page"),), at_least=len(DATA)), tmp_path, log)
    assert not list(tmp_path.iterdir())


def test_a_file_without_end_is_left_and_not_kept(
    server: Server, tmp_path: Path, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsaid(handler: Handler, data: bytes) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(data)

    monkeypatch.setattr(download, "LARGEST", 100_000)
    server.files["a"], server.faults["a"] = DATA, unsaid
    with pytest.raises(LibraryError, match="more than 100000 bytes"):
        get(Part("a", (server.url("a"),), sha256=SHA256), tmp_path, log)
    assert not list(tmp_path.iterdir())
