"""Rows for tests: everything that the database holds, as text, and very many canvases."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model

from canvas.models import Canvas, IndexProgress


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


def many_canvases(count: int = 200) -> None:
    """Half of them have been drawn on, and that is in the index of strokes."""
    fields = {"title": "Another", "width": 64, "height": 64}
    made = Canvas.objects.bulk_create(Canvas(slug=f"another-{n}", head=n % 2, **fields) for n in range(count))
    IndexProgress.objects.bulk_create(IndexProgress(canvas=canvas, seq=canvas.head) for canvas in made if canvas.head)
