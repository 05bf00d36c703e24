"""Backups that are taken while the server works, and bringing one back (docs/backup.md)."""
