"""Whom PostgreSQL runs as. It refuses to run as root, so root lends it an unprivileged account."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

CANDIDATES = ("postgres", "nobody")
"""Accounts that a Debian system has already; none is created on somebody's machine unasked."""


class RunAs(TypedDict, total=False):
    """Keyword arguments of a subprocess that shall run as another user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """An account without privileges, by name and number."""

    name: str
    uid: int
    gid: int


def service_user() -> ServiceUser | None:
    """The account that PostgreSQL gets when we are root, nothing when we are an ordinary user ourselves."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServiceUser(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise LookupError(f"no account to run PostgreSQL as: none of {', '.join(CANDIDATES)} exists")


def owner_of(folder: Path) -> ServiceUser:
    """The account that a folder belongs to. Raises FileNotFoundError, and KeyError when the account is gone."""
    entry = pwd.getpwuid(folder.stat().st_uid)
    return ServiceUser(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def run_as(user: ServiceUser | None) -> RunAs:
    """What a subprocess call needs so that it runs as `user`, or as ourselves when None."""
    return {} if user is None else {"user": user.uid, "group": user.gid, "extra_groups": []}
