"""Curators: the group that makes exhibits."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission

CURATORS = "Curators"
CURATED = ("exhibit", "picture", "upload")


def make_group(sender: AppConfig, using: str = "default", **_signal: Any) -> None:
    """Creates, once, the group that may make exhibits and look up frames for them. A receiver of post_migrate."""
    group, new = Group.objects.using(using).get_or_create(name=CURATORS)
    if new:
        create_permissions(sender, verbosity=0, using=using)
        every = Permission.objects.using(using)
        group.permissions.add(*every.filter(content_type__app_label="gallery", content_type__model__in=CURATED))
        group.permissions.add(*every.filter(content_type__app_label="canvas", codename="view_frame"))
