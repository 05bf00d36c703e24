"""Support desk: sites, cameras, sources and model versions, to look at."""

from django.contrib import admin

from accounts.support import ReadOnly
from inference.models import Camera, ModelVersion, Site, Source


@admin.register(Site)
class SiteAdmin(ReadOnly):
    list_display = ["name", "slug", "time_zone", "registers_models"]
    exclude = ["sampling_key"]


@admin.register(Camera)
class CameraAdmin(ReadOnly):
    list_display = ["name", "slug", "site"]
    list_select_related = ["site"]


@admin.register(Source)
class SourceAdmin(ReadOnly):
    """Never the token's hash: whoever looks has no use for it."""

    list_display = ["name", "site", "camera", "created_at", "last_used_at", "ends_at", "revoked_at"]
    list_select_related = ["site", "camera"]
    exclude = ["token_hash"]


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnly):
    list_display = ["name", "version", "site", "task", "sha256"]
    list_select_related = ["site"]
