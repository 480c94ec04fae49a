"""`manage.py model`: fetch published networks, import files, list, show layers, choose, remove."""

from __future__ import annotations

import argparse
import math
import sys
import textwrap
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from canvas.models import Canvas
from dreamer import registered
from dreamer.library import LibraryError, ModelFiles, Registry
from dreamer.library.caffe import read_mean
from dreamer.library.conventions import CONVENTIONS, Triple
from dreamer.library.download import Download
from dreamer.library.fetch import fetch, source
from dreamer.library.formats import SUFFIXES
from dreamer.library.names import nearest, unknown
from dreamer.library.sources import SOURCES
from dreamer.management.terminal import Bar
from dreamer.networks import choosing, fetching, importing
from dreamer.registered import default_model

MB = 1_000_000
SITE = "site"  # in place of a network's name: the one the site decides for


class Command(BaseCommand):
    help = "The networks that can dream: fetch published ones, import files, list, show layers, choose, remove."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="fetch|import|list|layers|use|remove")
        self._add_fetch(actions)
        self._add_import(actions)
        actions.add_parser("list", help="the registered networks")
        layers = actions.add_parser("layers", help="what a network can dream of: layers and their channels")
        layers.add_argument("name", metavar="NAME", help="a registered network")
        layers.add_argument("--match", metavar="TEXT", default="", help="only layers whose names contain it")
        use = actions.add_parser("use", help="have canvases dream with a network from their next dream on")
        use.add_argument("name", metavar="NAME", help=f"a registered network, or {SITE!r} to follow the site again")
        use.add_argument("--canvas", action="append", metavar="SLUG", help="only this one (may be repeated)")
        remove = actions.add_parser("remove", help="delete a registered network")
        remove.add_argument("name", metavar="NAME", help="a registered network")

    def _add_fetch(self, actions: Any) -> None:
        known = "\n".join(f"  {name:17} {_wrap(s.about)}\n{'':20}{_wrap(s.licence)}" for name, s in SOURCES.items())
        parser = actions.add_parser(
            "fetch",
            help="download a published network, check it and convert it",
            description="Download a published network, check it and convert it. A broken download is resumed.",
            epilog=f"published networks, with their licences:\n{known}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("name", metavar="NAME", help=" | ".join(SOURCES))
        parser.add_argument("--from", dest="file", type=Path, metavar="FILE", help="the file, got elsewhere")
        parser.add_argument("--as", dest="alias", metavar="NAME", help="register it under another name")
        parser.add_argument("--labels", type=Path, metavar="FILE", help="class names, one a line, in output order")
        parser.add_argument(
            "--stall", type=_seconds, default=30.0, metavar="SECONDS", help="without data: give up (%(default)g)"
        )
        parser.add_argument("--replace", action="store_true", help="even if there is one of this name")
        parser.add_argument("--use", action="store_true", help="dream with it from now on, on every canvas")

    def _add_import(self, actions: Any) -> None:
        rows = "\n".join(
            f"  {name:16} {_words(c.channel_order, c.mean, c.scale, c.std)}" for name, c in CONVENTIONS.items()
        )
        parser = actions.add_parser(
            "import",
            help="register a network from a file: " + ", ".join(SUFFIXES),
            description="Register a network from a file. Networks known here need no more than the file; others "
            "must be told how they want their pictures, which no file says.",
            epilog=f"conventions; fed is (pixel - mean) * scale, pixels in 0..255:\n{rows}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("file", type=Path, metavar="FILE", help="a name ending in " + ", ".join(SUFFIXES))
        parser.add_argument(
            "--prototxt", type=Path, metavar="FILE", help="describes a .caffemodel; without, it itself does"
        )
        parser.add_argument("--name", metavar="NAME", help="default: from the file's name")
        parser.add_argument("--title", metavar="TEXT", help="how people see it")
        parser.add_argument("--labels", type=Path, metavar="FILE", help="class names, one a line, in output order")
        parser.add_argument("--licence", metavar="TEXT")
        parser.add_argument("--convention", choices=tuple(CONVENTIONS), metavar="NAME", help="one of those below")
        parser.add_argument("--channel-order", choices=("RGB", "BGR"), help="of the channels it is fed")
        parser.add_argument(
            "--mean", type=_mean, metavar="A,B,C", help="in 0..255, in that order; or a .binaryproto file"
        )
        parser.add_argument("--scale", type=float, metavar="NUMBER", help="default: 1")
        parser.add_argument("--input", metavar="TENSOR", help="the picture's, where the file has several inputs")
        parser.add_argument(
            "--size", type=int, metavar="PIXELS", help="the side it was made for, where no file says it (224)"
        )
        parser.add_argument("--replace", action="store_true", help="even if there is one of this name")
        parser.add_argument("--use", action="store_true", help="dream with it from now on, on every canvas")

    def handle(self, *, action: str, **options: Any) -> None:
        registry = registered.registry()
        try:
            getattr(self, f"_{action}")(registry, options)
        except (LibraryError, OSError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            _stop("stopped")

    def _fetch(self, registry: Registry, options: dict[str, Any]) -> None:
        wanted = source(options["name"])
        importing.check_name(options["alias"] or wanted.name)
        self.stderr.write(f"{wanted.name}: {wanted.about}\nLicence: {wanted.licence}")
        live = sys.stderr.isatty()
        try:
            with Bar(sys.stderr) as bar:
                download = Download(
                    stall=options["stall"],
                    notify=lambda text: self.stderr.write(f"\n{text}" if live else text),
                    progress=lambda done, total: bar.show(done / total if total else 0.0, _amount(done, total)),
                )
                files = fetch(
                    wanted,
                    registry,
                    download=download,
                    file=options["file"],
                    labels=options["labels"],
                    name=options["alias"],
                    replace=options["replace"],
                )
        except KeyboardInterrupt:
            kept = "what has arrived is kept, and the same command resumes it"
            lost = "the same command begins again, as no checksum was published to resume by"
            _stop(f"stopped; {kept if wanted.weights.checked else lost}")
        self._describe(registry, files)
        self._offer(files.name, options["use"])

    def _import(self, registry: Registry, options: dict[str, Any]) -> None:
        file: Path = options["file"]
        name = options["name"] or importing.name_of(file.name)
        importing.check_name(name)
        given = ("title", "labels", "licence", "convention", "channel_order", "mean", "scale", "input", "size")
        self._ask_before(name, options)
        chosen: Any = {key: options[key] for key in given if options[key] is not None}
        files = registry.import_file(file, name, prototxt=options["prototxt"], replace=options["replace"], **chosen)
        self._describe(registry, files)
        self._offer(name, options["use"])

    def _list(self, registry: Registry, options: dict[str, Any]) -> None:
        for files in registry.list():
            size = files.model.stat().st_size / MB
            self.stdout.write(
                f"{files.name:20} {files.info.title:34} {size:6.1f} MB  {len(files.labels):5} labels "
                f"{len(files.shelf):4} styles  {files.info.licence}"
            )
        for problem in registry.problems():
            self.stderr.write(self.style.WARNING(problem))
        if not registry.names():
            self.stderr.write(f"none in {registry.root}; `model fetch googlenet` brings one")

    def _layers(self, registry: Registry, options: dict[str, Any]) -> None:
        layers, text = registry.layers(options["name"]), options["match"]
        found = {name: count for name, count in layers.items() if text in name}
        if not found:
            raise LibraryError(
                f"no layer's name contains {text!r}; near are {', '.join(nearest(text, layers)) or 'none'}"
            )
        width = max(map(len, found))
        for name, count in found.items():
            self.stdout.write(f"{name:{width}} {count:5}")

    def _use(self, registry: Registry, options: dict[str, Any]) -> None:
        name = "" if options["name"] == SITE else options["name"]
        canvases = {canvas.slug: canvas for canvas in Canvas.objects.all()}
        for slug in options["canvas"] or canvases:
            if slug not in canvases:
                raise unknown("canvas", slug, canvases)
            choosing.use(canvases[slug], name, None)
            now = name or default_model()
            self.stdout.write(f"{canvases[slug].title} dreams with {now or 'nothing yet'} from its next dream on")

    def _remove(self, registry: Registry, options: dict[str, Any]) -> None:
        registry.remove(options["name"])
        with suppress(DatabaseError):  # a library without a site
            fetching.decline(options["name"])
        self.stdout.write(f"removed {options['name']}")

    def _ask_before(self, name: str, options: dict[str, Any]) -> None:
        """Nobody's canvas changes to an imported network by surprise."""
        surprised: list[Canvas] = []
        with suppress(DatabaseError):
            surprised = choosing.surprised(name)
        if not surprised or options["use"]:
            return
        warning = f"{_titles(surprised)} would dream with it at once, since the site's own network is called {name!r}."
        if not self._agreed(f"{warning} Import it?"):
            raise LibraryError(f"{warning} If you mean that, give --use, else another --name.")

    def _offer(self, name: str, use: bool) -> None:
        """A new network dreams where somebody says so."""
        others: list[tuple[Canvas, str]] = []
        with suppress(DatabaseError):
            others = [(canvas, network) for canvas, network in choosing.in_use() if network != name]
        if not others:
            return
        status = ", ".join(f"{canvas.title} dreams with {network or 'nothing'}" for canvas, network in others)
        if use or self._agreed(f"{status}. Dream with {name} from now on?"):
            for canvas, _ in others:
                choosing.use(canvas, name, None)
            self.stdout.write(f"{_titles([canvas for canvas, _ in others])}: {name} from the next dream on")
        else:
            self.stdout.write(f"{status}; `manage.py model use {name}` changes that")

    def _agreed(self, question: str) -> bool:
        if not sys.stdin.isatty():
            return False
        self.stdout.write(f"{question} [y/N] ", ending="")
        self.stdout.flush()
        return input().strip().lower() in ("y", "yes")

    def _describe(self, registry: Registry, files: ModelFiles) -> None:
        info = files.info
        self.stdout.write(
            f"{files.name}: {info.title}, {len(registry.layers(files.name))} layers, {len(files.labels)} labels, "
            f"{len(files.shelf)} styles; fed {_words(info.channel_order, info.mean, info.scale)}"
        )
        if info.logits and not files.labels:
            self.stdout.write("  its classes have no names yet; --labels FILE with --replace gives them")
        for note in info.notes:
            self.stdout.write(f"  {note}")


def _titles(canvases: list[Canvas]) -> str:
    return ", ".join(canvas.title for canvas in canvases)


def _words(order: str, mean: Triple, scale: float, std: Triple = (1.0, 1.0, 1.0)) -> str:
    """How a network is fed, in a few words."""
    means = ", ".join(f"{m:g}" for m in mean)
    spread = "" if std == (1.0, 1.0, 1.0) else f" / ({', '.join(f'{s:g}' for s in std)})"
    return f"{order}, mean ({means}){spread}" + ("" if scale == 1 else f", scale {scale:.6g}")


def _wrap(text: str) -> str:
    return textwrap.fill(text, 76, subsequent_indent=" " * 20)


def _amount(done: int, total: int) -> str:
    return f"{done / MB:.1f} of {total / MB:.1f} MB" if total else f"{done / MB:.1f} MB"


def _mean(text: str) -> Triple:
    if text.endswith(".binaryproto"):
        try:
            return read_mean(Path(text))
        except (LibraryError, OSError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) == 1:
        values *= 3
    if len(values) != 3:
        raise argparse.ArgumentTypeError(f"{text!r} is not one number, three with commas, or a .binaryproto file")
    return values[0], values[1], values[2]


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0, a day at most")
    return value


def _stop(words: str) -> NoReturn:
    raise CommandError(words, returncode=130)
