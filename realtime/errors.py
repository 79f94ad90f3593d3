"""What can go wrong, in words for the person at the keyboard, with the exit code each kind of failure ends in."""

from __future__ import annotations

EXIT_OK = 0
EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_NO_FACE = 3
EXIT_INTERRUPTED = 130


class NakedeyeError(Exception):
    """A failure that one line explains: what happened, where, what to do. `exit_code` is what the program ends with."""

    exit_code = EXIT_FAILURE


class UsageError(NakedeyeError):
    """What was asked for cannot be meant: an unknown option value, outputs that contradict each other."""

    exit_code = EXIT_USAGE


class DependencyError(NakedeyeError):
    """A library or program that this wish needs is not installed; the message names the command that installs it."""

    exit_code = EXIT_USAGE


class SourceError(NakedeyeError):
    """An input that cannot be opened, or stopped giving pictures."""


class SinkError(NakedeyeError):
    """An output that cannot be created or written."""


class AvatarError(NakedeyeError):
    """An avatar file that cannot be read, is broken, or holds nothing that a face could move."""


class NoFaceFound(NakedeyeError):
    """The whole input was read and showed no face."""

    exit_code = EXIT_NO_FACE


class Interrupted(NakedeyeError):
    """The user stopped the run (Ctrl-C); what was written is finalised."""

    exit_code = EXIT_INTERRUPTED


def reason(error: BaseException) -> str:
    """The cause of an operating-system or codec error without its number and path: "No space left on device"."""
    strerror = getattr(error, "strerror", None)
    text = strerror or str(error) or type(error).__name__
    return text[0].lower() + text[1:] if text[:2].istitle() else text
