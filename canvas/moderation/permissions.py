"""Who may do what: permissions with names of their own, the group that has them, and the decorator that checks them.

None of them lets anybody draw where others may not: staff who draw are ordinary users.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.views import redirect_to_login
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from dreamsite.core import second_factor
from dreamsite.core.errors import json_error

MODERATORS = "Moderators"

# codename -> what it allows. They hang on the log, and a moderator has them all; an owner may make narrower groups.
PERMISSIONS = {
    "moderate": gettext_noop("See who drew, take strokes out, restore pictures, and use the switches"),
    "sanction": gettext_noop("Warn people, cool them down, make them read-only, suspend them"),
    "review_report": gettext_noop("Work on reports"),
    "review_appeal": gettext_noop("Decide appeals"),
    "see_audit": gettext_noop("Read the log of everything staff does"),
}
ALL = tuple(f"moderation.{codename}" for codename in PERMISSIONS)
MODERATE, SANCTION, REVIEW_REPORT, REVIEW_APPEAL, SEE_AUDIT = ALL


def make_group(using: str = "default", **_: Any) -> None:
    """Makes the permissions and, once, the group that has them. A receiver of post_migrate.

    A group that is there already keeps what its owner gave it.
    """
    content_type = ContentType.objects.db_manager(using).get_for_model(apps.get_model("moderation", "Act"))
    created = [
        Permission.objects.using(using).get_or_create(
            codename=codename, content_type=content_type, defaults={"name": title}
        )[0]
        for codename, title in PERMISSIONS.items()
    ]
    group, new = Group.objects.using(using).get_or_create(name=MODERATORS)
    if new:
        group.permissions.add(*created)


View = Callable[..., HttpResponseBase]


def moderator_required(*permissions: str, json: bool = False) -> Callable[[View], View]:
    """Lets those through who have one of the permissions (MODERATE, where none is named) and proved a second factor.

    Others sign in, or are refused; with `json` in JSON.
    """

    def wrap(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user = request.user
            if user.is_authenticated and any(user.has_perm(each) for each in permissions or (MODERATE,)):
                if second_factor.given(request):
                    return view(request, *args, **kwargs)
                if json:
                    return json_error(403, "second-factor", _("Show your second factor first: open the dashboard."))
                return second_factor.lead(request)
            if json:
                if user.is_authenticated:
                    return json_error(403, "forbidden", _("You may not do this."))
                return json_error(401, "signed-out", _("You are signed out. Sign in and try again."))
            if user.is_authenticated:
                raise PermissionDenied
            return redirect_to_login(request.get_full_path())

        vars(checked)["for_staff"] = True  # see canvas.moderation.sanctions.middleware
        return checked

    return wrap
