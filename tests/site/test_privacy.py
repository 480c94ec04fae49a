"""One's data and one's leaving, by walks through all models: whoever adds a table says what becomes of it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.cache import caches
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from canvas.models import Canvas, CleanHours, Region, Sanction
from canvas.moderation.audit.models import LookUp
from canvas.moderation.models import Act, Appeal, Case, CoverVote, IpDigest, Note, Report, Signal
from canvas.moderation.pending.models import PendingAct
from dreamer.models import Guess, Job, OwnStyle, StyleVote
from dreamsite.accounts import closing, export
from dreamsite.core.models import User
from gallery.models import BesideFeed, Exhibit, Film, Highlight, Upload
from gallery.pages.models import PageVersion
from gallery.studio.models import Journey, Music, Original, Spent, Work
from tests.conftest import PASSWORD
from tests.rows import every_value
from tests.site.world import World

pytestmark = pytest.mark.django_db
NAME, MAIL = "wanda-of-the-hills", "wanda@hills.example.org"
WORDS = f"I am {NAME}, write to {MAIL}"


def columns_about_people() -> set[str]:
    """Every column of every table that names an account: "app.model.column"."""
    found = set()
    for relation in User._meta.get_fields(include_hidden=True):
        if relation.is_relation and relation.auto_created and not relation.concrete:
            found.add(f"{relation.related_model._meta.label_lower}.{relation.field.name}")
    return found


# What the export has of each column: a word that is in it then. Every row is made by `everything`.
EXPORTED = {
    "core.user_groups.user": "some-group",
    "core.user_user_permissions.user": "moderate",
    "canvas.frame.contributors": '"page": "/frames/',
    "canvas.frame_contributors.user": '"page": "/frames/',
    "canvas.sanction.user": "sanction-reason",
    "canvas.cleanhours.user": '"hours": 77',
    "canvas.canvas.maker": "canvas-of-hers",
    "moderation.act.by": "act-by-her",
    "moderation.act.person": "act-about-her",
    "moderation.report.reporter": "report-text",
    "moderation.note.person": "note-about-her",
    "moderation.note.author": "note-by-her",
    "moderation.covervote.user": '"width": 33',
    "moderation.appeal.person": "appeal-text",
    "moderation.ipdigest.person": "digest-of-hers",
    "moderation.signal.person": '"value": 41.5',
    "moderation.lookup.by": '"count": 61',
    "moderation.lookup.person": '"count": 62',
    "moderation.pendingact.person": "pending-about-her",
    "moderation.pendingact.asked_by": "pending-by-her",
    "gallery.pageversion.by": "page-version",
    "gallery.upload.by": "exhibit-upload",
    "gallery.exhibit.curator": "exhibit-title",
    "gallery.film.requested_by": "film-title",
    "gallery.film.owner": '"only_yours": true',
    "gallery.besidefeed.user": '"feed_of_ink_beside_yours": "on"',
    "gallery.highlight.chosen_by": "highlight-caption",
    "gallery.original.owner": '"kept": false',
    "gallery.journey.owner": "journey-title",
    "gallery.music.owner": "music-title",
    "gallery.work.owner": "work-caption",
    "gallery.spent.owner": "77.125",
    "dreamer.ownstyle.by": "own-style",
    "dreamer.stylevote.voter": "voted-style",
    "dreamer.job.by": "network-of-job",
    "account.emailaddress.user": MAIL,
    "mfa.authenticator.user": '"type": "totp"',
    "socialaccount.socialaccount.user": "uid-elsewhere",
    "usersessions.usersession.user": "Walking-Test/1.0",
}
# What it has not, and why.
ALSO_AN_ACT = "a moderator's act: it is in the log of acts, which the export has"
NOT_EXPORTED = {
    **dict.fromkeys(
        [
            "canvas.sanction.created_by",
            "canvas.sanction.lifted_by",
            "canvas.region.created_by",
            "canvas.region.lifted_by",
            "moderation.case.claimed_by",
            "moderation.case.closed_by",
            "moderation.case.last_by",
            "moderation.appeal.issued_by",
            "moderation.appeal.decided_by",
            "moderation.signal.seen_by",
            "moderation.pendingact.answered_by",
            "admin.logentry.user",
        ],
        ALSO_AN_ACT,
    ),
}
# Columns of the account itself that no file tells, and why.
NOT_TOLD = {
    "password": "a key, not knowledge",
    "skeleton": "follows from the name",
    "email": "the addresses are rows of their own",
    "closed_at": "who could ask for the file has none",
}
# What names somebody who left, and stays: said on the page that closes an account.
KEEPS = {
    "moderation.act.what": "words in the log of acts: nothing changes them",
    "moderation.act.why": "words in the log of acts: nothing changes them",
    "canvas.sanction.reason": "words of a moderator about a sanction, which stays",
    "moderation.note.text": "words of others about others, or about a case",
    "gallery.film.title": "a film's title is everybody's",
    "gallery.exhibit.title": "an exhibit is the site's",
    "gallery.highlight.caption": "a caption is the site's",
    "gallery.upload.title": "an exhibit's picture is the site's",
}
# Rows that still point to the nameless account after it left, and why.
STAYS = {
    **dict.fromkeys(NOT_EXPORTED, "who did it is told from the next stranger; no name is left"),
    "canvas.sanction.user": "what was decided, for the site's own numbers and for appeals that others decide",
    "moderation.act.by": "the log of acts",
    "moderation.act.person": "the log of acts",
    "moderation.report.reporter": "what was reported, without its words",
    "moderation.appeal.person": "that there was one, and its outcome, without its words",
    "moderation.note.author": "a moderator's note about somebody else",
    "moderation.lookup.by": "goes into the log of acts within the hour",
    "moderation.lookup.person": "goes into the log of acts within the hour",
    "moderation.pendingact.person": "what was to be decided, for the log",
    "moderation.pendingact.asked_by": "who asked, by number",
    "gallery.pageversion.by": "a page's version is the site's",
    "gallery.upload.by": "an exhibit's picture",
    "gallery.exhibit.curator": "an exhibit",
    "gallery.film.requested_by": "a film",
    "gallery.highlight.chosen_by": "a highlight",
    "dreamer.ownstyle.by": "a style of the site",
    "dreamer.job.by": "what was done to the site's networks",
}


@pytest.fixture
def wanda() -> User:
    return User.objects.create_user(NAME, password=PASSWORD)


@pytest.fixture
def everything(wanda: User) -> None:
    """A row in every column that names her; wherever somebody can write words, her name is among them."""
    browser = Client(headers={"user-agent": "Walking-Test/1.0"})
    assert browser.post("/accounts/login/", {"login": NAME, "password": PASSWORD}).status_code == 302
    world = World()
    world.begin()
    canvas, other, now = Canvas.objects.default(), world.people["user"], timezone.now()
    wanda.groups.add(Group.objects.create(name="some-group"))
    wanda.user_permissions.add(Permission.objects.get(codename="moderate"))
    world.frame.contributors.add(wanda)
    facts = {"created_by": wanda, "lifted_by": wanda, "lifted_at": now}
    sanction = Sanction.objects.create(user=wanda, degree="warn", reason=f"sanction-reason {WORDS}")
    Sanction.objects.create(user=other, degree="warn", reason="Another's", **facts)
    Region.objects.create(canvas=canvas, kind="lock", x=1, y=1, width=9, height=9, **facts)
    CleanHours.objects.create(user=wanda, hours=77)
    Act.objects.record(wanda, "freeze", canvas=canvas, why="act-by-her")
    Act.objects.record(other, "look-up", person=wanda, why=f"act-about-her {WORDS}", name=NAME)
    case = Case.objects.create(canvas=canvas, x=1, y=1, r=5, claimed_by=wanda, last_by=wanda)
    Case.objects.create(canvas=canvas, x=1, y=1, r=5, closed_by=wanda, closed_at=now, outcome="moot")
    Report.objects.create(
        case=case, category="spam", reporter=wanda, text=f"report-text {WORDS}", contact=MAIL, address="digest"
    )
    Note.objects.create(person=wanda, author=other, text=f"note-about-her {WORDS}")
    Note.objects.create(case=case, author=wanda, text="note-by-her")
    CoverVote.objects.create(canvas=canvas, user=wanda, x=1, y=1, width=33, height=9)
    of_appeal = Case.objects.create(kind="appeal")
    Appeal.objects.create(
        sanction=sanction, case=of_appeal, person=wanda, text=f"appeal-text {WORDS}", answer=f"Dear {NAME}"
    )
    theirs = Sanction.objects.create(user=other, degree="warn", reason="Another's", created_by=wanda)
    decided = {"outcome": "lifted", "decided_at": now, "decided_by": wanda, "issued_by": wanda}
    Appeal.objects.create(
        sanction=theirs, case=Case.objects.create(kind="appeal"), person=other, text="Another's", **decided
    )
    IpDigest.objects.create(person=wanda, what="sign-in", digest="digest-of-hers")
    Signal.objects.create(person=wanda, kind="rate", day=now.date(), value=41.5, limit=1.0)
    Signal.objects.create(person=other, kind="rate", day=now.date(), value=1.5, limit=1.0, seen_by=wanda, seen_at=now)
    Upload.objects.create(
        picture="exhibits/a.jpg", width=1, height=1, size=1, sha256="0" * 64, title="exhibit-upload", by=wanda
    )
    Exhibit.objects.create(slug="hers", title="exhibit-title", curator=wanda)
    Film.objects.create(
        canvas=canvas,
        kind=Film.Kind.PART,
        starts_at=now - timedelta(hours=1),
        ends_at=now,
        title="film-title",
        requested_by=wanda,
    )
    Film.objects.create(
        canvas=canvas,
        kind=Film.Kind.MINE,
        starts_at=now - timedelta(hours=1),
        ends_at=now,
        owner=wanda,
        requested_by=wanda,
    )
    for count, looked in ((61, {"by": wanda, "person": other}), (62, {"by": other, "person": wanda})):
        LookUp.objects.create(key=f"look-{count}", verb="look-up", hour=now, count=count, **looked)
    PendingAct.objects.create(kind="lift", person=wanda, why="pending-about-her")
    PendingAct.objects.create(kind="lift", person=other, asked_by=wanda, answered_by=wanda, why="pending-by-her")
    PageVersion.objects.create(number=1, slug="a", title="page-version", template="plain", by=wanda)
    Highlight.objects.create(frame=world.frame, caption="highlight-caption", chosen_by=wanda)
    BesideFeed.objects.create(user=wanda)
    kept = default_storage.save(f"studio/{NAME}.jpg", ContentFile(WORDS.encode()))
    original = Original.objects.create(owner=wanda, picture=kept, width=1, height=1)
    journey = Journey.objects.create(
        owner=wanda,
        title=f"journey-title {WORDS}",
        network="house",
        recipe={},
        stages=[],
        each=1,
        zoom=2,
        width=2,
        height=2,
    )
    credit = {"author": "A", "licence": "CC0", "link": "https://a.example"}
    Music.objects.create(owner=wanda, journey=journey, file="m", seconds=1, loudness=[], title="music-title", **credit)
    Work.objects.create(owner=wanda, kind="dream", original=original, network="house", caption=f"work-caption {WORDS}")
    Spent.objects.create(owner=wanda, units=77.125, at=timezone.now())
    StyleVote.objects.create(canvas=canvas, voter=wanda, network="house", style="voted-style")
    OwnStyle.objects.create(network="house", layer="a", channel=1, title="own-style", by=wanda)
    Job.objects.create(kind="fetch", network="network-of-job", by=wanda)
    Canvas.objects.create(slug="hers", title="canvas-of-hers", maker=wanda, listed=False)
    Guess.objects.create(
        canvas=canvas,
        network="house",
        seq=1,
        left=1,
        top=1,
        right=9,
        bottom=9,
        authors=[wanda.pk],
        words=[{"number": 0, "label": "guessed-word", "chance": 0.5}],
    )
    EmailAddress.objects.create(user=wanda, email=MAIL, verified=True)
    Authenticator.objects.create(user=wanda, type="totp", data={"secret": "x"})
    SocialAccount.objects.create(user=wanda, provider="github", uid="uid-elsewhere", extra_data={"login": NAME})
    for row in (wanda, sanction):
        LogEntry.objects.create(
            user=other,
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            object_repr=str(row),
            action_flag=CHANGE,
            change_message=NAME,
        )
    LogEntry.objects.create(user=wanda, action_flag=CHANGE, object_repr="a page")
    # Signed in with a second factor by now: this one waits for its code.
    assert Client().post("/accounts/login/", {"login": NAME, "password": PASSWORD}).status_code == 302


def pointing_at(user: User) -> set[str]:
    """The columns in which a row names this account."""
    found = set()
    for relation in User._meta.get_fields(include_hidden=True):
        if relation.is_relation and relation.auto_created and not relation.concrete:
            rows = relation.related_model._default_manager.filter(**{relation.field.name: user})
            if rows.exists():
                found.add(f"{relation.related_model._meta.label_lower}.{relation.field.name}")
    return found


def test_the_export_holds_every_column_that_names_one(wanda: User, everything: None) -> None:
    columns = columns_about_people()
    assert len(columns) > 30
    unsaid = columns - EXPORTED.keys() - NOT_EXPORTED.keys()
    assert not unsaid, f"neither in the export nor on the list of what it leaves out: {sorted(unsaid)}"
    assert pointing_at(wanda) == columns, "the test makes no row in some column"
    archive = zipfile.ZipFile(io.BytesIO(b"".join(export.chunks(wanda))))
    text = "\n".join(archive.read(name).decode() for name in archive.namelist())
    missing = {column: word for column, word in EXPORTED.items() if word not in text}
    assert not missing
    assert "guessed-word" in text, "what names her by number only"
    told = json.loads(archive.read("profile.json"))
    columns_of_account = {column.name for column in User._meta.concrete_fields} - NOT_TOLD.keys()
    words = {"date_joined": "joined", "username": "name", "last_login": "last_sign_in", "closes_at": "closes"}
    words |= {"is_active": "active", "is_staff": "staff", "is_superuser": "owner"}
    assert {words.get(column, column) for column in columns_of_account} <= told.keys()
    readme = archive.read("README.txt").decode()
    assert all(name in readme for name in archive.namelist() if name != "README.txt")
    assert "the-user" not in text, "others' names are theirs"


def test_who_left_is_named_nowhere(
    wanda: User,
    everything: None,
    settings: Any,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    before = {where for where, value in every_value() if NAME in value or MAIL in value}
    assert len(before) > 12
    wanda.closes_at = timezone.now() - timedelta(minutes=1)
    wanda.save()
    Client().get(f"/people/{NAME}/")
    with django_capture_on_commit_callbacks(execute=True):
        assert closing.scrub_due() == 1
    after = {where: value for where, value in every_value() if NAME in value or MAIL in value}
    assert not after.keys() - KEEPS.keys(), after
    pointing = pointing_at(User.objects.get(pk=wanda.pk))
    assert not pointing - STAYS.keys(), "neither deleted nor on the list of what stays"
    assert "digest" not in {value for where, value in every_value() if where.endswith("report.address")}
    stored = [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    assert not [path for path in stored if NAME in path.name or NAME.encode() in path.read_bytes()]
    for name in ("default", "pages"):
        held = getattr(caches[name], "_cache", {})
        assert NAME not in str(held), name
    drawn = [path for path in Path(str(settings.CACHES["pictures"]["LOCATION"])).rglob("*") if path.is_file()]
    assert not [path for path in drawn if NAME.encode() in path.read_bytes()]
    assert User.objects.get(pk=wanda.pk).skeleton != NAME


def test_the_page_says_what_keeps_the_name(wanda: User) -> None:
    client = Client()
    client.force_login(wanda)
    page = client.get("/account/close/").content.decode()
    for kept in ("log of what moderators do", "films", "words that others wrote", "backups"):
        assert kept in page, kept
