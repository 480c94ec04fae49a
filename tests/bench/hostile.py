"""`make attack`, third part: thousands of damaged pictures and videos through the studio's own upload.

Honest files of every kind are damaged at random, from a seed: bytes and bits changed, pieces cut out, doubled, swapped
and taken from other files, numbers in headers set to the smallest and the largest, ends cut off. Each goes through the
view, with sessions, forms and storage, as a person's would. It passes if every answer is 201 or a refusal in words, no
refusal leaves a file behind, and time and memory stay within bounds.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from tests import environment
from tests.gallery import hostile as pictures
from tests.video import films

PICTURE, VIDEO = "picture", "video"
ADDRESSES = {PICTURE: "/studio/upload/", VIDEO: "/studio/video/"}
SHARE = 0.25  # of all: videos
WORST_SECONDS = 60.0  # of one upload, on any machine


@lru_cache(maxsize=1)
def honest() -> dict[str, list[bytes]]:
    """Files as people have them."""
    photo, moving = pictures.photo(), films.scene(6)
    clear = photo.convert("RGBA")
    clear.putalpha(120)
    images = [
        pictures.encoded(photo, "JPEG", quality=80),
        pictures.encoded(photo, "JPEG", progressive=True, exif=_exif()),
        pictures.encoded(photo.convert("CMYK"), "JPEG"),
        pictures.encoded(photo, "PNG"),
        pictures.encoded(clear, "PNG"),
        pictures.encoded(photo.convert("P"), "PNG"),
        pictures.encoded(photo.convert("I;16") if photo.mode == "I" else photo.convert("L"), "PNG"),
        pictures.encoded(photo, "WEBP"),
        pictures.encoded(clear, "WEBP", lossless=True),
        pictures.encoded(photo, "GIF", save_all=True, append_images=[photo.rotate(90)]),
    ]
    quiet = {"x265-params": "log-level=none"}
    clips = [
        films.video(moving, sound=films.tone(0.5)),
        films.video(moving, kind="mov"),
        films.video(moving, codec="libx265", pixels="yuv420p10le", options=quiet, curve=18),
        films.video(moving, codec="libvpx", kind="webm", sound=films.tone(0.5), sound_codec="libopus"),
        films.video(moving, codec="libvpx-vp9", kind="matroska"),
        films.turned(films.video(moving), 90),
    ]
    return {PICTURE: images, VIDEO: clips}


def _exif() -> Any:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def damaged(random_: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """The file with one to four things wrong with it."""
    body = bytearray(data)
    for _ in range(random_.randint(1, 4)):
        if not body:
            break
        at = random_.randrange(len(body)) if random_.random() < 0.6 else random_.randrange(min(200, len(body)))
        size = random_.randint(1, max(1, len(body) // 8))
        what = random_.randrange(9)
        if what == 0:
            body[at] = random_.randrange(256)
        elif what == 1:
            body[at] ^= 1 << random_.randrange(8)
        elif what == 2:
            del body[at:]
        elif what == 3:
            del body[at : at + size]
        elif what == 4:
            body[at:at] = body[at : at + size]
        elif what == 5:
            body[at : at + 4] = random_.choice([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1"])
        elif what == 6:
            other = random_.choice(others)
            body[at : at + size] = other[at : at + size]
        elif what == 7:
            body[at : at + size] = random_.randbytes(min(size, len(body) - at))
        else:
            body += random_.choice(others)[: random_.randrange(2000)]
    return bytes(body)


def special() -> Iterator[tuple[str, bytes]]:
    """What has a name."""
    for width, height in ((100_000, 1), (1, 100_000), (65_535, 65_535), (0, 0), (2**31 - 1, 2**31 - 1)):
        yield PICTURE, pictures.png_claiming(width, height)
    yield PICTURE, pictures.png_bomb(9000)
    yield PICTURE, pictures.png_with_text_bomb()
    yield from (
        (kind, data) for kind in ADDRESSES for data in (b"\0", b"<svg/>", b"GIF89a", b"#!/bin/sh\nexit\n", b"%PDF")
    )
    yield from ((VIDEO, data) for data in honest()[PICTURE][:3])
    yield from ((PICTURE, data) for data in honest()[VIDEO][:3])
    yield VIDEO, films.video(films.scene(2), times=[0, 12 * 36_000])  # ten hours
    yield VIDEO, films.video([films.scene(1, 2000, 16)[0]])
    head = honest()[VIDEO][0]
    yield VIDEO, head[: head.index(b"mdat")]
    yield VIDEO, b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"
    yield VIDEO, b"\x1a\x45\xdf\xa3" + bytes(100)


@dataclass
class Found:
    """What came back."""

    answers: Counter[str] = field(default_factory=Counter)
    trouble: list[str] = field(default_factory=list)
    worst_seconds: float = 0.0
    seconds: float = 0.0
    count: int = 0


def attack(client: Any, media: Path, count: int, seed: int, *, share: float = SHARE, keep: Path | None = None) -> Found:
    """Sends `count` damaged files (and those that have a name); each upload that is taken is deleted again."""
    random_, found, began = random.Random(seed), Found(), time.monotonic()
    files = list(special())
    for _ in range(count):
        kind = VIDEO if random_.random() < share else PICTURE
        files_of = honest()[kind]
        files.append((kind, damaged(random_, random_.choice(files_of), files_of)))
    before = _there(media)
    with tempfile.TemporaryDirectory() as temporary:  # for what views put down while they look
        tempfile.tempdir, usual = temporary, tempfile.tempdir
        try:
            _send_all(client, files, media, before, found, keep)
        finally:
            tempfile.tempdir = usual
        stray = [path.name for path in Path(temporary).iterdir()]
    if stray:
        found.trouble.append(f"temporary files are left: {stray[:5]}")
    if found.worst_seconds > WORST_SECONDS:
        found.trouble.append(f"one took {found.worst_seconds:.0f} s, expected at most {WORST_SECONDS:.0f}")
    found.count, found.seconds = len(files), time.monotonic() - began
    return found


def _send_all(
    client: Any, files: list[tuple[str, bytes]], media: Path, before: set[Path], found: Found, keep: Path | None
) -> None:
    from gallery.studio.models import Original, Spent, Work

    for number, (kind, data) in enumerate(files):
        started = time.monotonic()
        trouble = _send(client, kind, data, number, found)
        found.worst_seconds = max(found.worst_seconds, time.monotonic() - started)
        Original.objects.all().delete()
        Work.objects.all().delete()
        Spent.objects.all().delete()  # a day's units are for a person, not for thousands of files
        left = _there(media) - before
        if left:
            trouble = trouble or f"it left {sorted(map(str, left))[:3]}"
            for path in left:
                path.unlink()
        if trouble:
            found.trouble.append(f"{number} ({kind}, {len(data)} bytes): {trouble}")
            if keep is not None:
                (keep / f"{number}.{kind}").write_bytes(data)


def _send(client: Any, kind: str, data: bytes, number: int, found: Found) -> str:
    """What is wrong with the answer; empty where nothing is."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile(f"file{number}", data, "application/octet-stream")
    try:
        answer = client.post(ADDRESSES[kind], {kind: file}, headers={"Accept": "application/json"})
    except Exception as error:
        return f"the view raised {type(error).__name__}: {error}"
    said = answer.json() if answer["Content-Type"].startswith("application/json") else {}
    status, words = answer.status_code, str(said.get("detail", ""))
    if kind == VIDEO and status == 201:
        status, words = _read(said["url"])
    found.answers[f"{kind} {status}"] += 1
    if status == 201:
        return "" if said.get("url") else "taken without an address"
    if status != 422 or len(words.split()) < 4:
        return f"answered {status}: {words[:200]}"
    if any(sign in words for sign in ("Traceback", "/tmp", "object at 0x", "Error(")):
        return f"words that are none: {words[:200]}"
    return ""


def _read(url: str) -> tuple[int, str]:
    """What the worker says of a video that came: as a status and words."""
    from dreamsite.core.tasks.jobs import State, claim
    from gallery.jobs.files import delete_pending
    from gallery.studio import jobs
    from gallery.studio.models import Work

    work = Work.objects.get(key=url.split("/")[-2])
    claimed = claim(Work, work.pk)
    assert claimed is not None
    jobs.run(claimed, lambda follows: None)
    delete_pending()  # as after a commit, which a test never comes to
    work.refresh_from_db()
    work.delete()
    return {State.DONE: 201, State.FAILED: 422}.get(State(work.state), 500), work.message


def _there(media: Path) -> set[Path]:
    return {path for path in media.rglob("*") if path.is_file()} if media.exists() else set()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.hostile", description=__doc__)
    parser.add_argument("--count", type=int, default=5000, help="damaged files, 1 to 1000000 (default: 5000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=SHARE, help=f"of them, videos, 0 to 1 (default: {SHARE})")
    parser.add_argument("--keep", type=Path, help="a folder for the files that were trouble")
    options, _others = parser.parse_known_args()
    if not 1 <= options.count <= 1_000_000:
        parser.error(f"count: received {options.count}, expected 1 to 1000000")
    environment.isolate()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dreamsite.settings")
    import django
    from django.conf import settings
    from django.core.management import call_command

    with tempfile.TemporaryDirectory() as folder:
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/db.sqlite3"
        django.setup()
        settings.MEDIA_ROOT = media = Path(folder) / "media"
        settings.MODELS_DIR, settings.HOUSE_MODEL, settings.ALLOWED_HOSTS = Path(folder) / "models", True, ["*"]
        logging.getLogger("django.request").setLevel(logging.CRITICAL)  # it would write a line for each refusal
        call_command("migrate", verbosity=0)
        from django.test import Client

        from dreamsite.core.models import User

        client = Client()
        client.force_login(User.objects.create_user("ada", password="hunter2 hunter2"))
        found = attack(client, media, options.count, options.seed, share=options.share, keep=options.keep)
    own, children = (
        resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(
        json.dumps(
            {
                "files": found.count,
                "answers": dict(sorted(found.answers.items())),
                "trouble": found.trouble,
                "seconds": round(found.seconds),
                "worst_seconds": round(found.worst_seconds, 2),
                "own_MB": own,
                "reader_MB": children,
            },
            indent=2,
        )
    )
    sys.exit(1 if found.trouble else 0)


if __name__ == "__main__":
    main()
