"""`manage.py model`, from outside."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from django.core.management import CommandError, call_command

from canvas.models import Canvas
from canvas.moderation.models import Act
from dreamer.library import Registry
from dreamer.library.sources import SOURCES
from dreamer.networks import choosing, fetching
from dreamer.registered import default_model, registry

from . import caffe_files
from .graphdef import GraphDef
from .test_library_onnx import tiny

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def models(tmp_path: Path, settings: Any) -> Path:
    settings.MODELS_DIR = tmp_path / "models"
    return tmp_path / "models"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    onnx.save(tiny(), str(tmp_path / "My Net.onnx"))
    return tmp_path / "My Net.onnx"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    call_command("model", *map(str, arguments))
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_import_list_layers_remove(file: Path, capsys: pytest.CaptureFixture[str], models: Path) -> None:
    text = run(capsys, "import", file, "--channel-order", "BGR", "--mean", "104,117,123", "--title", "Mine")
    assert "my-net: Mine" in text
    assert "BGR, mean (104, 117, 123)" in text
    assert Registry(models).get("my-net").info.mean == (104, 117, 123)
    listed = run(capsys, "list")
    assert "my-net" in listed
    assert "Mine" in listed
    layers = run(capsys, "layers", "my-net").split()
    assert layers == ["conv", "6", "relu", "6", "pool", "6", "flat", "6", "logits", "5"]
    assert run(capsys, "layers", "my-net", "--match", "re").split() == ["relu", "6"]
    with pytest.raises(CommandError, match="no layer's name contains 'reluu'; near are relu"):
        run(capsys, "layers", "my-net", "--match", "reluu")
    assert "removed my-net" in run(capsys, "remove", "my-net")
    assert "model fetch googlenet" in run(capsys, "list")


def test_a_broken_folder_is_listed_as_such(file: Path, capsys: pytest.CaptureFixture[str], models: Path) -> None:
    run(capsys, "import", file, "--convention", "raw", "--name", "one")
    (models / "one" / "model.onnx").write_bytes(b"half")
    with pytest.raises(CommandError, match=r"model\.onnx is damaged: .*fetch or import the model again"):
        run(capsys, "layers", "one")
    (models / "one" / "model.json").write_text("{}")
    assert "import the model again" in run(capsys, "list")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["import", "absent.onnx"], "there is no file absent.onnx"),
        (["import", __file__], "expected a name ending in .onnx, .caffemodel, .pb"),
        (["fetch", "inception5"], "did you mean inception5h"),
        (["fetch", "googlenet", "--from", "absent"], "there is no file absent"),
        (["fetch", "googlenet", "--from", __file__], "expected 53533754"),
        (["layers", "googlenet"], "unknown model 'googlenet': there are none yet"),
        (["remove", "x"], "unknown model 'x'"),
        (["import", "a.onnx", "--mean", "1,2"], "not one number, three with commas"),
        (["fetch", "googlenet", "--stall", "-1"], "'-1' is not a number of seconds above 0"),
        (["fetch", "googlenet", "--stall", "nan"], "'nan' is not a number of seconds above 0"),
        (["fetch", "googlenet", "--labels", "absent.txt"], "No such file or directory: 'absent.txt'"),
        (["fetch", "googlenet", "--as", "house"], "'house' is a network that comes with the program"),
        (["import", "夢.onnx"], "no name for a model can be made of '夢.onnx'; give one"),
        (["import", "house.onnx"], "'house' is a network that comes with the program; give another name"),
        (["import", "a.onnx", "--channel-order", "GRB"], "invalid choice: 'GRB'"),
        ([], "required"),
    ],
)
def test_mistakes_are_explained(arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError) as caught:
        run(capsys, *arguments)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--mean nan", "the mean is (nan, nan, nan), expected numbers from 0 to 255"),
        ("--mean 104,inf,123", "the mean is (104.0, inf, 123.0), expected"),
        ("--mean 1040,117,123", "the mean is (1040.0, 117.0, 123.0), expected"),
        ("--mean 0 --scale nan", "the scale is nan, expected a number from 1e-06"),
        ("--mean 0 --scale inf", "the scale is inf, expected"),
        ("--mean 0 --scale=-1", "the scale is -1.0, expected"),
        ("--mean 0 --scale 1e-50", "the scale is 1e-50, expected"),
        ("--mean 0 --size=-5", "the size is -5 px, expected 8 to 4096"),
        ("--mean 0 --size 0", "the size is 0 px, expected"),
    ],
)
def test_what_would_turn_every_dream_black_is_refused(
    file: Path, words: str, expected: str, capsys: pytest.CaptureFixture[str], models: Path
) -> None:
    with pytest.raises(CommandError) as caught:
        run(capsys, "import", file, "--channel-order", "RGB", *words.split())
    assert expected in str(caught.value)
    assert Registry(models).names() == ()


def test_damaged_files_of_every_kind_are_told_of_without_a_traceback(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], models: Path
) -> None:
    """Whatever is wrong inside: numbers that are none, attributes that are missing, shapes that do not fit."""
    graph = GraphDef()
    graph.node("MaxPool", "pool", graph.node("Placeholder", "image"), padding="SAME")
    (tmp_path / "net.pb").write_bytes(graph.data())
    weights = [np.ones((4, 3, 3, 3), np.float32), np.zeros(4, np.float32)]
    (tmp_path / "net.caffemodel").write_bytes(caffe_files.v2({"conv": weights}))
    (tmp_path / "net.prototxt").write_text(
        'input: "data" layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" '
        "convolution_param { num_output: four kernel_size: 3 } }"
    )
    net = tiny()
    net.graph.initializer[0].dims[0] = 1 << 40
    onnx.save(net, str(tmp_path / "net.onnx"))
    wrong = r"cannot be imported: it is damaged, or made in a way not"
    for kind, more, match in (
        (".pb", [], rf"net\.pb {wrong}"),
        (".caffemodel", ["--prototxt", tmp_path / "net.prototxt"], r"net\.prototxt: line 1: .*integer: four"),
        (".onnx", [], rf"net\.onnx {wrong}"),
    ):
        with pytest.raises(CommandError, match=match):
            run(capsys, "import", tmp_path / f"net{kind}", "--convention", "raw", *more)
    assert not models.exists()


@pytest.mark.parametrize("channels", [1, 4])
def test_a_network_for_other_than_colour_pictures_is_refused(
    channels: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = GraphDef()
    weight = graph.const("w", np.ones((3, 3, channels, 4), np.float32))
    graph.node("Conv2D", "conv", graph.node("Placeholder", "image"), weight, padding="SAME", strides=[1, 1, 1, 1])
    (tmp_path / "net.pb").write_bytes(graph.data())
    expected = f"'conv' takes {channels} channels, but the picture has 3; only networks for colour pictures"
    with pytest.raises(CommandError, match=expected):
        run(capsys, "import", tmp_path / "net.pb", "--convention", "raw")


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = tiny()
    tensor = next(t for t in net.graph.initializer if len(t.dims) == 4)
    value = onnx.numpy_helper.to_array(tensor).copy()
    value[0, 0, 0, 0] = np.nan
    tensor.CopyFrom(onnx.numpy_helper.from_array(value, tensor.name))
    onnx.save(net, str(tmp_path / "net.onnx"))
    with pytest.raises(CommandError, match="holds 1 values that are no numbers; the file is damaged"):
        run(capsys, "import", tmp_path / "net.onnx", "--convention", "raw")


@pytest.mark.parametrize("count", [0, 2, 4, 6])
def test_there_is_a_label_for_each_class(
    file: Path, tmp_path: Path, count: int, capsys: pytest.CaptureFixture[str], models: Path
) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("thing\n" * count)
    expected = f"{count} labels were given, but the network tells 5 classes apart; expected a line for each"
    with pytest.raises(CommandError, match=expected if count else r"labels\.txt holds no class names"):
        run(capsys, "import", file, "--convention", "raw", "--labels", labels)
    labels.write_text("thing\n" * 5)
    assert "5 labels" in run(capsys, "import", file, "--convention", "raw", "--labels", labels)


def test_an_unknown_network_is_asked_about(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="Give --channel-order and --mean"):
        run(capsys, "import", file)


def test_a_mean_picture_and_a_prototxt(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], models: Path
) -> None:
    mean = tmp_path / "mean.binaryproto"
    mean.write_bytes(caffe_files.blob(np.ones((1, 3, 2, 2), np.float32) * np.array([10, 20, 30]).reshape(3, 1, 1)))
    random = np.random.default_rng(1)
    weights = [random.normal(0, 1, (4, 3, 3, 3)).astype(np.float32), np.zeros(4, np.float32)]
    (tmp_path / "net.caffemodel").write_bytes(caffe_files.v2({"conv": weights}))
    (tmp_path / "net.prototxt").write_text(
        'input: "data" input_shape { dim: 1 dim: 3 dim: 32 dim: 32 }'
        'layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" '
        "convolution_param { num_output: 4 kernel_size: 3 } }"
    )
    run(
        capsys,
        "import",
        tmp_path / "net.caffemodel",
        "--prototxt",
        tmp_path / "net.prototxt",
        "--mean",
        mean,
        "--channel-order",
        "BGR",
    )
    assert Registry(models).get("net").info.mean == (10, 20, 30)
    with pytest.raises(CommandError, match=r"a \.prototxt describes Caffe nets"):
        run(capsys, "import", file, "--prototxt", tmp_path / "net.prototxt")


def conv(graph: GraphDef, name: str, source: str) -> str:
    weight = graph.const(f"{name}_w", np.ones((3, 3, 3, 4), np.float32))
    return graph.node("Conv2D", name, source, weight, padding="SAME", strides=[1, 1, 1, 1])


def test_a_tensorflow_graph_is_told_which_tensor_to_feed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], models: Path
) -> None:
    """Two placeholders, as dropout leaves them; and a classifier that decodes a JPEG first."""
    two = GraphDef()
    two.node("Placeholder", "image")
    two.node("Placeholder", "keep_prob")
    two.node("Relu", "seen", conv(two, "conv", "image"))
    two.node("RealDiv", "dropped", "seen", "keep_prob")
    two.node("Relu", "after", "dropped")
    (tmp_path / "two.pb").write_bytes(two.data())
    words = ["import", tmp_path / "two.pb", "--convention", "raw"]
    with pytest.raises(CommandError, match=r"found image, keep_prob; name the tensor to feed with --input"):
        run(capsys, *words)
    text = run(capsys, *words, "--input", "image")
    assert "left out dropped (RealDiv, and nothing says what keep_prob is)" in text
    assert Registry(models).get("two").info.input == "image"
    assert list(Registry(models).layers("two")) == ["conv", "seen"]
    run(capsys, *words, "--input", "image:0", "--name", "as-tensorflow-says-it")
    assert Registry(models).get("as-tensorflow-says-it").info.input == "image"

    jpeg = GraphDef()
    jpeg.node("ResizeBilinear", "resized", jpeg.node("DecodeJpeg", "decoded", jpeg.node("Placeholder", "jpeg")))
    conv(jpeg, "conv", "resized")
    (tmp_path / "jpeg.pb").write_bytes(jpeg.data())
    words = ["import", tmp_path / "jpeg.pb", "--convention", "raw"]
    with pytest.raises(CommandError, match=r"nothing after 'jpeg' can be imported .*; name the tensor to feed"):
        run(capsys, *words)
    with pytest.raises(CommandError, match="unknown tensor 'resize': did you mean resized"):
        run(capsys, *words, "--input", "resize")
    run(capsys, *words, "--input", "resized")
    assert Registry(models).get("jpeg").info.input == "resized"


def test_the_input_of_a_caffe_net_is_the_one_it_describes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = [np.ones((4, 3, 3, 3), np.float32), np.zeros(4, np.float32)]
    (tmp_path / "net.caffemodel").write_bytes(caffe_files.v2({"conv": weights}))
    (tmp_path / "net.prototxt").write_text(
        'input: "data" input_shape { dim: 1 dim: 3 dim: 32 dim: 32 }'
        'layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" '
        "convolution_param { num_output: 4 kernel_size: 3 } }"
    )
    words = ["import", tmp_path / "net.caffemodel", "--prototxt", tmp_path / "net.prototxt", "--convention", "caffe"]
    with pytest.raises(CommandError, match="no input is called 'image'; there are data"):
        run(capsys, *words, "--input", "image")
    run(capsys, *words, "--input", "data")


def test_help_is_made_from_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("model", "fetch", "--help")
    text = capsys.readouterr().out
    assert all(name in text for name in SOURCES)
    assert "Apache-2.0" in text


# --- who dreams with it ----------------------------------------------------------------------------------------------


@pytest.fixture
def canvas(models: Path, settings: Any) -> Canvas:
    settings.HOUSE_MODEL = True
    return Canvas.objects.create(slug="here", title="Here", width=64, height=64)


def dreams_with(canvas: Canvas) -> str:
    return default_model(choosing.chosen(Canvas.objects.select_related("choice").get(pk=canvas.pk)))


def answered(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Somebody sits at the terminal."""
    terminal = io.StringIO(f"{answer}\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)


def test_an_import_changes_no_canvas_until_somebody_says_so(
    canvas: Canvas, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = run(capsys, "import", file, "--convention", "raw")
    assert "Here dreams with house; `manage.py model use my-net` changes that" in text
    assert dreams_with(canvas) == "house"
    assert "Here dreams with my-net" in run(capsys, "use", "my-net") and dreams_with(canvas) == "my-net"
    act = Act.objects.get()
    assert (act.verb, act.by, act.canvas, act.what) == ("network-use", None, canvas, {"before": "", "after": "my-net"})
    with pytest.raises(CommandError, match="unknown model 'my-nett': did you mean my-net"):
        run(capsys, "use", "my-nett")
    with pytest.raises(CommandError, match="unknown canvas 'there': did you mean here"):
        run(capsys, "use", "my-net", "--canvas", "there")
    assert "Here dreams with house" in run(capsys, "use", "site", "--canvas", "here")
    assert dreams_with(canvas) == "house"


def test_an_import_for_use_is_used(canvas: Canvas, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Here: my-net" in run(capsys, "import", file, "--convention", "raw", "--use")
    assert dreams_with(canvas) == "my-net"


@pytest.mark.parametrize(("answer", "after"), [("y", "my-net"), ("", "house"), ("no", "house")])
def test_at_a_terminal_it_asks(
    canvas: Canvas,
    file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    after: str,
) -> None:
    answered(monkeypatch, answer)
    assert "Dream with my-net from now on? [y/N]" in run(capsys, "import", file, "--convention", "raw")
    assert dreams_with(canvas) == after


def test_what_would_dream_at_once_is_imported_only_when_that_is_meant(
    canvas: Canvas, file: Path, capsys: pytest.CaptureFixture[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network under the name of the site's own takes over where nobody chose."""
    settings.DREAM_FETCH = "googlenet"
    arguments = ("import", file, "--convention", "raw", "--name", "googlenet")
    with pytest.raises(CommandError, match=r"Here would dream with it at once.* give --use, else another --name"):
        run(capsys, *arguments)
    answered(monkeypatch, "n")
    with pytest.raises(CommandError, match="Here would dream with it at once"):
        run(capsys, *arguments)
    assert registry().names() == ("house",)
    answered(monkeypatch, "y")
    run(capsys, *arguments)
    assert dreams_with(canvas) == "googlenet" and not Act.objects.exists()


def test_where_nothing_dreams_an_import_dreams_without_a_question(
    canvas: Canvas, file: Path, capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    settings.HOUSE_MODEL = False
    assert "model use" not in run(capsys, "import", file, "--convention", "raw")
    assert dreams_with(canvas) == "my-net"


def test_what_is_removed_does_not_come_back_by_itself(
    canvas: Canvas, file: Path, capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    settings.DREAM_FETCH = "googlenet"
    assert fetching.expected() is not None
    run(capsys, "import", file, "--convention", "raw", "--name", "googlenet", "--use")
    run(capsys, "remove", "googlenet")
    choosing.use(canvas, "", None)
    assert fetching.expected() is None
