"""Twenty vandals, five honest people, dreams in between; one moderator puts it in order, and it can all be undone."""

from __future__ import annotations

import json
import random
import time
import urllib.request
from typing import Any

from tests.moderation.rollback.vandals import at_the_canvas, keep_dream, people, scribble
from tests.running import SMALL, SMALL_SIDE, RunningSite
from tests.sockets import opened

_DIGESTS = """
import hashlib, json
from canvas import frames, journal, picture, wire
from canvas.models import Canvas
canvas = Canvas.objects.get(slug="small")
honest = set({honest!r})
operations = journal.operations(canvas, {since}, canvas.head)
drawn = [(n, op) for n, op in operations if isinstance(op, wire.Stroke) and op.author in honest]
source = frames.load({frame})
digest = lambda pixels: hashlib.sha256(pixels.tobytes()).hexdigest()
print(json.dumps([digest(frames.compose(canvas).pixels), digest(picture.compose(source, drawn))]))
"""


class Moderator:
    """The endpoints, as the panel asks them."""

    def __init__(self, site: RunningSite, headers: dict[str, str]) -> None:
        self.address, self.headers = f"{site.url}/c/{SMALL}/moderation/", dict(headers)
        request = urllib.request.Request(f"{site.url}/c/{SMALL}/", headers=self.headers)
        with urllib.request.urlopen(request) as answer:
            page = answer.read().decode()
            cookies = [value.partition(";")[0] for value in answer.headers.get_all("Set-Cookie") or []]
        assert 'data-mod="panel"' in page
        self.headers["Cookie"] = "; ".join([self.headers["Cookie"], *cookies])
        self.headers["X-CSRFToken"] = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        self.headers |= {"Origin": site.url, "Content-Type": "application/json"}

    def ask(self, what: str, data: dict[str, Any] | None = None) -> Any:
        body = None if data is None else json.dumps(data).encode()
        with urllib.request.urlopen(urllib.request.Request(self.address + what, body, self.headers)) as answer:
            return json.loads(answer.read())


async def test_one_moderator_restores_the_honest_picture(site: RunningSite) -> None:
    chance = random.Random(20)
    honest, vandals, mona = people(site)
    good = None
    async with (
        at_the_canvas(site, SMALL, honest) as honest_sockets,
        at_the_canvas(site, SMALL, vandals) as vandal_sockets,
        opened(site.url, slug=SMALL) as viewer,
    ):
        await scribble(honest_sockets, SMALL_SIDE, chance, (0, 120, 60), 40)
        good = keep_dream(site, SMALL)
        began = int(time.time() * 1000)
        await scribble(vandal_sockets, SMALL_SIDE, chance, (0, 0, 0), 120)
        await scribble(honest_sockets, SMALL_SIDE, chance, (200, 40, 0), 40)
        spoilt = keep_dream(site, SMALL)
        await viewer.until(lambda: viewer.frame_id == spoilt)
        for client in (*honest_sockets, *vandal_sockets):
            await client.until(lambda c=client: c.frame_id == spoilt)
        await scribble(vandal_sockets, SMALL_SIDE, chance, (20, 0, 0), 120)
        await scribble(honest_sockets, SMALL_SIDE, chance, (0, 0, 220), 40)

        def digests() -> list[str]:
            since = next(frame["seq"] for frame in site.frames() if frame["id"] == good)
            code = _DIGESTS.format(honest=[p.id for p in honest], since=since, frame=good)
            found: list[str] = json.loads(site.shell(code))
            return found

        before, wanted = digests()
        assert before != wanted
        moderator = Moderator(site, mona.headers)
        listed = moderator.ask("people?minutes=60")["people"]
        assert {person["id"] for person in listed} == {person.id for person in (*honest, *vandals)}
        culprits = [person["id"] for person in listed if person["name"].startswith("vandal")]
        request = {"people": culprits, "since": began, "area": "all", "why": "Painting over everybody."}
        around = moderator.ask("preview", {**request, "area": "ink"})["covers"]
        assert around > 0.25, "the panel would not offer the whole picture by itself"
        assert moderator.ask("preview", {**request, "restore": False})["covers"] == 0
        shown = moderator.ask("preview", request)
        assert (shown["strokes"], shown["dreamed"], shown["restores"]) == (40, 20, True)
        assert shown["source"]["id"] == good
        done = moderator.ask("apply", request)["act"]

        assert digests() == [wanted, wanted]
        await viewer.until(lambda: viewer.frame is not None and viewer.frame["kind"] == "restored")
        assert [frame["number"] for frame in site.frames()] == [1, 2, 3]  # history goes on counting
        (undone,) = moderator.ask("undo", {"act": done["id"]})["acts"]
        assert digests()[0] == before
        moderator.ask("undo", {"act": undone["id"]})
        log = moderator.ask("log")["acts"]
        assert [(act["by"], act["undone"], act["undoable"]) for act in log] == [
            ("mona", False, True),
            ("mona", True, False),
            ("mona", True, False),
        ]
        assert log[-1]["why"] == "Painting over everybody." and log[-1]["what"] == "40 strokes of 20 people"
        # Everybody goes on drawing on the restored picture.
        await scribble(honest_sockets, SMALL_SIDE, chance, (90, 0, 90), 40)
        after, wanted = digests()
        assert after == wanted
