"""`manage.py up`, the whole site from an empty folder: what `make run` starts."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from canvas import wire
from tests.running import PASSWORD, PATIENCE, ROOT, RunningSite, copy, end, until
from tests.sockets import opened, stroke_id

chance = random.Random(3)


class Up:
    """A running `manage.py up`, with what it has said so far."""

    def __init__(self, site: RunningSite, *arguments: str) -> None:
        site.var.mkdir(parents=True, exist_ok=True)
        self._log, self._from = site.var / "up.log", len(site.log("up"))
        with self._log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", *arguments],
                cwd=ROOT,
                env=site.env,
                stdout=out,
                stderr=out,
                start_new_session=True,
                # As from a terminal, also where the tests run under nohup.
                preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
            )

    def output(self) -> str:
        return self._log.read_text(errors="replace")[self._from :]

    def until_said(self, pattern: str) -> re.Match[str]:
        try:
            found: re.Match[str] = until(
                lambda: re.search(pattern, self.output()) or self.process.poll() is not None, pattern
            )
        except AssertionError:
            raise AssertionError(f"{pattern!r} was not written:\n{self.output()}") from None
        assert isinstance(found, re.Match), self.output()
        return found

    def children(self) -> dict[str, int]:
        """The processes it started: `daphne`, `dreamer` and `worker`, by what their command lines say."""
        found = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                command = (folder / "cmdline").read_text()
            except OSError:
                continue
            if parent == self.process.pid:
                name = next((name for name in ("dreamer", "worker") if name in command.split("\0")), "daphne")
                found[name] = int(folder.name)
        return found


def gone(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.slow
async def test_a_site_from_nothing_and_again(tmp_path: Path) -> None:
    site = RunningSite(tmp_path / "var", CANVAS_SIZE="256", DREAM_INTERVAL="1")
    up = Up(site)
    try:
        assert up.until_said(r"Dreamsite is at (\S+)")[1] == site.url + "/"
        link = up.until_said(r"Claim it here, once: (\S+)")[1]
        assert link.startswith(site.url) and "model import" in up.until_said(r"no network.*")[0]

        # The owner claims it, once.
        owner = site.browser()
        status, page = owner.post(link.removeprefix(site.url), username="vera", password=PASSWORD)
        assert status == 200 and "session" in owner.cookies, page[:2000]
        assert site.rows("SELECT username, is_superuser FROM core_user") == [("vera", 1)]
        assert "csrfmiddlewaretoken" not in site.browser().get(link.removeprefix(site.url))[1]
        # It begins with a drawing. Somebody signs up and draws.
        opening = len(site.journal())
        assert opening > 20
        ann = site.browser().sign_up("ann")
        async with opened(site.url, ann.headers) as drawer:
            assert drawer.welcome["canvas"]["width"] == 256
            await drawer.draw(stroke_id(chance), [(8 * step, 800, 160) for step in range(40)])
            await drawer.until(lambda: not drawer.sent_and_unknown())
        drawn = site.journal()
        assert len(drawn) == opening + 10

        # Its children come back when they are killed.
        first = up.children()
        assert set(first) == {"daphne", "dreamer", "worker"}
        for name in ("dreamer", "worker", "daphne"):
            os.kill(first[name], signal.SIGKILL)
            until(lambda n=name: up.children().get(n, first[n]) != first[n], f"another {name}")
        until(site.answers)
        # Ctrl-C ends everything, in order, and says so.
        children = up.children()
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(PATIENCE) == 0 and "kept" in up.output()
        assert all(gone(pid) for pid in children.values()) and not site.answers()

        # The same canvas when it is started again; there is nothing left to claim.
        up = Up(site)
        up.until_said("Ctrl-C stops it")
        assert "Claim" not in up.output()
        async with opened(site.url, ann.headers) as drawer:
            await drawer.until(lambda: drawer.head == len(drawn))
            assert sorted(drawer.operations.items()) == drawn and drawer.welcome["you"]["name"] == "ann"

        # kill -9 of `up` itself leaves nobody behind who holds the port, and loses nothing.
        children = up.children()
        end(up.process, signal.SIGKILL)
        until(lambda: all(gone(pid) for pid in children.values()), "the children's end")
        up = Up(site, "--server", "uvicorn", "--no-dreamer", "--no-worker")
        up.until_said("Ctrl-C stops it")
        async with opened(site.url) as viewer:
            await viewer.until(lambda: viewer.head == len(drawn))
            assert all(isinstance(op, wire.Stroke) for op in viewer.operations.values())
            assert set(up.children()) == {"daphne"}  # whatever web server it is
        # A terminal that is closed ends it as Ctrl-C does.
        children = up.children()
        up.process.send_signal(signal.SIGHUP)
        assert up.process.wait(PATIENCE) == 0 and "kept" in up.output()
        assert all(gone(pid) for pid in children.values()) and not site.answers()
    finally:
        end(up.process, signal.SIGINT)
    assert "Traceback" not in up.output(), up.output()


def test_a_taken_port_is_said(make_site: Callable[..., RunningSite]) -> None:
    site = make_site()
    site.start_web()
    up = Up(site, "--no-dreamer", "--no-worker")
    try:
        up.until_said(r"[Pp]ort \d+ .*taken")
        assert up.process.wait(PATIENCE) != 0
    finally:
        end(up.process, signal.SIGKILL)


def test_a_fresh_site_dreams_within_its_first_minute(
    site_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With the network that comes with the program, and nothing else brought."""
    site = RunningSite(
        copy(site_template, tmp_path_factory.mktemp("fresh") / "var"),
        HOUSE_MODEL="true",
        CANVAS_SIZE="128",
        DREAM_INTERVAL="2",
    )
    try:
        site.start_web()
        site.start_dreamer()
        asyncio.run(_draw_and_wait(site))
    finally:
        site.stop()


async def _draw_and_wait(site: RunningSite) -> None:
    anna = site.browser().sign_up("anna")
    async with opened(site.url, anna.headers) as client:
        await client.draw(stroke_id(chance), [(8 * x, 8 * x, 160) for x in range(20, 100, 8)])
        await client.until(lambda: client.frame is not None)
        assert client.news[-1]["type"] in ("frame", "dream")
