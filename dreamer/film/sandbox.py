"""Files that nobody vouches for are read in a process of their own, which may do nothing but read and write one file.

`run` is the side of whoever wants the file, `serve` that of the process. Before the first byte of the file is read the
process limits itself: memory, seconds of processor, size and number of files, and no sockets. What it found comes back
as lines of JSON on its standard output: {"part": 0.4} where it is that far, and at last {"made": {...}}, or
{"refused": code, ...} with what was received.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import selectors
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LISTEN_SECONDS = 0.25  # how often `progress` is called, at least
OUTPUT_MOST = 64 * 1024  # bytes of what a process says
REPORT_SECONDS = 0.3


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a process may use: bytes that it writes, bytes of addresses, seconds of processor and of the clock."""

    made_bytes: int
    memory: int
    cpu_seconds: int
    wall_seconds: float


class Refused(Exception):
    """The file is not taken; `code` and `received` say why, and whoever wanted it puts it into words."""

    def __init__(self, code: str, **received: Any) -> None:
        super().__init__(code)
        self.code, self.received = code, received


def run(
    module: str,
    source: Path,
    target: Path,
    limits: Limits,
    progress: Callable[[float], None] = lambda part: None,
) -> dict[str, Any]:
    """What the process made as `target`, which is not left behind where it made nothing.

    It has no settings of this one, and is killed when its time is over, or when `progress` raises, which is called all
    the time with how far it is. Raises Refused: with the process' own code, "time", or "died" where a limit or the file
    ended it without a word.
    """
    command = [sys.executable, "-m", module, str(source.resolve()), str(target.resolve()), json.dumps(asdict(limits))]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        try:
            answer = _answer(_heard(process, limits.wall_seconds, progress))
            if isinstance(made := answer.get("made"), dict):
                return made
            raise Refused(answer.pop("refused", "died"), **answer)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        finally:
            process.kill()


def _heard(process: subprocess.Popen[bytes], seconds: float, progress: Callable[[float], None]) -> bytes:
    """All that the process says until it ends, the last of it. Raises Refused where it takes longer."""
    output, part, until = b"", 0.0, time.monotonic() + seconds
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if time.monotonic() > until:
                raise Refused("time")
            if selector.select(LISTEN_SECONDS):
                piece = os.read(process.stdout.fileno(), OUTPUT_MOST)
                if not piece:
                    return output
                output = (output + piece)[-OUTPUT_MOST:]
                found = _answer(output).get("part")
                part = float(found) if isinstance(found, int | float) else part
            progress(part)


def _answer(output: bytes) -> dict[str, Any]:
    """The last line that is whole."""
    with contextlib.suppress(ValueError):
        answer = json.loads((output.splitlines() or [b""])[-1])
        if isinstance(answer, dict):
            return answer
    return {"refused": "died"}


# --- in the process --------------------------------------------------------------------------------------------------


def serve(made_anew: Callable[[Path, Path, dict[str, Any]], dict[str, Any]]) -> None:
    """Runs `made_anew(source, target, limits)` by the command line, limited, and says what came of it."""
    source, target, limits = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    limit(limits)
    try:
        answer: dict[str, Any] = {"made": made_anew(source, target, limits)}
    except Refused as refused:
        answer = {"refused": refused.code, **refused.received}
    except MemoryError:
        answer = {"refused": "memory"}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    os._exit(0)  # what a damaged file left behind in a library need not be taken down


_reported = 0.0


def tell(part: float) -> None:
    """Says how far it is, 0 to 1, now and then."""
    global _reported
    if time.monotonic() - _reported >= REPORT_SECONDS:
        _reported = time.monotonic()
        sys.stdout.write(json.dumps({"part": round(min(1.0, max(0.0, part)), 3)}) + "\n")
        sys.stdout.flush()


def limit(limits: dict[str, Any]) -> None:
    """Takes from this process what it does not need."""
    os.nice(10)
    for what, most in (
        (resource.RLIMIT_AS, limits["memory"]),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, limits["made_bytes"]),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))
    no_sockets()


def no_sockets() -> bool:
    """Has Linux refuse every new socket to this process and its threads, by a seccomp filter; False elsewhere.

    The filter is five instructions of classic BPF over struct seccomp_data (linux/seccomp.h): another architecture than
    the one this was built for is let alone, `socket` and `socketpair` answer EACCES, all else is allowed.
    """
    machines = {"x86_64": (0xC000003E, 41, 53), "aarch64": (0xC00000B7, 198, 199)}
    found = machines.get(os.uname().machine)
    if sys.platform != "linux" or found is None:
        return False
    architecture, socket, pair = found
    load, equal, answer = 0x20, 0x15, 0x06
    code = [
        (load, 0, 0, 4),  # seccomp_data.arch
        (equal, 0, 4, architecture),
        (load, 0, 0, 0),  # seccomp_data.nr
        (equal, 1, 0, socket),
        (equal, 0, 1, pair),
        (answer, 0, 0, 0x00050000 | 13),  # SECCOMP_RET_ERRNO | EACCES
        (answer, 0, 0, 0x7FFF0000),  # SECCOMP_RET_ALLOW
    ]

    class Instruction(ctypes.Structure):
        _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint)]

    class Program(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.POINTER(Instruction))]

    rows = (Instruction * len(code))(*(Instruction(*row) for row in code))
    program = Program(len(code), rows)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0):  # PR_SET_NO_NEW_PRIVS
        return False
    return not libc.prctl(22, 2, ctypes.byref(program), 0, 0)  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
