"""Everything the site knows about one person, as a zip that is written while it is sent.

    profile.json      name, addresses, sign-ins, sessions       frames.jsonl     dreams and drawings they took part in
    strokes.jsonl     every stroke with its points              reports.jsonl    what they reported
    sanctions.jsonl   what was decided about them               dreams.jsonl     their dreams of the studio
    uploads.jsonl     the pictures they uploaded to the studio  README.txt       what is what

However much somebody drew, a few rows are in memory at a time.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from itertools import islice
from typing import IO, Any, cast

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from asgiref.sync import sync_to_async
from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model
from django.utils import timezone

from canvas import strokes, wire
from canvas.models import Canvas, Stroke
from dreamsite.core.models import User
from gallery.studio.models import Original, Work

CHUNK = 64 * 1024
STROKES = 100  # read from the journal in one go

README = """Everything that this site knows about {name}, taken at {at} UTC.

profile.json     your account: name, addresses, ways to sign in, sessions
frames.jsonl     the dreams and drawings that your ink is in
strokes.jsonl    every stroke you drew: [x, y, width] in pixels for each point; its times, colour, and what became of it
reports.jsonl    what you reported
sanctions.jsonl  what moderators decided about your account
dreams.jsonl     what you dreamed in the studio: each with its recipe, and the addresses of its page and its files
uploads.jsonl    the pictures you uploaded to the studio, and where they lie until they are deleted

Files that end in .jsonl have one JSON object on each line. Times are UTC.
"""

Row = dict[str, Any]


def profile(user: User) -> Row:
    """The account itself. Passwords and the secrets of second factors are keys, not knowledge: they stay."""
    return {
        "id": user.pk,
        "name": user.username,
        "guest": user.guest,
        "joined": user.date_joined,
        "last_sign_in": user.last_login,
        "email": list(EmailAddress.objects.filter(user=user).values("email", "verified", "primary")),
        "second_factors": list(Authenticator.objects.filter(user=user).values("type", "created_at", "last_used_at")),
        "signs_in_through": list(SocialAccount.objects.filter(user=user).values("provider", "uid", "date_joined")),
        "sessions": list(
            UserSession.objects.filter(user=user).values("created_at", "last_seen_at", "ip", "user_agent")
        ),
    }


def frames(user: User) -> Iterator[Row]:
    found = user.frames.visible().select_related("canvas").order_by("id")
    for frame in found.iterator(chunk_size=500):
        yield {
            "canvas": frame.canvas.slug,
            "number": frame.number,
            "made_at": frame.made_at,
            "title": frame.title,
            "page": frame.get_absolute_url(),
        }


def drawn(user: User) -> Iterator[Row]:
    for canvas in Canvas.objects.order_by("pk"):
        strokes.index(canvas)
        rows = Stroke.objects.by(user).filter(canvas=canvas).order_by("first_seq").iterator(chunk_size=STROKES)
        while some := list(islice(rows, STROKES)):
            pieces = strokes.pieces(canvas, some)
            for stroke in some:
                yield {
                    "canvas": canvas.slug,
                    "began_at": stroke.began_at,
                    "ended_at": stroke.ended_at,
                    "colour": stroke.colour,
                    "opacity": round(stroke.opacity / 255, 3),
                    "taken_back": stroke.undone_seq is not None,
                    "hidden": bool(stroke.hidden),
                    "points": _points(pieces[stroke.author, stroke.stroke_id]),
                }


def _points(pieces: list[tuple[int, wire.Stroke]]) -> list[list[float]]:
    """x, y, width in px. Each piece repeats the last point of the one before, so that it can be drawn by itself."""
    return [[value / 8 for value in point] for _, piece in pieces for point in piece.points[1 if piece.piece else 0 :]]


def _rows_of(model: str, owner: str, *left_out: str) -> Callable[[User], Iterator[Row]]:
    """Every plain column of a model's rows that belong to the person, but for what is somebody else's."""

    def rows(user: User) -> Iterator[Row]:
        kind: type[Model] = apps.get_model(model)
        columns = [
            field.name for field in kind._meta.concrete_fields if not field.is_relation and field.name not in left_out
        ]
        yield from kind._default_manager.filter(**{owner: user}).order_by("pk").values(*columns).iterator()

    return rows


def dreams(user: User) -> Iterator[Row]:
    """Every dream of the studio, private and hidden ones too."""
    columns = ("title", "caption", "network", "recipe", "state", "licence", "width", "height", "created_at")
    for work in Work.objects.filter(owner=user).order_by("pk").iterator(chunk_size=200):
        yield {
            **{column: getattr(work, column) for column in (*columns, "requested_at", "published_at", "hidden_at")},
            "page": work.get_absolute_url(),
            "files": [file.url for file in work.files],
        }


def uploads(user: User) -> Iterator[Row]:
    for original in Original.objects.filter(owner=user).order_by("pk").iterator(chunk_size=200):
        yield {
            "uploaded_at": original.created_at,
            "width": original.width,
            "height": original.height,
            "kept": original.keep,
            "page": original.get_absolute_url(),
            "file": original.picture.url,
        }


FILES: tuple[tuple[str, Callable[[User], Iterator[Row]]], ...] = (
    ("frames.jsonl", frames),
    ("strokes.jsonl", drawn),
    ("reports.jsonl", _rows_of("moderation.Report", "reporter", "address", "weight")),
    ("sanctions.jsonl", _rows_of("canvas.Sanction", "user")),
    ("dreams.jsonl", dreams),
    ("uploads.jsonl", uploads),
)


class _Pipe:
    """What zipfile writes to: a place without a beginning, from which is taken what has come."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.waiting = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self.waiting += len(data)
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts, self.waiting = [], 0
        return data


def chunks(user: User) -> Iterator[bytes]:
    """The zip in pieces of some CHUNK bytes."""
    pipe, at = _Pipe(), timezone.now()
    with zipfile.ZipFile(cast(IO[bytes], pipe), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README.format(name=user.username, at=f"{at:%Y-%m-%d %H:%M}"))
        archive.writestr("profile.json", _json(profile(user), indent=2))
        for name, rows in FILES:
            with archive.open(name, "w", force_zip64=True) as file:
                for row in rows(user):
                    file.write(_json(row).encode() + b"\n")
                    if pipe.waiting >= CHUNK:
                        yield pipe.take()
    yield pipe.take()


async def chunks_async(user: User) -> AsyncIterator[bytes]:
    """The same under ASGI, where Django would read a plain iterator to its end before it sends the first byte."""
    next_chunk = sync_to_async(partial(next, chunks(user), b""))
    while chunk := await next_chunk():
        yield chunk


def _json(row: Row, **options: Any) -> str:
    return json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False, **options)
