"""Which roles need a second factor, and which groups of an identity provider stand for which roles."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import granting
from accounts.actions import sign_in_rules as actions
from accounts.doors import freshly_signed_in, person_of, signed_in
from accounts.exceptions import NotFound, SecondLookError
from accounts.forms import RoleForm
from accounts.models import GroupMapping
from accounts.reasons import LONGEST
from accounts.roles import Role
from accounts.scopes import names_of, scopes_within
from accounts.sso.providers import providers

RULE = "grant_all everywhere"


class RulesForm(forms.Form):
    required = forms.MultipleChoiceField(
        choices=Role.choices,
        required=False,
        label=gettext_lazy("Ask for a second factor"),
        widget=forms.CheckboxSelectMultiple,
    )
    reason = forms.CharField(max_length=LONGEST, label=gettext_lazy("Why"))


class MappingForm(RoleForm):
    issuer = forms.ChoiceField(label=gettext_lazy("Identity provider"))
    group = forms.CharField(max_length=255, label=gettext_lazy("Group there"))
    field_order = ["issuer", "group", "role", "scope", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("until", "ends_at"):
            del self.fields[name]
        self.offer("issuer", [(one.issuer, one.label) for one in providers().values()])

    def clean(self) -> dict[str, Any]:
        return self.cleaned_data


@require_http_methods(["GET", "POST"])
@signed_in(RULE)
@freshly_signed_in
def rules(request: HttpRequest) -> HttpResponse:
    actions.require_administers_everything(person_of(request), timezone.now())
    form = RulesForm(request.POST or None, initial={"required": sorted(actions.required_roles())})
    if request.method == "POST" and form.is_valid():
        required = {Role(one) for one in form.cleaned_data["required"]}
        reason = form.cleaned_data["reason"]
        try:
            actions.change_rules(required=required, actor=person_of(request), reason=reason, now=timezone.now())
        except SecondLookError as error:
            form.add_error(None, str(error.detail))
        else:
            messages.success(request, _("The rule holds from the next page on."))
            return redirect("sign-in-rules")
    return shown(request, form, mapping_form(request, None))


def mapping_form(request: HttpRequest, data: Any) -> MappingForm:
    return MappingForm(scopes_within(granting(request.user)), list(Role), data)


def shown(request: HttpRequest, form: RulesForm, mapping: MappingForm) -> HttpResponse:
    rows = list(GroupMapping.objects.select_related("made_by").order_by("issuer", "group", "role"))
    names = names_of({(row.scope_type, row.scope_id) for row in rows})
    labels = {one.issuer: one.label for one in providers().values()}
    told = [(row, names[row.scope_type, row.scope_id].name, labels.get(row.issuer, row.issuer)) for row in rows]
    context = {"form": form, "mapping_form": mapping, "mappings": told, "providers": list(providers().values())}
    status = 422 if form.is_bound or mapping.is_bound else 200
    return render(request, "accounts/sign_in_rules.html", context, status=status)


@require_POST
@signed_in(RULE)
@freshly_signed_in
def map_group(request: HttpRequest) -> HttpResponse:
    actions.require_administers_everything(person_of(request), timezone.now())
    form = mapping_form(request, request.POST)
    if form.is_valid():
        given = dict(form.cleaned_data)
        scope, scope_id = given.pop("scope")
        try:
            actions.map_group(**given, scope=scope, scope_id=scope_id, actor=person_of(request), now=timezone.now())
        except NotFound:
            raise
        except SecondLookError as error:
            form.add_error(None, str(error.detail))
        else:
            messages.success(request, _("Members get the role at their next single sign-on."))
            return redirect("sign-in-rules")
    return shown(request, RulesForm(initial={"required": sorted(actions.required_roles())}), form)


@require_POST
@signed_in(RULE)
@freshly_signed_in
def unmap_group(request: HttpRequest, pk: UUID) -> HttpResponse:
    actor, reason = person_of(request), request.POST.get("reason", "")
    try:
        actions.unmap_group(pk=pk, actor=actor, reason=reason, now=timezone.now())
    except NotFound:
        raise
    except SecondLookError as error:
        messages.error(request, str(error.detail))
    else:
        messages.success(request, _("The mapping has ended. Its members lose the role at their next single sign-on."))
    return redirect("sign-in-rules")
