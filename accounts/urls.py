"""Sign-in and people."""

from django.urls import include, path

from accounts.views import audit, audit_export, audit_stories, lock, workstations

urlpatterns = [
    path("", include("accounts.sign_in_urls")),
    path("", include("accounts.people_urls")),
    path("audit/", audit.audit, name="audit"),
    path("audit/export/", audit_export.export, name="audit-export"),
    path("audit/story/<uuid:pk>/", audit_stories.story, name="audit-story"),
    path("audit/<int:pk>/", audit_stories.entry, name="audit-entry"),
    path("audit/<int:pk>/proof.json", audit_stories.proof, name="audit-proof"),
    path("lock/", lock.screen, name="lock"),
    path("lock/now/", lock.lock_now, name="lock-now"),
    path("lock/active/", lock.active, name="lock-active"),
    path("lock/unlock/", lock.unlock, name="lock-unlock"),
    path("lock/leave/", lock.leave, name="lock-leave"),
    path("lock/urgent/", lock.urgent, name="lock-urgent"),
    path("me/outbox-keys/", workstations.outbox_keys, name="outbox-keys"),
    path("me/workstation/", workstations.mine, name="my-workstation"),
    path("me/workstation/share/", workstations.share, name="workstation-share"),
    path("me/workstation/unshare/", workstations.unshare, name="workstation-unshare"),
    path("me/workstation/pin/", workstations.pin, name="workstation-pin"),
    path("people/workstations/", workstations.workstations, name="workstations"),
    path("people/workstations/<uuid:pk>/", workstations.change, name="workstation-change"),
    path("people/workstations/<uuid:pk>/retire/", workstations.retire, name="workstation-retire"),
    path("people/badges/", workstations.register_badge, name="badges"),
    path("people/badges/<uuid:pk>/revoke/", workstations.revoke_badge, name="badge-revoke"),
]
