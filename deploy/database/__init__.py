"""PostgreSQL with two roles: one that owns the tables and migrates, one that the server runs under."""
