"""Jobs in the administration: progress, cancelling, remaking."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_tasks.base import Task

from dreamsite.core.tasks.jobs import JobQuerySet, State
from gallery.jobs import requests


class JobAdmin(admin.ModelAdmin[Any]):
    """Workers write these rows while a form is open, so only a few texts can be edited."""

    task: Task[Any, Any]  # that makes a row
    actions = ["stop", "remake"]
    show_full_result_count = False

    @admin.display(description=_("Progress"), ordering="fraction")
    def progress(self, row: Any) -> str:
        if row.state != State.RUNNING:
            return str(row.get_state_display())
        left = f", {row.seconds_left} s" if row.seconds_left else ""
        return format_html('<progress max="1" value="{}"></progress> {} %{}', f"{row.fraction:.3f}", row.percent, left)

    @admin.action(description=_("Stop"), permissions=["change"])
    def stop(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        count = cast(JobQuerySet[Any], chosen).cancel()
        text = ngettext("%(count)s was stopped.", "%(count)s were stopped.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    @admin.action(description=_("Withdraw, and make again"), permissions=["change"])
    def remake(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        for row in chosen:
            requests.remake(row, self.task, first=True)
        text = ngettext("%(count)s is waiting for the worker.", "%(count)s are waiting for the worker.", chosen.count())
        self.message_user(request, text % {"count": chosen.count()}, messages.SUCCESS)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        requests.delete(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            requests.delete(row)
