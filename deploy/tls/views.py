"""The authority's certificate, for whoever is about to trust it."""

from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.doors import public
from accounts.exceptions import NotFound
from deploy.tls.authority import Authority, load


@require_safe
@public("the certificate is public; its key never leaves the data folder")
def authority_certificate(request: HttpRequest) -> HttpResponse:
    """DER, because Android and iOS take nothing else from a download."""
    own = Authority(Path(settings.DATA_DIR) / "tls").own.certificate
    if not own.exists():
        raise NotFound(_("This installation has no authority of its own."))
    answer = HttpResponse(load(own).public_bytes(Encoding.DER), content_type="application/x-x509-ca-cert")
    answer["Content-Disposition"] = 'attachment; filename="second-look-authority.crt"'
    answer["Cache-Control"] = "no-store"
    return answer
