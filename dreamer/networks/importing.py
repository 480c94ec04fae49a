"""Networks from files that somebody brings: the same checks for the page and for the command."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas.moderation.models import Act
from dreamer import registered
from dreamer.library import LibraryError
from dreamer.library.names import check_model_name
from dreamer.models import Job
from dreamer.networks import jobs, trying
from dreamsite.core.files import within
from dreamsite.core.tasks import Interrupted
from dreamsite.core.tasks.jobs import JobFailed, Progress

ARRIVED = Act.add_verb("network-arrived", gettext_lazy("A network arrived"))

LEFT = 86400.0  # seconds after which an upload that nobody imported goes


def name_of(file: str) -> str:
    """The name a network gets where nobody gives one; LibraryError where none can be made of the file's."""
    name = re.sub(r"[^a-z0-9._-]+", "-", Path(file).stem.lower())[:64].strip("-._")
    if not name:
        raise LibraryError(f"no name for a model can be made of {Path(file).name!r}; give one")
    return name


def check_name(name: str) -> None:
    """A network under the name of one that comes with the program would be dreamed with by that one's recipes."""
    check_model_name(name)
    if name in registered.OWN:
        raise LibraryError(f"{name!r} is a network that comes with the program; give another name")


def store(uploads: Iterable[tuple[str, IO[bytes]]]) -> Path:
    """Keeps uploaded files, under names of their own, in a folder where workers find them."""
    root = Path(settings.MODELS_DIR) / ".incoming"
    root.mkdir(parents=True, exist_ok=True)
    for left in root.iterdir():
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > LEFT and not _wanted(left):
                shutil.rmtree(left)
    folder = root / secrets.token_hex(12)
    folder.mkdir()
    try:
        for name, file in uploads:
            with within(folder, name).open("wb") as out:
                shutil.copyfileobj(file, out, 1 << 20)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _wanted(folder: Path) -> bool:
    return Job.objects.open().filter(kind=Job.Kind.IMPORT, options__folder=folder.name).exists()


@jobs.handler(Job.Kind.IMPORT)
def _import(job: Job, progress: Progress) -> str:
    options: dict[str, Any] = dict(job.options)
    folder = within(Path(settings.MODELS_DIR) / ".incoming", options.pop("folder"))
    file, replace = within(folder, options.pop("file")), bool(options.pop("replace", False))
    prototxt = within(folder, options.pop("prototxt")) if options.get("prototxt") else None
    if options.get("labels"):
        options["labels"] = within(folder, options["labels"])
    if options.get("mean"):
        options["mean"] = tuple(options["mean"])
    registry = registered.registry()
    try:
        progress.update(message=_("Reading and checking the file"))
        files = registry.import_file(
            file, job.network, prototxt=prototxt, replace=replace, pause=progress.update, **options
        )
    except (LibraryError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise JobFailed(str(error).replace(f"{folder}/", "")) from error
    except Interrupted:
        raise  # the next worker needs the files
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    Act.objects.record(job.by, ARRIVED, network=files.name, title=files.info.title, sha256=files.info.sha256)
    trying.order_all(files.name, job.by)
    notes = [_("%(count)d layers.") % {"count": len(registry.layers(files.name))}]
    if files.info.logits and not files.labels:
        notes.append(_("Its classes have no names: import it again with a file of class names."))
    return "\n".join([*notes, *files.info.notes])
