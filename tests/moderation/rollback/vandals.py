"""The worst evening: twenty people paint over a drawing from twenty accounts while five others draw on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Sequence

from tests.running import Person, RunningSite
from tests.sockets import Client, opened, stroke_id

HONEST, VANDALS = 5, 20

_PEOPLE = """
import json
from datetime import timedelta
from django.utils import timezone
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.models import Group
from dreamsite.core.sessions import SessionStore
people = []
for name in {names!r}:
    user = get_user_model().objects.create(username=name, date_joined=timezone.now() - timedelta(days=2))
    if name == "mona":
        user.groups.add(Group.objects.get(name="Moderators"))
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    people.append([user.pk, name, settings.SESSION_COOKIE_NAME + "=" + session.session_key])
print(json.dumps(people))
"""

_KEEP = """
from canvas import frames, notify
from canvas.models import Canvas
canvas = Canvas.objects.get(slug={slug!r})
composed = frames.compose(canvas)
# As different from the drawing as a dream is.
pixels = 255 - composed.pixels[:, ::-1] // 2
made = frames.encode(pixels, "dream")
frame = frames.keep(frames.NewFrame(canvas, made, "dream", composed.seq, composed.authors, title="Eyes"))
notify.look(canvas.slug)
print(frame.pk)
"""


def people(site: RunningSite) -> tuple[list[Person], list[Person], Person]:
    """Five honest people, twenty vandals, and a moderator."""
    names = [f"ann{n}" for n in range(HONEST)] + [f"vandal{n:02}" for n in range(VANDALS)] + ["mona"]
    made = [
        Person(pk, name, {"Cookie": cookie}) for pk, name, cookie in json.loads(site.shell(_PEOPLE.format(names=names)))
    ]
    return made[:HONEST], made[HONEST:-1], made[-1]


def keep_dream(site: RunningSite, slug: str) -> int:
    """A frame of the canvas as it is, as if dreamed; its id."""
    return int(site.shell(_KEEP.format(slug=slug)))


@contextlib.asynccontextmanager
async def at_the_canvas(site: RunningSite, slug: str, who: Sequence[Person]) -> AsyncIterator[list[Client]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(opened(site.url, p.headers, slug=slug)) for p in who]


async def scribble(
    clients: Sequence[Client], side: int, chance: random.Random, colour: tuple[int, int, int], width: int
) -> None:
    """A stroke of each at once, somewhere, and waiting until the journal has it all."""

    async def one(client: Client) -> None:
        x, y = chance.randrange(side * 8), chance.randrange(side * 8)
        points = [(x, y, width)]
        for _ in range(6):
            reach = side * 2
            x = min(side * 8, max(0, x + chance.randint(-reach, reach)))
            y = min(side * 8, max(0, y + chance.randint(-reach, reach)))
            points.append((x, y, width))
        await client.draw(stroke_id(chance), points, colour=colour, opacity=255, each=2)
        await client.until(lambda: not client.sent_and_unknown() or bool(client.refused))
        assert not client.refused, client.refused

    await asyncio.gather(*map(one, clients))
