from __future__ import annotations

import shlex
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from canvas import limits


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_the_printed_command_has_the_limits_of_the_protocol(server: str, settings: Any) -> None:
    settings.PORT, out = 8123, StringIO()
    call_command("serve", "--server", server, "--host", "10.0.0.1", "--show", stdout=out)
    command = shlex.split(out.getvalue())
    assert command[1] == "-m" and server in command[2] and command[-1] == "dreamsite.asgi:application"
    assert {"10.0.0.1", "8123"} <= set(command)
    # above the protocol's own limit, so that the room can say 4413 itself
    assert str(2 * limits.MAX_MESSAGE) in command


def test_an_unknown_server_is_named_with_those_there_are() -> None:
    with pytest.raises(CommandError, match="daphne"):
        call_command("serve", "--server", "gunicorn")
