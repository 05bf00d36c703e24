"""How people come to trust the authority, in a few lines for the console."""

from django.utils.translation import gettext as _

from deploy.tls.authority import Authority, fingerprint

ROUTE = "/trust/authority.crt"


def how_to_trust(authority: Authority, address: str) -> list[str]:
    """Lines to print: where the certificate is, how to know it, and what to do with it on each system."""
    return [
        _("Certificate of this installation's authority: {address}").format(address=f"{address}{ROUTE}"),
        f"  SHA-256 {fingerprint(authority.own.certificate)}",
        _("Compare these digits before you trust it. Once per device:"),
        _("  Windows   open it, “Install Certificate”, Local Machine, “Trusted Root Certification Authorities”"),
        _("  macOS     open it in Keychain Access, then “Always Trust” under Trust"),
        _("  iOS       open it in Safari, install the profile, then Settings, General, About, Certificate Trust"),
        _("  Android   Settings, Security, Encryption and credentials, Install a certificate, CA certificate"),
        _("  Linux     into /usr/local/share/ca-certificates as .crt (PEM), then update-ca-certificates"),
    ]
