"""`manage.py export_static DIR`: the site as files, so that it outlives the servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gallery.export import crawl
from gallery.export.addresses import ExportOptions


class Command(BaseCommand):
    help = (
        "Writes the whole site into a folder, as files that open from any web server: the farewell first, the history "
        "with every frame, films, exhibits, pages. A run that was cut short goes on where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="empty, or that of a run that was cut short")
        parser.add_argument("--no-frames", action="store_true", help="leave the history out, with all its frames")
        parser.add_argument("--no-json", action="store_true", help="leave out the JSON versions of pages")

        parser.add_argument(
            "--drawings",
            action="store_true",
            help="also what each frame was dreamed of; painting takes seconds for each",
        )

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        if not settings.DEBUG and not getattr(staticfiles_storage, "hashed_files", {}):
            raise CommandError("There are no static files yet: run collectstatic first.")
        if folder.is_dir() and any(folder.iterdir()) and not (folder / crawl.STATE_FILE).exists():
            raise CommandError(f"{folder} is not empty: name another folder, or empty it.")
        selected = ExportOptions(
            frames=not options["no_frames"], json=not options["no_json"], drawings=options["drawings"]
        )
        export = crawl.Export(folder, selected, self.stdout.write)
        try:
            count = export.run()
        except crawl.ExportError as error:
            raise CommandError(f"{error} Correct that and run the same command again: it goes on from here.") from error
        for address in export.missing:
            self.stderr.write(f"Not found: {address}")
        self.stdout.write(f"{count} files are in {folder}. Open {folder / 'index.html'} through any web server.")
