"""The reference deployment on loopback: nginx, pages, API workers, background work, PostgreSQL and Redis."""
