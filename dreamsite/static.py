"""Static files by content hash, the browser modules' imports included."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.files.storage import storages
from django.core.management import call_command
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticStorage(CompressedManifestStaticFilesStorage):
    """Rewrites `import` and `export … from` as well, so that a deploy never mixes old and new modules."""

    support_js_module_import_aggregation = True
    max_post_process_passes = 20  # a module's hash depends on those of all it imports, one pass for each level

    def stored_name(self, name: str) -> str:
        """The name with its hash; the plain one where nothing was collected: a page without style beats no page.

        Django raises instead, and the page that would say so raises in its turn.
        """
        try:
            return str(super().stored_name(name))
        except ValueError:
            return name


def collect() -> None:
    """`manage.py collectstatic`, unless what was collected is of the same files and all there: it takes seconds."""
    marker, sources = Path(settings.STATIC_ROOT) / ".sources", _sources()
    if marker.is_file() and marker.read_text() == sources and _whole(marker.parent):
        return
    marker.unlink(missing_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False)
    marker.write_text(sources)


def _whole(folder: Path) -> bool:
    """Whether the manifest is there, where names have hashes, and every file that it names."""
    if not isinstance(storages["staticfiles"], HashedStaticStorage):
        return True
    try:
        named = json.loads((folder / HashedStaticStorage.manifest_name).read_text())["paths"].values()
    except (OSError, ValueError, KeyError):
        return False
    return all((folder / name).is_file() for name in named)


def _sources() -> str:
    """A digest of every source's name, length and time, and of who makes the collected files of them."""
    digest = hashlib.sha256(f"{version('django')} {version('whitenoise')} {settings.STORAGES['staticfiles']}".encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            info = Path(storage.path(name)).stat()
            digest.update(f"{storage.location} {name} {info.st_size} {info.st_mtime_ns}\n".encode())
    return digest.hexdigest()
