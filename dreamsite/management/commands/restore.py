"""`manage.py restore FOLDER`: a site from a backup, on the database and the storage of these settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dreamsite import backups
from dreamsite.core.storage import StorageUnavailable


class Command(BaseCommand):
    help = (
        "Fills a fresh database (after `manage.py migrate`) and the storage from a folder of `manage.py backup`, then "
        "checks every count and every file. Begun again after an interruption it goes on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--secret-key", type=Path, metavar="FILE", help="where the site's secret key is kept")
        parser.add_argument("--check", action="store_true", help="only compare; change nothing")
        parser.add_argument("--sizes-only", action="store_true", help="compare files by their length, without reading")

    def handle(self, *, folder: Path, secret_key: Path | None, check: bool, sizes_only: bool, **options: Any) -> None:
        try:
            if not check:
                backups.read(folder, self.stdout.write, secret_key)
            backups.check(folder, self.stdout.write, bytes_too=not sizes_only)
        except StorageUnavailable as error:
            raise CommandError(f"{error} Run it again: it goes on where it was.") from error
        except backups.BackupError as error:
            raise CommandError(str(error)) from error
