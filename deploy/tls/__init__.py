"""TLS without a proxy: passkeys, notifications and `__Host-` cookies need it on a plant's network too."""
