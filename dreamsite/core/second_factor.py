"""Pages outside of the administration that show what is not public: for those with the permission and a second factor.

How a second factor is proved, the site says (settings.SECOND_FACTOR).
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.module_loading import import_string


def given(request: HttpRequest) -> bool:
    """Whether this session proved a second factor lately, or the site asks for none."""
    return bool(import_string(settings.SECOND_FACTOR)(request))


def lead(request: HttpRequest) -> HttpResponseRedirect:
    """To where one is set up or asked for, and then back to this page."""
    return redirect_to_login(request.get_full_path(), reverse("second_factor"))


def may(request: HttpRequest, permission: str) -> bool:
    """The permission, and in this session the second factor: drafts and hidden pictures are for nobody else."""
    return request.user.has_perm(permission) and given(request)
