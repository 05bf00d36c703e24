"""Single sign-on with OpenID Connect: authorization code flow with PKCE, every ID token verified (ADR 0016)."""
