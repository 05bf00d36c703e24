"""The HTTP API under /api/v1, as docs/api.md describes it; one module per resource."""
