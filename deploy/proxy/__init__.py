"""The proxy in front of production."""
