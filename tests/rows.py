"""Everything that the database holds, as text: for tests that look for what must not be in it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model


def every_row() -> Iterator[Model]:
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed:
            yield from model._default_manager.all().iterator()


def every_value() -> Iterator[tuple[str, str]]:
    """("app.model.column", value) of every row of every table; bytes as latin-1, sessions also unpacked."""
    for row in every_row():
        for column in row._meta.concrete_fields:
            where, value = f"{row._meta.label_lower}.{column.name}", column.value_from_object(row)
            if isinstance(value, bytes | memoryview):
                yield where, bytes(value).decode("latin-1")
            elif isinstance(value, dict | list):
                yield where, json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
            elif value is not None:
                yield where, str(value)
        if isinstance(row, Session):
            yield "sessions.session, unpacked", json.dumps(row.get_decoded(), cls=DjangoJSONEncoder)
