"""System checks: an unsafe deployment says so before it serves anybody.

One table. Rules marked `deploy` are asked by `manage.py check --deploy` only, for they are about being on the internet.
"""

from __future__ import annotations

import resource
import shlex
import shutil
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from dreamer.engine import cuda, openvino

SECRET_LENGTH = 50  # what Django's own generator makes
GUESSED_FIRST = {"admin", "administrator", "django-admin", "wp-admin", "backend", "cms", ""}


@dataclass(frozen=True)
class Rule:
    id: str
    broken: Callable[[], bool]
    message: str
    hint: str
    deploy: bool = False

    def messages(self) -> list[CheckMessage]:
        kind = Error if self.id.startswith("E") else Warning
        return [kind(self.message, hint=self.hint, id=f"dreamsite.{self.id}")] if self.broken() else []


def _installed(package: str) -> tuple[int, ...]:
    try:
        found = version(package)
    except PackageNotFoundError:
        return ()
    return tuple(int(part) for part in found.split(".")[:3] if part.isdigit())


def _engine() -> str:
    return str(settings.DATABASES["default"]["ENGINE"])


def _local() -> bool:
    return urlsplit(settings.SITE_URL).hostname in ("localhost", "127.0.0.1", "::1")


def _layer_in_memory() -> bool:
    return "InMemory" in str(settings.CHANNEL_LAYERS["default"]["BACKEND"])


def _cache_in_memory() -> bool:
    return "Memory" in str(settings.CACHES["default"]["BACKEND"])


def _key_is_weak() -> bool:
    key = str(settings.SECRET_KEY)
    return len(key) < SECRET_LENGTH or len(set(key)) < 8 or key.startswith("django-insecure-")


def _key_is_readable() -> bool:
    try:
        mode = (settings.VAR_DIR / "secret-key").stat().st_mode
    except OSError:
        return False
    return bool(mode & (stat.S_IRGRP | stat.S_IROTH | stat.S_IWGRP | stat.S_IWOTH))


def _folder_is_open() -> bool:
    try:
        return bool(settings.VAR_DIR.stat().st_mode & stat.S_IRWXO)
    except OSError:
        return False


def _key_is_this_machines() -> bool:
    try:
        return bool((settings.VAR_DIR / "secret-key").read_text().strip() == settings.SECRET_KEY)
    except OSError:
        return False


FILES = 4_096  # each socket is one: some hundreds of viewers, the pool, files being sent


def _few_files() -> bool:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] < FILES


def _checking_command_is_missing() -> bool:
    check = str(settings.UPLOAD_CHECK)
    if not check or check.startswith(("http://", "https://")):
        return False
    try:
        command = shlex.split(check)
    except ValueError:
        return True
    return not command or shutil.which(command[0]) is None


RULES = (
    Rule(
        "E001",
        lambda: bool(settings.REDIS_URL) and _installed("redis") >= (8,),
        "redis 8 is installed; channels-redis loses messages with its new defaults.",
        "Install the pinned version: pip install -r requirements.lock",
    ),
    Rule(
        "E002",
        lambda: () < _installed("daphne") < (4, 2, 2),
        "This daphne lets one client fill the memory and slips headers past a proxy (CVE-2026-44545, CVE-2026-44546).",
        "Install the pinned version: pip install -r requirements.lock",
    ),
    Rule(
        "E003",
        lambda: settings.WEB_PROCESSES > 1 and _layer_in_memory(),
        "Several web processes with a layer in memory: people in one process would not see the ink of another.",
        "Set REDIS_URL, or WEB_PROCESSES=1.",
    ),
    Rule(
        "E004",
        _key_is_weak,
        "SECRET_KEY is too weak: whoever guesses it can sign in as anybody.",
        "Leave it out, and the site makes and keeps a good one; or set one of at least 50 random characters.",
    ),
    Rule(
        "W001",
        lambda: settings.DEBUG and (not _local() or not _engine().endswith("sqlite3")),
        "DEBUG is on, and this does not look like a laptop: its error pages show settings and code to anybody.",
        "Set DEBUG=0, or leave it out.",
    ),
    Rule(
        "W002",
        _key_is_readable,
        "Other users of this machine can read the secret key.",
        "chmod 600 the file secret-key in the state folder (DREAMSITE_VAR).",
    ),
    Rule(
        "W003",
        lambda: not _local() and not settings.HTTPS,
        "SITE_URL is not https: passwords and sessions travel in the open.",
        "Put a proxy with a certificate in front, and set SITE_URL=https://… and BEHIND_PROXY=1.",
        deploy=True,
    ),
    Rule(
        "W004",
        lambda: settings.HTTPS and not settings.BEHIND_PROXY,
        "SITE_URL is https, but nothing says that a proxy stands in front: every request would be redirected to "
        "itself, and rate limits would count the proxy as one visitor.",
        "Set BEHIND_PROXY=1, with a proxy that overwrites X-Forwarded-Proto and X-Forwarded-For.",
        deploy=True,
    ),
    Rule(
        "W005",
        lambda: settings.WEB_PROCESSES > 1 and _cache_in_memory(),
        "Several web processes with a cache in memory each: rate limits count in every process anew.",
        "Set REDIS_URL.",
    ),
    Rule(
        "W006",
        lambda: settings.ADMIN_PATH.lower() in GUESSED_FIRST,
        "The administration is where every scanner looks first.",
        "Set ADMIN_PATH to a word of your own.",
    ),
    Rule(
        "W007",
        lambda: not _engine().endswith("sqlite3") and _key_is_this_machines(),
        "The secret key was made on this machine, but the database is shared: other machines would make keys of their "
        "own, and each would throw out whoever signed in at another.",
        "Set the same SECRET_KEY (or SECRET_KEY_FILE) everywhere.",
        deploy=True,
    ),
    Rule(
        "W008",
        lambda: settings.EMAIL_BACKEND.endswith(("console.EmailBackend", "dummy.EmailBackend")),
        "No mail server is set: links to reset a password end in the log, where others may read them.",
        "Set MAIL_HOST, and MAIL_USER and MAIL_PASSWORD where it asks for them.",
        deploy=True,
    ),
    Rule(
        "W009",
        lambda: settings.SERVE_MEDIA and settings.WEB_PROCESSES > 1 and not _engine().endswith("sqlite3"),
        "Frames are kept in a folder of this machine, but the database is shared: another machine's web process would "
        "not find them.",
        "Set S3_BUCKET, or mount the same folder everywhere and silence this check (dreamsite.W009).",
        deploy=True,
    ),
    Rule(
        "W010",
        _folder_is_open,
        "Other users of this machine can look into the state folder: the database with its password hashes is there.",
        "chmod 700 the state folder (DREAMSITE_VAR); 750 where a web server's group must read its media or static.",
    ),
    Rule(
        "W011",
        _few_files,
        f"This process may open fewer than {FILES} files: each socket is one, and a crowd would lock everybody out.",
        "ulimit -n 65536 before the start, or LimitNOFILE=65536 in systemd's unit.",
        deploy=True,
    ),
    Rule(
        "W012",
        lambda: not settings.UPLOAD_CHECK,
        "UPLOAD_CHECK is not set: nothing looks at what people upload to the studio before the site stores it.",
        "Set UPLOAD_CHECK to a command or an address that accepts or refuses pictures (docs/settings.md), or silence "
        "this check (dreamsite.W012) where you know everybody who has an account.",
        deploy=True,
    ),
    Rule(
        "W013",
        _checking_command_is_missing,
        "UPLOAD_CHECK names a command that is not on this machine: every upload would be refused.",
        "Install it, give its whole path, or quote it as a shell would.",
    ),
)


@register(Tags.security)
def check_site(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    return [message for rule in RULES if not rule.deploy for message in rule.messages()]


@register()
def check_device(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A graphics card that cannot be used is said, for dreams would go to the processor without a word; and so is
    OpenVINO, without which nothing would dream."""
    if settings.DREAM_DEVICE == "openvino":
        if why := openvino.obstacle():
            hint = "Put that right, or set DREAM_DEVICE=auto."
            return [Error(f"Dreams cannot be made by OpenVINO: {why}.", hint=hint, id="dreamsite.E015")]
        if not openvino.has_bf16():
            slow = "This processor does not multiply in bf16: OpenVINO dreams no faster than DREAM_DEVICE=cpu does."
            return [Warning(slow, id="dreamsite.W016")]
        return []
    why = cuda.obstacle() if settings.DREAM_DEVICE != "cpu" else ""
    hint = "Put that right, or set DREAM_DEVICE=cpu where the card is for other work."
    return [Warning(f"Dreams cannot use the graphics card: {why}.", hint=hint, id="dreamsite.W014")] if why else []


@register(Tags.security, deploy=True)
def check_deployment(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    return [message for rule in RULES if rule.deploy for message in rule.messages()]
