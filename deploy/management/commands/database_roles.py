"""The rights of the role that the server runs under."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connection

from deploy.database import roles


class Command(BaseCommand):
    help = "Print the SQL that gives the running role its rights on PostgreSQL; with --apply, run it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apply", action="store_true", help="make the role if it is missing, and give the rights")
        parser.add_argument("--role", default="", help="default: the user of SECONDLOOK_DATABASE_URL")

    def handle(self, *args: Any, role: str, **options: Any) -> None:
        role = role or settings.SECONDLOOK["RUNTIME_ROLE"]
        self.require_two_roles(role)
        if not options["apply"]:
            self.print_sql(role)
            return
        try:
            if not roles.exists(connection, role):
                roles.create(connection, role, settings.SECONDLOOK["RUNTIME_PASSWORD"])
            roles.apply(connection, role)
        except ProgrammingError as error:
            raise CommandError(f"The migrating role may not do this: {error}") from None
        self.say_state(role)

    def require_two_roles(self, role: str) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Roles are PostgreSQL's. On SQLite triggers protect the rows (docs/append-only.md).")
        if not role:
            raise CommandError(
                "Set SECONDLOOK_MIGRATION_DATABASE_URL to the address of the role that owns the tables; "
                "SECONDLOOK_DATABASE_URL names the one that the server runs under."
            )
        if role == roles.current_role(connection):
            raise CommandError(f"{role} is the role that migrates. The server has to run under another one.")

    def print_sql(self, role: str) -> None:
        if not roles.exists(connection, role):
            self.stdout.write(f"CREATE ROLE {roles.quote(role)} LOGIN;  -- and give it a password: \\password {role}")
        self.stdout.write("BEGIN;")
        for line in roles.statements(connection, role):
            self.stdout.write(f"{line};")
        self.stdout.write("COMMIT;")

    def say_state(self, role: str) -> None:
        found = roles.state(connection, role)
        if not found.good:
            names = ", ".join(found.changeable + found.unready)
            raise CommandError(f"{role} still has not the rights it should have on: {names}.")
        self.stdout.write(f"{role} may run the server, and change or delete no append-only row.")
