"""/.well-known/security.txt (RFC 9116): where to report that something here is not safe."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from canvas.moderation.sanctions.middleware import same_for_everybody


@same_for_everybody
@require_safe
@cache_control(public=True, max_age=86400)
def security_txt(request: HttpRequest) -> HttpResponse:
    """404 where SECURITY_CONTACT names nobody: an address that nobody reads is worse than none."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    # Half a year from this month's first day: the same text for every web process.
    until = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=183)
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {until:%Y-%m-%dT%H:%M:%SZ}",
        f"Canonical: {settings.SITE_URL}{reverse('security_txt')}",
        "Preferred-Languages: en",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
