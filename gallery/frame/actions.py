"""What moderators can do from a frame's page, by the canvas' switches."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from canvas.moderation.pending import services as pending
from canvas.moderation.permissions import moderator_required
from canvas.moderation.switches import services as switches
from gallery import recipe
from gallery.frame.views import find


@require_POST
@moderator_required()
def dream_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks the dreamer for this frame's style with its next dream."""
    frame = find(request, pk)
    style = recipe.style(frame)
    if style is None:
        raise PermissionDenied(_("This frame has no style that the dreamer could dream of again."))
    switches.turn(frame.canvas, "style", style, request.user)
    messages.success(request, _("The next dream will be of %(title)s.") % {"title": style["title"]})
    return redirect(frame)


@require_POST
@moderator_required()
def hide(request: HttpRequest, pk: int) -> HttpResponse:
    """Hides the frame from everybody; its page stays, and says so."""
    frame = find(request, pk)
    done, waits = pending.frames(frame.canvas, [frame.pk], True, request.user, request.POST.get("why", ""))
    if waits:
        return redirect("pending_act", waits.pk)
    if not done:
        messages.info(request, _("It is hidden already."))
    else:
        messages.success(request, _("It is hidden now."))
    return redirect(frame)
