"""What every process of the site imports and what reads no settings: the start of tests.forked.

`PRELOADED` is imported once, before the processes are forked; each then imports the site itself.
"""

from __future__ import annotations

import importlib

# Not ours, and ours that know no Django (ARCHITECTURE.md). Nothing among them may read settings.
PRELOADED = (
    *("asyncio", "email.message", "html.parser", "http.client", "ssl", "urllib.request"),
    *("av", "cryptography.x509", "django.contrib.auth.hashers", "django.core.management", "django.core.servers"),
    *("django.db.models", "django.forms", "django.http", "django.template", "django.test.signals", "django.urls"),
    *(
        "django.utils.translation.trans_real",
        "django.views.generic",
        "fido2.server",
        "fido2.webauthn",
        "google.protobuf",
    ),
    *("markdown_it", "nh3", "numpy", "onnx", "onnxruntime", "PIL.Image", "PIL.ImageDraw", "prometheus_client"),
    *("psycopg", "redis", "segno", "sqlparse", "twisted.internet.asyncioreactor", "autobahn.twisted.websocket"),
    *("uvicorn", "websockets"),
    *("canvas.room", "dreamer.engine", "dreamer.film.music", "dreamer.journey.make", "dreamer.library"),
)

for name in PRELOADED:
    importlib.import_module(name)
