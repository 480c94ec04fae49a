"""The switch in the administration: one page with a checkbox and a reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from dreamsite.core.models import SiteState
from gallery.farewell import ending, totals


class SwitchForm(forms.Form):
    """`was_ended` is what the person saw: of two people who switch at the same time, the second sees a message."""

    why = forms.CharField(label=_("Why"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
    sure = forms.BooleanField(label=_("I mean it."))
    was_ended = forms.CharField(widget=forms.HiddenInput, required=False)


@admin.register(SiteState)
class SwitchAdmin(admin.ModelAdmin[SiteState]):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The switch itself."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        ended, may = SiteState.ended(), self.has_change_permission(request)
        form = SwitchForm(request.POST or None, initial={"was_ended": "yes" if ended else ""})
        if request.method == "POST":
            if not may:
                raise PermissionDenied
            if form.is_valid():
                return self._switch(request, bool(form.cleaned_data["was_ended"]), form.cleaned_data["why"])
        context = {
            **self.admin_site.each_context(request),
            "title": _("End of the project"),
            "ended_at": SiteState.objects.filter(id=1).values_list("ended_at", flat=True).first() if ended else None,
            "totals": totals.read(),
            "may": may,
            "form": form,
            **(extra_context or {}),
        }
        return render(request, "admin/core/sitestate/change_list.html", context)

    def _switch(self, request: HttpRequest, was_ended: bool, why: str) -> HttpResponse:
        if was_ended:
            done, text = ending.resume(request.user, why), _("The canvas is open again.")
        else:
            done, text = (
                ending.end(request.user, why),
                _("The project has ended. The farewell stands at the site’s address."),
            )
        if done:
            messages.success(request, text)
        else:
            messages.warning(request, _("Somebody else has used the switch in the meantime. Nothing was done."))
        return redirect("admin:core_sitestate_changelist")
