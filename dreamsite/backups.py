"""A site as a folder, and a folder as a site: for backups, and for moving from one database or storage to another.

    rows/<app>.<model>.jsonl   every table, a row a line, in the order of `fields` in the manifest
    files/<name>               every stored file that a row names
    models/…                   the networks of MODELS_DIR
    manifest.json              written last: counts, sizes, SHA-256, and which migrations had run

Sessions, links and second factors are signed and closed with the site's secret key. It is not in the folder, so that
who steals the folder opens nothing; `write_secret` puts it into a file of its own, to be kept elsewhere.

The rows are read in one transaction, so they fit together though the site goes on; the files after them, since a row
names only files that are there. Files never change under their names: what is in the folder already is not copied
again, so a second run is quick and brings what is new. What has gone meanwhile (a frame was hidden) is listed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

from django.apps import apps
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.management.color import no_style
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

from dreamsite.core.files import whole_file

FORMAT = 1
CHUNK = 1 << 20  # bytes
ROWS = 500  # at once
LEFT_OUT = {"django_tasks_db.dbtaskresult", "core.workerheartbeat"}  # of processes that run: jobs are found again
Say = Callable[[str], None]


class BackupError(Exception):
    """The folder, the database or the storage is not what it should be; the message says what to do."""


def tables() -> list[type[models.Model]]:
    every = apps.get_models(include_auto_created=True)
    return [model for model in every if model._meta.managed and model._meta.label_lower not in LEFT_OUT]


# --- out -------------------------------------------------------------------------------------------------------------


def write(folder: Path, say: Say) -> list[str]:
    """The names of files that rows name and the storage has not, or has with other bytes. Raises StorageUnavailable."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "rows").mkdir(exist_ok=True)
    manifest: dict[str, Any] = {"format": FORMAT, "migrations": _migrations(), "tables": {}, "files": {}}
    names: set[str] = set()
    sums: dict[str, str] = {}
    with _one_moment():
        for model in tables():
            label = model._meta.label_lower
            manifest["tables"][label] = _write_rows(model, folder / "rows" / f"{label}.jsonl", names, sums)
    say(f"{sum(table['count'] for table in manifest['tables'].values())} rows; {len(names)} files are named in them.")
    lost = []
    for number, name in enumerate(sorted(names), 1):
        found = _fetch(name, folder / "files" / name)
        if found is None or sums.get(name, found["sha256"]) != found["sha256"]:
            lost.append(name)
        if found is not None:
            manifest["files"][name] = found
        if number % 1000 == 0:
            say(f"{number} of {len(names)} files.")
    manifest["models"] = _copy_folder(Path(settings.MODELS_DIR), folder / "models")
    (folder / "secret-key").unlink(missing_ok=True)  # earlier versions put it there
    manifest["secret_key"] = _fingerprint(settings.SECRET_KEY)
    with whole_file(folder / "manifest.json", mode=0o600) as draft:
        draft.write_text(json.dumps(manifest, indent=1))
    return lost


def write_secret(path: Path) -> None:
    with whole_file(path, mode=0o600) as draft:
        draft.write_text(settings.SECRET_KEY)


def _fingerprint(secret: str) -> str:
    return hashlib.sha256(f"fingerprint {secret}".encode()).hexdigest()


@contextmanager
def _one_moment() -> Iterator[None]:
    """What is read inside is the database at one moment, and nobody who writes meanwhile waits for it."""
    if connection.vendor == "sqlite":
        # Not atomic(), which takes the lock of those who write (dreamsite/stores.py).
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _write_rows(model: type[models.Model], path: Path, names: set[str], sums: dict[str, str]) -> dict[str, Any]:
    columns = list(model._meta.concrete_fields)
    fields = [column.attname for column in columns]
    stored = [index for index, column in enumerate(columns) if isinstance(column, models.FileField)]
    has_sum = "picture" in fields and "sha256" in fields
    digest, count = hashlib.sha256(), 0
    with whole_file(path, mode=0o600) as draft, draft.open("wb") as file:
        for row in model._base_manager.order_by("pk").values_list(*fields).iterator(chunk_size=ROWS):
            names |= {str(row[index]) for index in stored if row[index]}
            if has_sum:
                sums[str(row[fields.index("picture")])] = str(row[fields.index("sha256")])
            line = json.dumps([_out(value) for value in row], cls=DjangoJSONEncoder, separators=(",", ":")).encode()
            digest.update(line)
            file.write(line + b"\n")
            count += 1
    return {"fields": fields, "count": count, "sha256": digest.hexdigest()}


def _out(value: Any) -> Any:
    """Bytes as text; times to the microsecond, which JSON of Django's would cut."""
    if isinstance(value, bytes | memoryview):
        return {"base64": base64.b64encode(bytes(value)).decode()}
    return value.isoformat() if hasattr(value, "isoformat") else value


def _fetch(name: str, path: Path) -> dict[str, Any] | None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            source = default_storage.open(name, "rb")
        except FileNotFoundError:
            return None
        with source, whole_file(path, mode=0o600) as draft, draft.open("wb") as target:
            shutil.copyfileobj(source, target, CHUNK)
    with path.open("rb") as file:
        return {"size": path.stat().st_size, "sha256": _sum(file)}


def _copy_folder(source: Path, target: Path) -> dict[str, str]:
    sums = {}
    for path in sorted(source.rglob("*")) if source.is_dir() else ():
        if not path.is_file():
            continue
        copy = target / path.relative_to(source)
        if not copy.exists() or copy.stat().st_size != path.stat().st_size:
            copy.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(copy) as draft:
                shutil.copyfile(path, draft)
        with copy.open("rb") as file:
            sums[path.relative_to(source).as_posix()] = _sum(file)
    return sums


# --- in --------------------------------------------------------------------------------------------------------------


def read(folder: Path, say: Say, secret_key: Path | None = None) -> None:
    """Fills a fresh database and the storage. Begun again after any interruption it goes on. Raises BackupError.

    `secret_key`: the file with the site's secret; without it the settings' own must be that of the site.
    """
    manifest = _manifest(folder)
    _check_database(manifest)
    _take_secret(manifest, secret_key, say)
    done = 0
    for name, said in manifest["files"].items():  # first, so that no row ever names a file that is not there
        done += _store(name, folder / "files" / name, said)
        if done and done % 1000 == 0:
            say(f"{done} files stored.")
    say(f"{done} files stored, {len(manifest['files']) - done} were there.")
    _copy_folder(folder / "models", Path(settings.MODELS_DIR))
    _fill(folder, manifest)


def _take_secret(manifest: dict[str, Any], path: Path | None, say: Say) -> None:
    secret, wanted = settings.SECRET_KEY, manifest["secret_key"]
    if path is not None:
        try:
            secret = path.read_text().strip()
        except OSError as error:
            raise BackupError(f"{path} cannot be read: {error.strerror}.") from error
        if _fingerprint(secret) != wanted:
            raise BackupError(f"{path} holds another secret key than the site of this backup had.")
        if secret != settings.SECRET_KEY and not (os.environ.get("SECRET_KEY") or os.environ.get("SECRET_KEY_FILE")):
            with whole_file(Path(settings.VAR_DIR) / "secret-key", mode=0o600) as draft:
                draft.write_text(secret)
            return
        secret = settings.SECRET_KEY
    if _fingerprint(secret) != wanted:
        say("SECRET_KEY is another than the site had. Give its own with --secret-key FILE, in SECRET_KEY or in")
        say("SECRET_KEY_FALLBACKS, or everybody must sign in again and second factors are lost.")


def check(folder: Path, say: Say, *, bytes_too: bool = True) -> None:
    """Compares a database and a storage with the folder: each count, each file. Raises BackupError."""
    manifest, wrong = _manifest(folder), []
    for model in tables():
        wanted, found = manifest["tables"][model._meta.label_lower]["count"], model._base_manager.count()
        if wanted != found:
            wrong.append(f"{model._meta.label}: {found} rows, {wanted} in the backup")
    for name, said in manifest["files"].items():
        try:
            if default_storage.size(name) != said["size"]:
                wrong.append(f"{name} has another length")
            elif bytes_too:
                with default_storage.open(name, "rb") as file:
                    if _sum(file) != said["sha256"]:
                        wrong.append(f"{name} has other bytes")
        except FileNotFoundError:
            wrong.append(f"{name} is missing")
    if wrong:
        raise BackupError("It is not what was backed up. " + "; ".join(wrong[:20]))
    say(f"{len(manifest['tables'])} tables and {len(manifest['files'])} files are as they were.")


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    except FileNotFoundError:
        raise BackupError(f"{folder} has no manifest.json: the backup did not come to its end. Run it again.") from None
    if manifest.get("format") != FORMAT:
        raise BackupError(f"The backup has format {manifest.get('format')}, this program reads {FORMAT}.")
    return manifest


def _migrations() -> list[str]:
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def _check_database(manifest: dict[str, Any]) -> None:
    if difference := set(manifest["migrations"]) ^ set(_migrations()):
        raise BackupError(
            f"The backup is of another version of the program ({', '.join(sorted(difference)[:5])}). "
            "Restore it with that version, after its `manage.py migrate`, and upgrade then."
        )
    for label in ("core.User", "canvas.Canvas", "canvas.Batch"):
        if apps.get_model(label)._base_manager.exists():
            raise BackupError("The database holds a site already. Restore into a new one: create it, then migrate.")


def _store(name: str, path: Path, said: dict[str, Any]) -> bool:
    with path.open("rb") as file:
        if _sum(file) != said["sha256"]:
            raise BackupError(f"{path} is damaged: its SHA-256 is not the one in the manifest.")
        try:
            if default_storage.size(name) == said["size"]:
                return False
            default_storage.delete(name)  # half of it, of a run that was killed
        except FileNotFoundError:
            pass
        file.seek(0)
        saved = default_storage.save(name, File(file))
    if saved != name:
        raise BackupError(f"The storage took {name} under another name, {saved}.")
    return True


def _fill(folder: Path, manifest: dict[str, Any]) -> None:
    """All or nothing. Foreign keys are asked for at the end of the transaction, so the order does not matter."""
    with transaction.atomic():
        for model in tables():
            model._base_manager.all().delete()  # what migrations made: pages, groups, permissions
        for model in tables():
            label = model._meta.label_lower
            said = manifest["tables"][label]
            digest = hashlib.sha256()
            columns = {column.attname: column for column in model._meta.concrete_fields}
            with (folder / "rows" / f"{label}.jsonl").open("rb") as file:
                rows = _rows(model, said["fields"], columns, file, digest)
                while batch := list(islice(rows, ROWS)):
                    model._base_manager.bulk_create(batch)
            if digest.hexdigest() != said["sha256"]:
                raise BackupError(f"The rows of {label} are damaged: their SHA-256 is not the one in the manifest.")
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), tables()):
                cursor.execute(statement)


def _rows(
    model: type[models.Model], fields: list[str], columns: dict[str, Any], file: IO[bytes], digest: Any
) -> Iterator[models.Model]:
    for line in file:
        digest.update(line.rstrip(b"\n"))
        values = json.loads(line)
        yield model(**{name: _in(columns[name], value) for name, value in zip(fields, values, strict=True)})


def _in(column: Any, value: Any) -> Any:
    if isinstance(column, models.BinaryField) and value is not None:
        return base64.b64decode(value["base64"])
    if isinstance(column, models.JSONField):
        return value
    return column.to_python(value) if not column.is_relation else column.target_field.to_python(value)


def _sum(file: IO[bytes] | File[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
