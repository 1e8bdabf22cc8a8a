"""Who works at the shell: the account of the operating system, the machine, and what is done."""

from __future__ import annotations

import getpass
import os
import socket

from domain.origins import ActOrigin, Means, Traces


def here(operation: str) -> ActOrigin:
    """From where a command is given that does `operation`.

    Behind `sudo` the account is the one that called it, and over SSH the address is where the line comes from: both
    are said by the environment, which whoever works at the shell may change.
    """
    return ActOrigin(
        means=Means.OPERATOR,
        part=operation,
        traces=Traces(address=_line_from(), os_user=_account(), host=socket.gethostname() or None),
    )


def _account() -> str | None:
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):  # no account has this number, as in a container
        return f"uid {os.getuid()}"


def _line_from() -> str | None:
    return (os.environ.get("SSH_CONNECTION") or "").partition(" ")[0] or None
