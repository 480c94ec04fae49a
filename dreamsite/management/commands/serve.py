"""`manage.py serve`: one web process, as a deployment runs it."""

from __future__ import annotations

import os
import shlex
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from dreamsite.serve import SERVERS


class Command(BaseCommand):
    help = "Becomes the web server, with the flags that the protocol needs. Prepare with migrate and collectstatic."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--server", choices=sorted(SERVERS), default="daphne", help="default: daphne")
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"), help="address to listen on")
        parser.add_argument("--show", action="store_true", help="print the command line instead, for other supervisors")

    def handle(self, *, server: str, host: str, show: bool, **options: Any) -> None:
        command = SERVERS[server](host, settings.PORT)
        if show:
            self.stdout.write(shlex.join(command))
            return
        os.execv(command[0], command)
