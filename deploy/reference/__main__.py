"""`python -m deploy.reference start|stop|status|nginx`; see docs/deployment.md for what the environment says."""

import sys

from deploy.reference.plan import Plan
from deploy.reference.processes import start, status, stop


def nginx(plan: Plan) -> str:
    return plan.proxy().text()


COMMANDS = {"start": start, "stop": stop, "status": status, "nginx": nginx}


def main() -> None:
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.exit("Say one of: python -m deploy.reference start, stop, status, nginx")
    try:
        print(COMMANDS[sys.argv[1]](Plan.of_environment()))  # noqa: T201
    except RuntimeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
