"""What an owner does first, as a page that ticks itself off."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group
from django.core import checks
from django.core.exceptions import PermissionDenied
from django.core.mail import send_mail
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from canvas.moderation.permissions import MODERATORS
from dreamer.networks import fetching
from dreamer.registered import default_model, registry
from dreamsite.accounts.staff import second_factors
from dreamsite.core import appearance
from dreamsite.core.models import SiteState, User
from gallery.donations.options import donation_options

HOUSE = "house"
FRESH_BACKUP = timedelta(days=31)
NOBODYS = ("localhost", "127.0.0.1", "0.0.0.0", "::1")


@dataclass(frozen=True)
class Step:
    """`now` says how it stands, `link` where it is done, `how` which setting or command does it."""

    name: str
    title: str
    why: str
    done: bool
    now: str = ""
    link: str = ""
    link_text: str = ""
    how: str = ""
    may_skip: bool = False
    skipped: bool = False

    @property
    def over(self) -> bool:
        return self.done or self.skipped


def steps(owner: User) -> list[Step]:
    """In the order in which they are best done."""
    state = SiteState.objects.filter(id=1).first()
    skipped = set(state.steps_skipped) if state else set()
    found = [make(owner) for make in _STEPS]
    return [replace(step, skipped=step.may_skip and step.name in skipped) for step in found]


def _second_factor(owner: User) -> Step:
    done = bool(second_factors(owner)) or not settings.ADMIN_TWO_FACTOR
    return Step(
        "second-factor",
        _("Protect your account"),
        _(
            "Whoever has your account has the site. With a second factor, an app or a key, a stolen password is "
            "not enough."
        ),
        done,
        link=reverse("mfa_index"),
        link_text=_("Set up a second factor"),
    )


def _look(owner: User) -> Step:
    look = appearance.current()
    return Step(
        "look",
        _("Give it a name and a look"),
        _("The name, a colour and a logo of your own stand on every page."),
        look.own or bool(look.logo or look.accent),
        _("It is called %s.") % look.name,
        reverse("admin:core_appearance_changelist"),
        _("Name and look"),
        may_skip=True,
    )


def _network(owner: User) -> Step:
    name = default_model()
    title = next((files.info.title for files in registry().list() if files.name == name), name)
    now = _("It dreams with %s.") % title if name else _("It has no network yet.")
    if arriving := fetching.expected():
        now += " " + _("%s is on its way.") % arriving.title
    return Step(
        "network",
        _("Choose a network"),
        _(
            "The small network that comes with the program makes any machine dream. A great one, trained on "
            "photographs, dreams of animals and buildings."
        ),
        bool(name) and name != HOUSE,
        now,
        reverse("admin:dreamer_network_changelist"),
        _("Networks"),
        may_skip=True,
    )


def _mail(owner: User) -> Step:
    done = bool(settings.EMAIL_HOST)
    return Step(
        "mail",
        _("Let it send mail"),
        _("Forgotten passwords, appeals and moderators’ decisions reach people only by mail."),
        done,
        _("Mail goes through %s.") % settings.EMAIL_HOST if done else _("It sends none."),
        how="MAIL_HOST MAIL_USER MAIL_PASSWORD MAIL_FROM",
        may_skip=True,
    )


def _moderators(owner: User) -> Step:
    others = User.objects.filter(is_active=True, groups__name=MODERATORS).exclude(pk=owner.pk).distinct()
    names = ", ".join(others.values_list("username", flat=True)[:5])
    group = Group.objects.filter(name=MODERATORS).first()
    return Step(
        "moderators",
        _("Find moderators"),
        _(
            "Strangers will draw what you do not want to see, also while you sleep. Large acts need the yes of a "
            "second moderator."
        ),
        bool(names),
        names or _("Put accounts that you trust into the group “%s”.") % (group.name if group else MODERATORS),
        reverse("admin:core_user_changelist"),
        _("Accounts"),
        may_skip=True,
    )


def _contact(owner: User) -> Step:
    return Step(
        "contact",
        _("Say who you are"),
        _(
            "Visitors look for whom to ask, and the law of many countries wants a name and an address. The pages at "
            "the foot of the site are yours to write."
        ),
        bool(settings.CONTACT),
        settings.CONTACT,
        reverse("admin:gallery_page_changelist"),
        _("Pages"),
        how="CONTACT",
    )


def _donations(owner: User) -> Step:
    return Step(
        "donations",
        _("Ask for donations, or do not"),
        _("Bitcoin, PayPal or links to where one can give. Without any, no page asks."),
        bool(donation_options()),
        link=reverse("donate"),
        link_text=_("The page as it is"),
        how="DONATE_BITCOIN DONATE_PAYPAL DONATE_LINKS",
        may_skip=True,
    )


def _backup(owner: User) -> Step:
    at = SiteState.objects.filter(id=1).values_list("backed_up_at", flat=True).first()
    return Step(
        "backup",
        _("Make backups"),
        _("Discs break. A backup is made while the site runs, and takes only what is new."),
        at is not None and at > timezone.now() - FRESH_BACKUP,
        _("The last one was made on %s.") % f"{at:%Y-%m-%d}" if at else _("There is none."),
        how="manage.py backup FOLDER --secret-key FILE",
    )


def _public(owner: User) -> Step:
    site = urlsplit(settings.SITE_URL)
    away = site.scheme == "https" and site.hostname not in NOBODYS
    troubles = [*_troubles()]
    now = _("It is at %s.") % settings.SITE_URL
    if troubles:
        now += " " + " ".join(troubles)
    return Step(
        "public",
        _("Go public"),
        _("An address of its own with https, and a web server in front of it. docs/operating.md leads through it."),
        away and not troubles,
        now,
        how="SITE_URL",
        may_skip=True,
    )


def _troubles() -> Iterator[str]:
    """What `manage.py check` warns of."""
    for found in checks.run_checks():
        if found.level >= checks.WARNING:
            yield f"{found.id}: {found.msg}"


_STEPS: tuple[Callable[[User], Step], ...] = (
    _second_factor,
    _look,
    _network,
    _contact,
    _mail,
    _moderators,
    _donations,
    _backup,
    _public,
)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def first_steps(request: HttpRequest) -> HttpResponse:
    """The page, for owners: a new one has no second factor yet, and is not asked for one here.

    POST with `skip` or `unskip` and a step's name, or with `mail`.
    """
    owner = request.user
    if not isinstance(owner, User) or not owner.is_superuser:
        raise PermissionDenied
    if request.method == "POST":
        if "mail" in request.POST:
            _try_mail(request, owner)
        else:
            _skip(owner, request.POST.get("skip", ""), request.POST.get("unskip", ""))
        return redirect("first_steps")
    found = steps(owner)
    context = {
        "steps": found,
        "done": sum(step.over for step in found),
        "email": owner.email,
        "mail_host": settings.EMAIL_HOST,
    }
    return render(request, "first_steps.html", context)


def _skip(owner: User, skip: str, unskip: str) -> None:
    state, _made = SiteState.objects.get_or_create(id=1)
    names = {step.name for step in steps(owner) if step.may_skip}
    state.steps_skipped = sorted((set(state.steps_skipped) | {skip} & names) - {unskip})
    state.save(update_fields=["steps_skipped"])


def _try_mail(request: HttpRequest, owner: User) -> None:
    if not owner.email:
        messages.warning(request, _("Your account has no address to write to."))
        return
    subject = _("%s can send mail") % appearance.current().name
    try:
        send_mail(subject, _("If you read this, it works.") + "\n", None, [owner.email])
    except (OSError, smtplib.SMTPException) as error:
        messages.error(
            request, _("%(host)s did not take it: %(error)s") % {"host": settings.EMAIL_HOST, "error": error}
        )
    else:
        messages.success(request, _("A letter is on its way to %s.") % owner.email)
