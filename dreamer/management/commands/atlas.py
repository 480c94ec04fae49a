"""`manage.py atlas NAME`: a contact sheet of what every channel of a network dreams of."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dreamer.engine import Cancelled, Network
from dreamer.engine.atlas import SIDE, atlas, chief_layers
from dreamer.management.terminal import STOPPED, Bar, stop_on_interrupt
from dreamer.registered import registry


class Command(BaseCommand):
    help = (
        "Dream of every channel of a network's layers and lay the pictures out on one labelled sheet a layer, with "
        "JSON beside it. Started again, it goes on where it was stopped."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the network, as `manage.py model list` shows it")
        parser.add_argument(
            "--layer",
            action="append",
            metavar="NAME",
            help="a layer; may be repeated. Default: the last layer of every block",
        )
        parser.add_argument("--out", type=Path, metavar="DIR", help="default: atlas/NAME in the folder for state")
        parser.add_argument("--side", type=int, default=SIDE, help=f"pixels of a small picture (default: {SIDE})")
        parser.add_argument("--device", choices=("auto", "cpu", "cuda", "openvino"), default=settings.DREAM_DEVICE)
        parser.add_argument("--threads", type=int, default=settings.DREAM_THREADS, help="0: all cores")

    def handle(self, **options: Any) -> None:
        try:
            files = registry().get(options["name"])
            network = Network.open(
                files.path,
                device=options["device"],
                threads=options["threads"],
                gpu_memory=settings.DREAM_GPU_MEMORY,
                tf32=settings.DREAM_TF32,
            )
            layers = options["layer"] or chief_layers(network)
            total = sum(network.layer(layer).channels for layer in layers)
            out = options["out"] or settings.VAR_DIR / "atlas" / files.name
            done = 0
            started = time.monotonic()
            with Bar(sys.stderr) as bar, stop_on_interrupt() as stopped:
                for layer in layers:

                    def report(channel: int, channels: int, layer: str = layer, before: int = done) -> None:
                        fraction = (before + channel) / total
                        left = (time.monotonic() - started) / fraction * (1 - fraction)
                        bar.show(fraction, f"{layer} · channel {channel}/{channels}", left)

                    sheet = atlas(network, layer, out, side=options["side"], progress=report, cancelled=stopped)
                    done += network.layer(layer).channels
                    self.stdout.write(str(sheet.picture))
        except Cancelled:
            raise CommandError("Stopped; the same command goes on from here.", returncode=STOPPED) from None
        except (ValueError, RuntimeError, OSError) as error:
            raise CommandError(str(error)) from error
