"""Everything the site knows about one person, as a zip that is written while it is sent.

profile.json is the account itself; each further file is a row of PARTS, one JSON object on each line.
However much somebody drew, a few rows are in memory at a time.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
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
from django.db.models import Model, Q
from django.utils import timezone

from canvas import strokes, wire
from canvas.models import Canvas, CleanHours, Stroke
from canvas.moderation.models import Act
from dreamer.models import Guess
from dreamsite.core.models import User
from gallery.models import BesideFeed, Film
from gallery.studio.models import Original, Work

CHUNK = 64 * 1024
STROKES = 100  # read from the journal in one go

README = """Everything that this site knows about {name}, taken at {at} UTC.

{parts}

Files that end in .jsonl have one JSON object on each line. Times are UTC.

Not in here, because the site has nothing of it: which guesses of the network you agreed with (only that somebody did),
which pages you looked at, and your address (only digests of it, for thirty days, and its first three parts in the list
of your sessions). Passwords, the secrets of second factors and the address of your feed are keys, not knowledge: they
stay.
"""

Row = dict[str, Any]


def profile(user: User) -> Row:
    """The account itself. Passwords and the secrets of second factors are keys, not knowledge: they stay."""
    hours = CleanHours.objects.filter(user=user).values("hours", "last_hour", "day", "today").first()
    return {
        "id": user.pk,
        "name": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "guest": user.guest,
        "active": user.is_active,
        "staff": user.is_staff,
        "owner": user.is_superuser,
        "groups": list(user.groups.values_list("name", flat=True)),
        "permissions": list(user.user_permissions.values_list("codename", flat=True)),
        "joined": user.date_joined,
        "last_sign_in": user.last_login,
        "closes": user.closes_at,
        "language": user.language,
        "clean_hours": hours,
        "feed_of_ink_beside_yours": "on" if BesideFeed.objects.filter(user=user).exists() else "off",
        "email": list(EmailAddress.objects.filter(user=user).values("email", "verified", "primary")),
        "second_factors": list(Authenticator.objects.filter(user=user).values("type", "created_at", "last_used_at")),
        "signs_in_through": list(
            SocialAccount.objects.filter(user=user).values("provider", "uid", "date_joined", "last_login", "extra_data")
        ),
        "sessions": list(
            UserSession.objects.filter(user=user).values("created_at", "last_seen_at", "ip", "user_agent")
        ),
    }


def _address(canvas: Canvas, user: User) -> str:
    """ "" for others' canvases by link only: whoever was given a link knows it, and gets no new one here."""
    return canvas.slug if canvas.known_to(user) else ""


def frames(user: User) -> Iterator[Row]:
    found = user.frames.visible().select_related("canvas").order_by("id")
    for frame in found.iterator(chunk_size=500):
        yield {
            "canvas": _address(frame.canvas, user),
            "number": frame.number,
            "made_at": frame.made_at,
            "title": frame.title,
            "page": frame.get_absolute_url() if frame.canvas.known_to(user) else "",
        }


def drawn(user: User) -> Iterator[Row]:
    strokes.index_all()
    for canvas in Canvas.objects.filter(pk__in=Stroke.objects.by(user).values("canvas")).order_by("pk"):
        rows = Stroke.objects.by(user).filter(canvas=canvas).order_by("first_seq").iterator(chunk_size=STROKES)
        while some := list(islice(rows, STROKES)):
            pieces = strokes.pieces(canvas, some)
            for stroke in some:
                yield {
                    "canvas": _address(canvas, user),
                    "began_at": stroke.began_at,
                    "ended_at": stroke.ended_at,
                    "colour": stroke.colour or None,  # the undream brush has none
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
    columns = (
        *("title", "caption", "network", "recipe", "state", "licence", "width", "height", "created_at"),
        *("credit", "credit_link"),
    )
    found = Work.objects.filter(owner=user).defer("mask", "growing", "pieces", "seen")
    for work in found.order_by("pk").iterator(chunk_size=200):
        yield {
            **{
                column: getattr(work, column)
                for column in (*columns, "requested_at", "proposed_at", "published_at", "hidden_at")
            },
            "page": work.get_absolute_url(),
            "files": [file.url for file in work.files],
        }


def films(user: User) -> Iterator[Row]:
    """What one asked for, for oneself and for everybody."""
    columns = (
        "title",
        "description",
        "kind",
        "shape",
        "starts_at",
        "ends_at",
        "area",
        "state",
        "requested_at",
        "made_at",
    )
    found = Film.objects.filter(requested_by=user).select_related("canvas").prefetch_related("files")
    for film in found.order_by("pk"):
        yield {
            "canvas": _address(film.canvas, user),
            **{column: getattr(film, column) for column in columns},
            "only_yours": film.owner_id == user.pk,
            "page": film.get_absolute_url(),
            "files": [file.file.url for file in film.files.all()],
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
            "large": original.large.url if original.large else "",
            "video": original.video.url if original.video else "",
        }


def acts(user: User) -> Iterator[Row]:
    """The rows of the log of acts, without other people's names."""
    found = Act.objects.filter(Q(by=user) | Q(person=user)).select_related("canvas").order_by("pk")
    for act in found.iterator(chunk_size=200):
        yield {
            "at": act.at,
            "who": "you" if act.by_id == user.pk else "a moderator" if act.by_id else "the site",
            "did": act.verb,
            "to": "you" if act.person_id == user.pk else "",
            "canvas": _address(act.canvas, user) if act.canvas else "",
            "why": act.why,
        }


def guesses(user: User) -> Iterator[Row]:
    """What the network saw in drawings that one's ink is in."""
    columns = "authors", "made_at", "left", "top", "right", "bottom", "words", "chosen"
    for row in Guess.objects.order_by("pk").values(*columns).iterator():
        if user.pk in row.pop("authors"):
            yield row


@dataclass(frozen=True)
class Part:
    """One file of the zip: what it is, in words for its reader, and its rows."""

    file: str
    says: str
    rows: Callable[[User], Iterator[Row]]


PARTS = (
    Part("frames.jsonl", "the dreams and drawings that your ink is in", frames),
    Part(
        "strokes.jsonl",
        "every stroke you drew: [x, y, width] in px of each point; times, colour, what became of it",
        drawn,
    ),
    Part("canvases.jsonl", "the canvases you made", _rows_of("canvas.Canvas", "maker")),
    Part("guesses.jsonl", "what the network saw in what you drew", guesses),
    Part("dreams.jsonl", "what you dreamed in the studio: recipes, and the addresses of pages and files", dreams),
    Part(
        "uploads.jsonl", "the pictures you uploaded to the studio, and where they lie until they are deleted", uploads
    ),
    Part(
        "journeys.jsonl",
        "your journeys in the studio: what is dreamed on them, and how their films are shown",
        _rows_of("gallery.Journey", "owner", "reserved"),
    ),
    Part(
        "studio_spent.jsonl",
        "what dreams cost that you deleted within a day: it counts until the day is over",
        _rows_of("gallery.Spent", "owner"),
    ),
    Part(
        "music.jsonl",
        "the music you put under journeys and videos, with its credit",
        _rows_of("gallery.Music", "owner", "loudness"),
    ),
    Part(
        "reports.jsonl",
        "what you reported, on the canvas and in the studio",
        _rows_of("moderation.Report", "reporter", "weight"),
    ),
    Part("covers.jsonl", "the areas that you asked to be covered", _rows_of("moderation.CoverVote", "user")),
    Part("sanctions.jsonl", "what moderators decided about your account", _rows_of("canvas.Sanction", "user")),
    Part("appeals.jsonl", "your appeals, and their answers", _rows_of("moderation.Appeal", "person")),
    Part("notes.jsonl", "what moderators noted about you", _rows_of("moderation.Note", "person")),
    Part("notes_written.jsonl", "what you noted about others, as a moderator", _rows_of("moderation.Note", "author")),
    Part("signals.jsonl", "what the site noticed about how you draw", _rows_of("moderation.Signal", "person")),
    Part("addresses.jsonl", "digests of the addresses you came from", _rows_of("moderation.IpDigest", "person")),
    Part("acts.jsonl", "the log of what moderators and staff did: by you, and about you", acts),
    Part(
        "looked_at.jsonl",
        "when moderators looked at what is known of you",
        _rows_of("moderation.LookUp", "person", "key", "seen"),
    ),
    Part("look_ups.jsonl", "what you looked up, as a moderator", _rows_of("moderation.LookUp", "by", "key", "seen")),
    Part("pending.jsonl", "acts about you that waited, or wait", _rows_of("moderation.PendingAct", "person", "holder")),
    Part("asked.jsonl", "acts you asked for, as a moderator", _rows_of("moderation.PendingAct", "asked_by", "holder")),
    Part("page_versions.jsonl", "the versions of pages you wrote", _rows_of("gallery.PageVersion", "by")),
    Part("films.jsonl", "the films you asked for", films),
    Part("exhibits.jsonl", "the exhibits you made", _rows_of("gallery.Exhibit", "curator", "statement_html")),
    Part("exhibit_uploads.jsonl", "the pictures you uploaded for exhibits", _rows_of("gallery.Upload", "by")),
    Part("highlights.jsonl", "the frames you chose as highlights", _rows_of("gallery.Highlight", "chosen_by")),
    Part("style_votes.jsonl", "the styles you vote for now", _rows_of("dreamer.StyleVote", "voter")),
    Part("styles.jsonl", "the styles you added to networks", _rows_of("dreamer.OwnStyle", "by")),
    Part("network_jobs.jsonl", "the work on networks you asked for", _rows_of("dreamer.Job", "by", "holder")),
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
        lines = [("profile.json", "your account: name, addresses, ways to sign in, sessions, rights, hours of drawing")]
        lines += [(part.file, part.says) for part in PARTS]
        parts = "\n".join(f"{file:<23}{says}" for file, says in lines)
        archive.writestr("README.txt", README.format(name=user.username, at=f"{at:%Y-%m-%d %H:%M}", parts=parts))
        archive.writestr("profile.json", _json(profile(user), indent=2))
        for part in PARTS:
            with archive.open(part.file, "w", force_zip64=True) as file:
                for row in part.rows(user):
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
