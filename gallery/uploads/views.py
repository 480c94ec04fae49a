"""A lasting address for an uploaded picture, wherever it is stored: for the text of pages."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from gallery.uploads.models import Upload


@require_safe
def picture(request: HttpRequest, key: str) -> HttpResponse:
    upload = Upload.objects.of_key(key)
    if upload is None:
        raise Http404
    return redirect(upload.picture.url)
