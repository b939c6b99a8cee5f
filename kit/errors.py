"""Errors that a user can act on: what is wrong, where, and what to do next."""


class KitError(Exception):
    """A user's mistake or a missing thing; the command line prints it and exits with `exit_code`.

    message: what is wrong and where, one sentence. hint: what to do next, or empty.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class ModelError(KitError):
    """A model file that cannot be used."""


class TargetError(KitError):
    """A target description that cannot be used, or an unknown target."""


class DeviceError(KitError):
    """A device or emulator that cannot be reached or misbehaves."""


class CheckFailed(KitError):
    """A check or budget failed: everything worked, the verdict is no."""

    exit_code = 1
