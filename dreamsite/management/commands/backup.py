"""`manage.py backup FOLDER`: the whole site as a folder, while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from dreamsite import backups
from dreamsite.core.models import SiteState
from dreamsite.core.storage import StorageUnavailable


class Command(BaseCommand):
    help = (
        "Writes database, stored files and networks into a folder, while the site runs. Into the same "
        "folder again it copies only files that are new. `manage.py restore` makes a site of it, on any database and "
        "storage. The secret key is not in it: who finds the folder opens no session with it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--secret-key", type=Path, metavar="FILE", help="write the secret key there; keep it apart")

    def handle(self, *, folder: Path, secret_key: Path | None, **options: Any) -> None:
        try:
            lost = backups.write(folder, self.stdout.write)
            if secret_key is not None:
                backups.write_secret(secret_key)
        except StorageUnavailable as error:
            raise CommandError(f"{error} Run it again: it goes on where it was.") from error
        SiteState.objects.update_or_create(id=1, defaults={"backed_up_at": timezone.now()})
        for name in lost[:20]:
            self.stderr.write(f"{name} is missing or damaged in the storage.")
        self.stdout.write(f"The backup is in {folder}." + (f" {len(lost)} files are not whole." if lost else ""))
