"""What can go wrong for whoever posts.

ClientError
├── BadInput       what was to be posted cannot be; nothing was sent
├── Refused        the server said no, with a stable `code`; the same again will be refused again
├── BadAnswer      something answered that is not this server, or not one that this client knows
└── Unreachable    no answer, or one that said "later", however often it was tried
"""

from typing import Any


class ClientError(Exception):
    """Base of the tree; `code` is stable, the message is for people."""

    code = "client_error"


class Refused(ClientError):
    """A problem document (RFC 9457) of the server: `status`, `code`, `errors` with the JSON path of each fault."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", "refused"))
        self.errors = list(problem.get("errors", []))
        self.problem = problem
        super().__init__(f"{status} {self.code}: {problem.get('detail') or problem.get('title') or ''}")


class BadAnswer(ClientError):
    """The answer is none of Second Look's: the address is probably another one's. What was sent may have arrived."""

    code = "bad_answer"


class Unreachable(ClientError):
    code = "unreachable"


class BadInput(ClientError, ValueError):
    """What was to be posted cannot be: the message says what and why."""

    code = "bad_input"
