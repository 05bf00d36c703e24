"""What openapi.json says of each call besides what the views say themselves.

A call that is added gets an entry in `calls`; tests/review/api/test_description.py names the one that has none, posts
every example and holds the answers against their schemas.
"""
