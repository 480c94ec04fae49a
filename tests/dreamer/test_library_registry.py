"""The folder of models: what is kept, what readers meet, and what is said when something is wrong."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamer.engine import Network
from dreamer.library import LibraryError, ModelFiles, ModelInfo, Registry, ShelfStyle, nearest, open_model
from dreamer.library.files import read_shelf
from dreamer.library.importing import misfit
from dreamer.library.registry import SHELVES

from .test_library_onnx import tiny


@pytest.fixture
def file(tmp_path: Path) -> Path:
    onnx.save(tiny(), str(tmp_path / "tiny.onnx"))
    return tmp_path / "tiny.onnx"


@pytest.fixture
def registry(tmp_path: Path, file: Path) -> Registry:
    found = Registry(tmp_path / "models")
    found.import_file(file, "tiny", convention="torchvision", labels=["a", "b", "c", "d", "e"])
    return found


def test_what_is_kept_is_what_is_read(registry: Registry) -> None:
    files = registry.get("tiny")
    assert files == registry.list()[0] == open_model("tiny", str(registry.root))
    assert files.model == registry.root / "tiny" / "model.onnx"
    assert (files.name, files.labels) == ("tiny", ("a", "b", "c", "d", "e"))
    assert files.info.source == "tiny.onnx"
    assert registry.verify("tiny") == files
    written = json.loads((files.path / "model.json").read_text())
    assert ModelInfo.from_json(written) == files.info
    assert written["layout"] == "NCHW"


def test_the_engine_sees_the_same_layers(registry: Registry) -> None:
    network = Network.open(registry.get("tiny").path, device="cpu")
    assert {name: layer.channels for name, layer in network.layers.items()} == registry.layers("tiny")


def test_the_library_needs_no_django_and_no_runtime() -> None:
    code = "import dreamer.library.fetch, sys; print(*({'django', 'onnxruntime', 'torch', 'PIL'} & set(sys.modules)))"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_names(registry: Registry, file: Path) -> None:
    with pytest.raises(LibraryError, match="unknown model 'tinny': did you mean tiny"):
        registry.get("tinny")
    with pytest.raises(LibraryError, match="already a model 'tiny'"):
        registry.import_file(file, "tiny", convention="raw")
    for name in ("", "Tiny", "../tiny", ".tiny", "a/b", "a" * 65):
        with pytest.raises(LibraryError, match="cannot name a model"):
            registry.import_file(file, name, convention="raw")
    assert registry.names() == ("tiny",)


def test_replacing_and_removing(registry: Registry, file: Path) -> None:
    registry.import_file(file, "tiny", convention="raw", replace=True)
    assert registry.get("tiny").info.mean == (0, 0, 0)
    registry.remove("tiny")
    assert registry.list() == ()
    assert list(registry.root.iterdir()) == []
    with pytest.raises(LibraryError, match="unknown model 'tiny': there are none yet"):
        registry.remove("tiny")


def test_a_failed_import_leaves_what_was_there(registry: Registry, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = registry.get("tiny")
    monkeypatch.setattr("dreamer.library.registry.sync_all", lambda folder: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        registry.import_file(file, "tiny", convention="raw", replace=True)
    assert registry.get("tiny") == before
    assert [p.name for p in registry.root.iterdir()] == ["tiny"]


def test_readers_never_meet_half_a_model(registry: Registry, file: Path) -> None:
    """While a model is replaced again and again, whoever reads it gets a whole one."""
    stop = threading.Event()
    broken: list[str] = []

    def read() -> None:
        while not stop.is_set():
            try:
                registry.get("tiny")
            except LibraryError as error:
                broken.append(str(error))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(15):
        registry.import_file(file, "tiny", convention="raw", replace=True)
    stop.set()
    reader.join()
    assert broken == []


def test_of_two_imports_at_once_the_first_stays(
    registry: Registry, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other registers its model while this one is being written."""

    def meanwhile(folder: Path) -> None:
        monkeypatch.undo()
        registry.import_file(file, "new", convention="torchvision")

    monkeypatch.setattr("dreamer.library.registry.sync_all", meanwhile)
    with pytest.raises(LibraryError, match="another process registered a model 'new' meanwhile"):
        registry.import_file(file, "new", convention="raw")
    assert registry.get("new").info.mean != (0, 0, 0)
    assert sorted(p.name for p in registry.root.iterdir()) == ["new", "tiny"]


def test_a_replacement_that_is_stopped_between_the_two_renames_puts_back_what_was_there(
    registry: Registry, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, rename = registry.get("tiny"), Path.rename

    def stopped(path: Path, target: Path) -> Path:
        if target == before.path and (path.parent / "replaced").exists():
            monkeypatch.undo()
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        registry.import_file(file, "tiny", convention="raw", replace=True)
    assert registry.get("tiny") == before
    assert [p.name for p in registry.root.iterdir()] == ["tiny"]


def test_a_process_killed_between_the_two_renames_loses_nothing(registry: Registry) -> None:
    before = registry.get("tiny")
    scratch = registry.root / ".scratch-tiny-killed"
    shutil.copytree(before.path, scratch / "tiny")
    before.path.rename(scratch / "replaced")
    os.utime(scratch, (time.time() - 10,) * 2)
    assert registry.list() == (before,)
    assert registry.get("tiny") == before


def test_scratch_of_a_killed_import_is_swept_and_never_listed(registry: Registry, file: Path) -> None:
    left = registry.root / ".scratch-tiny-x"
    left.mkdir()
    (left / "model.onnx").write_bytes(b"half")
    os.utime(left, (time.time() - 90000,) * 2)
    assert registry.names() == ("tiny",)
    registry.import_file(file, "other", convention="raw")
    assert not left.exists()


def test_builtin_models_are_read_only_and_yield(tmp_path: Path, registry: Registry, file: Path) -> None:
    both = Registry(tmp_path / "own", registry.root)
    assert both.get("tiny") == registry.get("tiny")
    with pytest.raises(LibraryError, match="comes with the program"):
        both.remove("tiny")
    both.import_file(file, "tiny", convention="raw")
    assert both.get("tiny").path.parent == tmp_path / "own"
    both.remove("tiny")
    assert both.get("tiny").path.parent == registry.root


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("mean", [1, 2], "mean is .1, 2., expected three numbers"),
        ("channel_order", "GRB", "channel_order is 'GRB', expected RGB or BGR"),
        ("scale", 0, "scale is 0.0, expected a number above 0"),
        ("scale", "big", "scale is 'big', which is not a number"),
        ("layout", "NHWC", "layout is 'NHWC'"),
        ("min_size", True, "min_size is True, which is not a whole number"),
        ("size_multiple", 0, "size_multiple is 0, expected at least 1"),
        ("input", None, "input is None, which is not a text"),
    ],
)
def test_a_wrong_model_json_is_explained(registry: Registry, field: str, value: object, expected: str) -> None:
    path = registry.root / "tiny" / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(LibraryError, match=f"model.json: {expected}"):
        registry.get("tiny")
    assert registry.list() == ()
    assert "import the model again" in registry.problems()[0]


def test_damaged_folders_are_told_apart(registry: Registry) -> None:
    folder = registry.root / "tiny"
    (folder / "labels.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(LibraryError, match=r"labels\.txt is not a UTF-8 text"):
        registry.get("tiny")
    (folder / "labels.txt").unlink()
    (folder / "shelf.json").write_text('[{"layer": "x", "channel": -1}]')
    with pytest.raises(LibraryError, match=r"shelf\.json: the channel of x is -1"):
        registry.get("tiny")
    (folder / "shelf.json").unlink()
    with (folder / "model.onnx").open("ab") as out:
        out.write(b"\0")
    with pytest.raises(LibraryError, match="is damaged: its SHA-256 is"):
        registry.verify("tiny")
    (folder / "model.onnx").unlink()
    with pytest.raises(LibraryError, match=r"is not a model folder: it has no model\.onnx"):
        registry.get("tiny")
    (folder / "model.json").write_text("{")
    (folder / "model.onnx").write_bytes(b"x")
    with pytest.raises(LibraryError, match="not JSON"):
        registry.get("tiny")


def test_labels_keep_their_places(registry: Registry) -> None:
    """An empty line is a class without a name; only the end of the file may be empty."""
    (registry.root / "tiny" / "labels.txt").write_text("\ufeffa\r\n\r\nc\n\n\n", encoding="utf-8")
    assert registry.get("tiny").labels == ("a", "", "c")


def test_keys_of_later_versions_are_passed_over(registry: Registry) -> None:
    path = registry.root / "tiny" / "model.json"
    before = registry.get("tiny").info
    path.write_text(json.dumps({**json.loads(path.read_text()), "later": 1}))
    assert registry.get("tiny").info == before


@given(
    st.builds(
        ModelInfo,
        name=st.just("x"),
        title=st.text(),
        input=st.text(),
        channel_order=st.sampled_from(["RGB", "BGR"]),
        mean=st.tuples(*[st.floats(-999, 999)] * 3),
        scale=st.floats(1e-6, 10),
        logits=st.none() | st.text(),
        notes=st.lists(st.text()).map(tuple),
    )
)
def test_model_json_round_trip(info: ModelInfo) -> None:
    assert ModelInfo.from_json(json.loads(json.dumps(info.to_json()))) == info


@given(st.text(max_size=12), st.lists(st.text(min_size=1, max_size=12), max_size=8, unique=True))
def test_nearest_are_known_names(name: str, known: list[str]) -> None:
    found = nearest(name, known)
    assert set(found) <= set(known)
    assert len(found) <= 3
    assert all(nearest(k, [k]) == [k] for k in known)


def test_styles_are_labelled_and_fitted() -> None:
    assert ShelfStyle("4c", 3).label == "4c:3"
    assert ShelfStyle("4c", None).label == "4c^2"
    assert ShelfStyle("4c", None, "Fur").label == "Fur"
    known = {"4c": 512}
    assert misfit(ShelfStyle("4c", 511), known) == ""
    assert misfit(ShelfStyle("4c", 512), known) == "4c has 512 channels, so no channel 512"
    assert misfit(ShelfStyle("4x", None), known) == "4x is no layer of the network"


@pytest.mark.googlenet
def test_the_whole_shelf_fits_the_real_googlenet(tmp_path: Path) -> None:
    folder = os.environ.get("DREAMSITE_TEST_GOOGLENET")
    if not folder:
        pytest.skip("DREAMSITE_TEST_GOOGLENET does not name a folder with googlenet.onnx")
    files = Registry(tmp_path).import_file(Path(folder) / "googlenet.onnx", "g", labels=Path(folder) / "labels.txt")
    assert files.shelf == read_shelf(SHELVES / "googlenet.json")
    assert len(files.shelf) >= 30
    assert any(s.channel is None for s in files.shelf)
    assert any(s.channel is not None for s in files.shelf)
    assert (files.info.channel_order, files.info.mean) == ("BGR", (104, 117, 123))
    assert dataclasses.replace(files, shelf=()) == dataclasses.replace(ModelFiles.read(files.path), shelf=())
