"""A lasting address for an uploaded picture, wherever the storage keeps it: for the words of pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_safe

from gallery.uploads.models import Upload


@require_safe
def picture(request: HttpRequest, pk: int) -> HttpResponse:
    return redirect(get_object_or_404(Upload, pk=pk).picture.url)
