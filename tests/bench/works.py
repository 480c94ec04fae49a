"""What the studio is judged by, made through its own pages and worker: each work with its size, time and memory.

    python -m tests.bench.works --out FOLDER [--only banana,bison] [--googlenet FOLDER] [--network FOLDER ...]
        [--images FOLDER]

exhibit   five photographs before and after, hung with a statement and credits
banana    static into a banana
bison     a picture through forty steps, as a GIF
networks  one picture in every network at hand, and all of them beside it on one sheet
zoom      a steered zoom of one minute, with music and its credit
video     a ten-second video with sound
large     a journey of a few seconds in 4K

Pictures, music and the video are made here; `--images` takes photographs of yours instead. The times are this
machine's, with all else that runs on it.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tests import environment

environment.isolate()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dreamsite.settings")

JSON = {"Accept": "application/json"}
CREDIT = {"title": "Slow river", "author": "made by this bench", "licence": "CC0", "link": "https://example.org/river"}
STYLE = {"network": "house", "layer": "inception_4b/forms", "title": "Forms"}
# Where a zoom of one minute goes: as somebody would click, a little off the middle, now to one side, now the other.
CLICKS = [(0.5 + 0.18 * np.cos(2.4 * n), 0.5 + 0.18 * np.sin(2.4 * n)) for n in range(23)]


def city(seed: int, width: int = 960, height: int = 720) -> Image.Image:
    """A street in the evening: houses with windows, trees, a sky."""
    random = np.random.default_rng(seed)
    top, low = random.integers(60, 200, 3), random.integers(120, 250, 3)
    ramp = np.linspace(0, 1, height)[:, None, None]
    pixels = (top * (1 - ramp) + low * ramp) * np.ones((1, width, 1))
    image = Image.fromarray(pixels.astype(np.uint8))
    draw = ImageDraw.Draw(image)
    x = 0
    while x < width:
        wide, tall = int(random.integers(80, 190)), int(random.integers(180, 520))
        wall = tuple(int(n) for n in random.integers(60, 190, 3))
        draw.rectangle((x, height - tall, x + wide, height), fill=wall)
        draw.polygon(
            ((x, height - tall), (x + wide / 2, height - tall - 60), (x + wide, height - tall)), fill=(90, 50, 45)
        )
        for y in range(height - tall + 24, height - 50, 56):
            for at in range(x + 14, x + wide - 30, 44):
                draw.rectangle(
                    (at, y, at + 22, y + 32), fill=(240, 210, 120) if random.random() < 0.5 else (50, 55, 75)
                )
        x += wide + int(random.integers(0, 40))
    for _ in range(5):
        at, size = int(random.integers(0, width)), int(random.integers(50, 100))
        draw.rectangle((at - 7, height - 90, at + 7, height), fill=(70, 50, 35))
        for _ in range(12):
            dx, dy = random.normal(0, size / 2.5, 2)
            leaf = (int(random.integers(30, 80)), int(random.integers(90, 150)), 50)
            draw.ellipse((at + dx - 26, height - 120 + dy - 26, at + dx + 26, height - 120 + dy + 26), fill=leaf)
    grain = random.normal(0, 5, (height, width, 3))
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(0.8))).astype(float) + grain
    return Image.fromarray(soft.clip(0, 255).astype(np.uint8))


def bison(width: int = 640, height: int = 480) -> Image.Image:
    """A dark hump, a head with horns, legs, on a pale plain."""
    random = np.random.default_rng(11)
    image = Image.new("RGB", (width, height), (196, 202, 205))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 300, width, height), fill=(176, 158, 110))
    for _ in range(900):
        x, y = int(random.integers(0, width)), int(random.integers(300, height))
        draw.line((x, y, x + 3, y - 12), fill=(150, 130, 70))
    for box in ((150, 150, 470, 350), (110, 130, 330, 340), (70, 200, 190, 330)):
        draw.ellipse(box, fill=(72, 48, 32))
    for x in (170, 220, 380, 425):
        draw.rectangle((x, 310, x + 26, 420), fill=(55, 36, 26))
    draw.arc((60, 180, 120, 250), 180, 330, fill=(225, 215, 190), width=8)
    draw.arc((130, 180, 190, 250), 210, 360, fill=(225, 215, 190), width=8)
    draw.ellipse((100, 245, 112, 257), fill=(10, 8, 8))
    noise = random.normal(0, 9, (height, width, 3))
    return Image.fromarray((np.asarray(image).astype(float) + noise).clip(0, 255).astype(np.uint8))


def river(seconds: float) -> bytes:
    """Music of a kind: slow chords that swell, as a WAV file's bytes."""
    import wave

    rate = 24_000
    at = np.arange(round(seconds * rate)) / rate
    sound = np.zeros_like(at)
    for number, chord in enumerate(((110, 165, 220), (98, 147, 196), (131, 196, 262), (87, 131, 175))):
        when = (at / 4).astype(int) % 4 == number
        for tone in chord:
            sound += when * np.sin(2 * np.pi * tone * at) * np.sin(np.pi * (at % 4) / 4) ** 2 / 4
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((sound * 20_000).astype("<i2").tobytes())
    return buffer.getvalue()


class Bench:
    """Somebody signed in at a site of their own, and what they made."""

    def __init__(self, out: Path, images: list[Path], networks: list[str]) -> None:
        from django.test import Client

        self.out, self.images, self.networks = out, images, networks
        self.number, self.client = 0, Client()
        self.began = time.monotonic()

    def somebody(self) -> None:
        """Signs in somebody new, whose day is unspent."""
        from canvas.models import CleanHours
        from dreamsite.core.models import User

        self.number += 1
        user = User.objects.create_user(f"maker{self.number}", password="a long walk by the sea")
        CleanHours.objects.create(user=user, hours=10_000)
        self.client.force_login(user)

    def pictures(self, count: int) -> list[Image.Image]:
        found = [Image.open(path).convert("RGB") for path in self.images[:count]]
        return found + [city(seed) for seed in range(count - len(found))]

    def post(self, address: str, **fields: Any) -> Any:
        answer = self.client.post(address, fields, headers=JSON)
        if answer.status_code >= 400:
            raise SystemExit(f"{address}: received {answer.status_code}: {answer.content.decode()[:300]}")
        return answer

    def brought(self, picture: Image.Image) -> Any:
        from django.core.files.uploadedfile import SimpleUploadedFile

        from gallery.studio.models import Original

        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=95)
        file = SimpleUploadedFile("picture.jpg", buffer.getvalue(), "image/jpeg")
        url = self.post("/studio/upload/", picture=file).json()["url"]
        return Original.objects.get(key=url.split("/")[-2])

    def work(self) -> float:
        """Does all that waits; the seconds it took."""
        from dreamsite.core.tasks import STUDIO, worker

        began = time.monotonic()
        worker.empty(STUDIO)
        return time.monotonic() - began

    def dreamed(self, original: Any, **fields: Any) -> tuple[Any, float]:
        """A dream ordered and made: the work, and seconds from the order to the files."""
        from gallery.studio.models import Work

        Work.objects.open().delete()  # sheets that were ordered on arrival, and are not what is measured
        began = time.monotonic()
        sent = {"kind": "dream", "depth": 3, "size": 3, **STYLE, **fields}
        key = self.post(f"/studio/pictures/{original.key}/order/", **sent).json()["key"]
        self.work()
        work = Work.objects.get(key=key)
        if work.state != "done":
            raise SystemExit(f"received a work that is {work.state}: {work.message}")
        return work, time.monotonic() - began

    def keep(self, file: Any, name: str) -> Path:
        target = self.out / name
        with file.open("rb") as stored, target.open("wb") as copy:
            shutil.copyfileobj(stored, copy)
        return target

    def row(self, name: str, what: str, seconds: float, *files: Path) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sizes = ", ".join(f"{path.name} {path.stat().st_size / 1e6:.1f} MB" for path in files)
        print(f"| {name} | {what} | {seconds:.0f} s | {peak:.0f} MB | {sizes} |", flush=True)


def exhibit(bench: Bench) -> None:
    """Five before and after, hung by a curator with a statement and credits."""
    from django.test import Client
    from django.utils import timezone

    from dreamsite.core.models import User
    from gallery.exhibits.models import Exhibit, Picture
    from gallery.uploads import pictures
    from gallery.uploads.models import Upload

    bench.somebody()
    curator = User.objects.create_user("curator", password="a long walk by the sea")
    hung = Exhibit.objects.create(
        title="A city, asleep",
        slug="a-city-asleep",
        statement="Five streets, and what a small network takes them for.\n\nThanks to everybody who walked along.",
        curator=curator,
        published_at=timezone.now(),
    )
    sheet, total, size = [], 0.0, (0, 0)
    for number, picture in enumerate(bench.pictures(5), 1):
        work, seconds = bench.dreamed(bench.brought(picture), depth=2)
        total, size = total + seconds, (work.width, work.height)
        uploads = {}
        for side, file in (("before", work.original.picture), ("after", work.picture)):
            path = bench.keep(file, f"exhibit-{number}-{side}.jpg")
            with path.open("rb") as data:
                uploads[side] = Upload.objects.build(pictures.clean(data), by=curator, title=f"Street {number}")
            uploads[side].save()
            sheet.append(path)
        Picture.objects.create(
            exhibit=hung,
            position=number,
            before_upload=uploads["before"],
            after_upload=uploads["after"],
            caption=f"Street {number}",
            credit=f"{work.owner.username}, CC BY 4.0",
        )
    page = Client().get(hung.get_absolute_url()).content.decode()
    for words in ("A city, asleep", "what a small network takes them for", "Street 5", "CC BY 4.0"):
        if words not in page:
            raise SystemExit(f"the exhibit's page does not say {words!r}")
    bench.row("exhibit", f"five before and after, {size[0]} × {size[1]}", total, *sheet[1::2])


def banana(bench: Bench) -> None:
    from gallery.studio.models import Original

    bench.somebody()
    bench.post("/studio/noise/")
    original = Original.objects.order_by("-pk")[0]
    work, seconds = bench.dreamed(original, layer="", label="banana", title="banana")
    path = bench.keep(work.picture, "banana.jpg")
    bench.row(
        "banana",
        f"static into a banana, {work.width} × {work.height}",
        seconds,
        path,
        bench.keep(work.gif, "banana.gif"),
    )


def forty(bench: Bench) -> None:
    bench.somebody()
    work, seconds = bench.dreamed(
        bench.brought(bison()), **{"recipe-octaves": 4, "recipe-iterations": 10, "recipe-taper": 1}
    )
    path = bench.keep(work.gif, "bison.gif")
    with Image.open(path) as gif:
        what = f"a picture through {getattr(gif, 'n_frames', 1) - 1} steps, GIF of {gif.width} × {gif.height}"
    bench.row("bison", what + ", from the click", seconds, path, bench.keep(work.picture, "bison.jpg"))


def networks(bench: Bench) -> None:
    from gallery.studio.models import Work

    bench.somebody()
    original = bench.brought(bench.pictures(1)[0])
    Work.objects.open().delete()
    began, found = time.monotonic(), []
    answer = bench.client.post(f"/studio/pictures/{original.key}/compare/order/", {})
    if answer.status_code != 302:
        raise SystemExit(f"received {answer.status_code} for a comparison")
    bench.work()
    for name in bench.networks:
        sketches = original.works.filter(kind=Work.Kind.SKETCH, network=name, state="done").order_by("pk")
        if not sketches:
            raise SystemExit(f"received no style of {name}")
        found += [bench.keep(one.picture, f"network-{name}-{number}.jpg") for number, one in enumerate(sketches[:4])]
    seconds = time.monotonic() - began
    what = f"one picture in {len(bench.networks)} networks ({', '.join(bench.networks)}), twelve styles each, 256 px"
    bench.row("networks", what, seconds, _beside(bench, found, bench.keep(original.picture, "network-before.jpg")))


def _beside(bench: Bench, found: list[Path], before: Path, side: int = 256) -> Path:
    """A row for each network: the picture itself, then what four styles made of it, edge to edge."""
    rows = [found[start : start + 4] for start in range(0, len(found), 4)]
    with Image.open(before) as image:
        high = round(side * image.height / image.width)
    sheet = Image.new("RGB", (5 * side, len(rows) * high))
    for y, row in enumerate(rows):
        for x, path in enumerate((before, *row)):
            with Image.open(path) as image:
                sheet.paste(image.convert("RGB").resize((side, high)), (x * side, y * high))
    target = bench.out / "networks.jpg"
    sheet.save(target, quality=92)
    return target


def _journey(bench: Bench, original: Any, clicks: list[tuple[float, float]], **fields: Any) -> tuple[Any, float, float]:
    """A journey steered by clicks: the journey, and the seconds of its key frames and of its film."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from gallery.studio.models import Journey, Work

    Work.objects.open().delete()
    music, film = fields.pop("music", 0.0), fields.pop("film")
    sent = {
        "depth": 3,
        "size": 3,
        **STYLE,
        "journey-kind": "zoom",
        "journey-each": len(clicks),
        "fps": 24,
        "seconds": 2.5,
        **fields,
    }
    url = bench.post(f"/studio/pictures/{original.key}/journey/order/", **sent).json()["url"]
    journey, began = Journey.objects.get(key=url.split("/")[-2]), time.monotonic()
    bench.work()
    for number, (x, y) in enumerate(clicks):
        bench.post(f"/studio/journeys/{journey.key}/go/", **{"from": number, "x": x, "y": y})
        bench.work()
    if music:
        file = SimpleUploadedFile("river.wav", river(music), "audio/wav")
        bench.post(f"/studio/journeys/{journey.key}/music/", music=file, **CREDIT)
        bench.work()
    dreamed, began = time.monotonic() - began, time.monotonic()
    bench.post(f"/studio/journeys/{journey.key}/film/", **film)
    bench.work()
    cut = time.monotonic() - began
    made = journey.films[0]
    if made.state != "done":
        raise SystemExit(f"received a film that is {made.state}: {made.message}")
    return journey, dreamed, cut


def _film_row(bench: Bench, name: str, journey: Any, dreamed: float, cut: float) -> None:
    import av

    path = bench.keep(journey.films[0].mp4, f"{name}.mp4")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        seconds = float(container.duration or 0) / av.time_base
        sound = "with sound" if container.streams.audio else "silent"
        what = f"{stream.width} × {stream.height}, {seconds:.1f} s at {stream.average_rate} a second, {sound}"
    for number, one in enumerate(journey.key_frames):
        bench.keep(one.picture, f"{name}-key-{number:02}.jpg")
    bench.row(name, f"{what}; key frames {dreamed:.0f} s, film {cut:.0f} s", dreamed + cut, path)


def zoom(bench: Bench) -> None:
    bench.somebody()
    fields = {"journey-side": 640, "film": {"fps": 24, "seconds": 2.5}, "music": 24.0}
    journey, dreamed, cut = _journey(bench, bench.brought(bench.pictures(1)[0]), CLICKS, **fields)
    if CREDIT["author"] not in journey.films[0].credit:
        raise SystemExit("the film does not name who made its music")
    _film_row(bench, "zoom", journey, dreamed, cut)


def large(bench: Bench) -> None:
    bench.somebody()
    fields = {"journey-side": 3840, "depth": 1, "film": {"fps": 24, "seconds": 1.0}}
    _film_row(bench, "large", *_journey(bench, bench.brought(city(3, 1920, 1080)), CLICKS[:2], **fields))


def video(bench: Bench) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    from gallery.studio.models import Original, Work
    from tests.video import films

    bench.somebody()
    shots = [*films.scene(120, 320, 180), *films.scene(120, 320, 180, seed=8, speed=0.5)]
    data = films.video(shots, fps=24, sound=films.tone(10, click=5.0))
    began = time.monotonic()
    bench.post("/studio/video/", video=SimpleUploadedFile("film.mp4", data, "video/mp4"))
    Work.objects.open().filter(kind=Work.Kind.SHEET).delete()
    bench.work()
    read = time.monotonic() - began
    original = Original.objects.exclude(video="").order_by("-pk")[0]
    work, seconds = bench.dreamed(original, side=320)
    path = bench.keep(work.mp4, "video.mp4")
    what = f"{work.width} × {work.height}, {original.seconds:.0f} s with sound; read in {read:.0f} s, dreamed"
    bench.row("video", what, seconds, path)


WORKS: dict[str, Callable[[Bench], None]] = {
    "exhibit": exhibit, "banana": banana, "bison": forty, "networks": networks, "zoom": zoom, "video": video,
    "large": large,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.works", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="a folder for what is made")
    parser.add_argument("--only", default=",".join(WORKS), help="some of the works, with commas between them")
    parser.add_argument(
        "--googlenet",
        type=Path,
        default=os.environ.get("DREAMSITE_TEST_GOOGLENET"),
        help="the folder with googlenet.onnx and labels.txt, to be imported",
    )
    parser.add_argument(
        "--network",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="an imported network, as in MODELS_DIR (model.onnx, model.json); may be given several times",
    )
    parser.add_argument("--images", type=Path, help="a folder of photographs")
    options = parser.parse_args()
    unknown = set(options.only.split(",")) - set(WORKS)
    if unknown:
        parser.error(f"received {', '.join(sorted(unknown))}, expected some of {', '.join(WORKS)}")
    options.out.mkdir(parents=True, exist_ok=True)
    os.environ["HOUSE_MODEL"] = "true"
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.test.utils import setup_test_environment

    from dreamer.registered import registry

    setup_test_environment()
    call_command("migrate", verbosity=0)
    settings.DREAM_MODEL, names = "house", ["house"]
    if options.googlenet:
        Path(settings.MODELS_DIR).mkdir(parents=True, exist_ok=True)
        found, labels = (Path(options.googlenet) / name for name in ("googlenet.onnx", "labels.txt"))
        if not found.is_file():
            parser.error(
                f"received {found.parent}, expected a folder with googlenet.onnx; an imported one is a --network"
            )
        registry().import_file(found, "googlenet", labels=labels)
        names.append("googlenet")
    for folder in options.network:
        if not (folder / "model.json").is_file():
            parser.error(f"received {folder}, expected a folder with a model.json, as manage.py model import makes it")
        shutil.copytree(folder, Path(settings.MODELS_DIR) / folder.name)
        names.append(folder.name)
    images = sorted(options.images.glob("*.jpg")) if options.images else []
    bench = Bench(options.out, images, names)
    print("| work | what | took | memory at most | files |\n|---|---|---|---|---|", flush=True)
    for name in options.only.split(","):
        WORKS[name](bench)


if __name__ == "__main__":
    main()
