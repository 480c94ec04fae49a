"""`make clock`: the tests that know of time, at moments and in zones in which clocks and calendars are hard.

Python's clock is moved before anything else is loaded, here and in the site's processes (tests.tuned), and runs on from
there. Programs that are not Python, a browser for one, keep the real one, and so do the files' times.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

MOMENTS = (  # UTC, and the zone that the machine is in
    ("2026-12-31T23:58", "UTC"),  # the year ends during the run
    ("2026-12-31T12:00", "Pacific/Auckland"),  # where it has ended already
    ("2028-02-29T05:15", "America/Los_Angeles"),  # a day that most years lack, and there it is yet to come
    ("2028-02-29T23:58", "Asia/Kathmandu"),  # +05:45
    ("2027-03-01T00:10", "America/Los_Angeles"),  # a month begins, where it has not
    ("2027-03-28T00:58", "Europe/Berlin"),  # an hour is left out during the run; in October one comes twice
    ("2027-10-31T00:58", "Europe/Berlin"),
)
ON_TIME = ("gallery", "films", "moderation", "site", "canvas", "live")  # folders of tests to run if none are named
MOMENT, AHEAD = "TEST_CLOCK", "TEST_AHEAD"
SIGNALS = "TEST_CLOCK_SIGNALS"  # while it runs, a process sets its clock two hours on at a signal, and back at another
SET_FORWARD, SET_BACK = signal.SIGUSR1, signal.SIGUSR2
JUMPS = {SET_FORWARD: SET_BACK, SET_BACK: SET_FORWARD}


def move() -> None:
    """Moves this process' clock to TEST_CLOCK, or by as much as the process that started it; else nothing."""
    if (moment := os.environ.get(MOMENT)) and AHEAD not in os.environ:
        os.environ[AHEAD] = str(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() - time.time())
    if ahead := os.environ.get(AHEAD):
        import time_machine

        while True:
            begun = time.monotonic()
            traveller = time_machine.travel(time.time() + float(ahead))
            traveller.start()
            time.time()  # the first look sets it going
            if time.monotonic() - begun < 0.01:
                return
            traveller.stop()  # this process was put aside in between, and would be late among the others


def set_at_signals() -> None:
    """From now on this process' clock can be set while it runs, where TEST_CLOCK_SIGNALS is set."""
    if not os.environ.get(SIGNALS):
        return
    import time_machine

    travels: list[Any] = []

    def jump(number: int, frame: Any) -> None:
        if number == SET_FORWARD:
            travels.append(time_machine.travel(time.time() + 7200))
            travels[-1].start()
        elif travels:
            travels.pop().stop()

    for number in JUMPS:
        signal.signal(number, jump)


def main(arguments: list[str]) -> int:
    """Runs pytest once for each of the moments; 1 where it failed in one of them."""
    failed = []
    for moment, zone in MOMENTS:
        print(f"\n== {moment} UTC in {zone}", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", *(arguments or [f"tests/{folder}" for folder in ON_TIME])]
        if subprocess.run(command, env=os.environ | {MOMENT: moment, "TZ": zone}, check=False).returncode:
            failed.append(f"{moment} UTC in {zone}")
    print(f"\nFailed: {', '.join(failed) or 'none'}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
