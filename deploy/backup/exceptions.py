"""What keeps a backup or a restore from being done. Each message says what happened and what to do next.

BackupError
├── Unusable     the folder, the database or a tool is not what is needed
├── Damaged      a part of a backup is not what was written; `part` names it
└── Full         the target has no room
"""


class BackupError(Exception):
    """The base of them all; nothing is left half done."""


class Unusable(BackupError):
    pass


class Damaged(BackupError):
    def __init__(self, part: str, why: str) -> None:
        super().__init__(f"The backup is damaged: {part} {why}. Take another backup.")
        self.part = part


class Full(BackupError):
    pass
