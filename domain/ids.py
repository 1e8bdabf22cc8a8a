"""Every identifier that crosses a process, made by one function and read by its twin."""

from __future__ import annotations

import secrets
from uuid import UUID

from uuid_utils.compat import uuid7

from domain.errors import NotFound

_WORKFLOW_PREFIX = "household-update/"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TRACKING_SYMBOLS = 16  # five bits each: 80 bits, beyond guessing over the network


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): unique, and ordered by the time it was made, which keyset pagination relies on."""
    return uuid7()


def new_tracking_code() -> str:
    """A public code of 80 random bits in Crockford base 32, written `XXXX-XXXX-XXXX-XXXX`."""
    symbols = [secrets.choice(_CROCKFORD) for _ in range(_TRACKING_SYMBOLS)]
    return "-".join("".join(symbols[start : start + 4]) for start in range(0, _TRACKING_SYMBOLS, 4))


def normalise_tracking_code(written: str) -> str:
    """The code as it was issued, from what a person typed: case, dashes, blanks and O/I/L do not matter.

    Raises NotFound when it cannot be a code at all.
    """
    plain = written.upper().translate(str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None}))
    if len(plain) != _TRACKING_SYMBOLS or any(symbol not in _CROCKFORD for symbol in plain):
        raise NotFound("There is no update with this tracking code.", remedy="Check the code on your receipt.")
    return "-".join(plain[start : start + 4] for start in range(0, _TRACKING_SYMBOLS, 4))


def workflow_id(update_id: UUID) -> str:
    """The id of the workflow that carries an update: one for the whole life of the update."""
    return f"{_WORKFLOW_PREFIX}{update_id}"


def update_id_of(workflow_id: str) -> UUID:
    """The twin of `workflow_id`; raises ValueError for an id that is not of an update."""
    if not workflow_id.startswith(_WORKFLOW_PREFIX):
        raise ValueError(f"{workflow_id!r} is not the id of a household update's workflow")
    return UUID(workflow_id.removeprefix(_WORKFLOW_PREFIX))


def minutes_workflow_id(minutes_id: UUID) -> str:
    """The id of the workflow that carries minutes out."""
    return f"minutes/{minutes_id}"


def round_workflow_id(installation: str, area_code: str, period: str) -> str:
    """The id of the workflow that carries a round: one for each regency and period of an installation.

    `installation` is the prefix of its queues: others may share the engine's namespace, and plan rounds of their own.
    """
    return f"{installation}/{former_round_workflow_id(area_code, period)}"


def former_round_workflow_id(area_code: str, period: str) -> str:
    """The id of a round that was begun before 2026-11-25."""
    return f"update-round/{area_code}/{period}"


def evaluation_workflow_id(prefix: str, evaluation_id: UUID) -> str:
    """The id of the workflow that measures an evaluation of the installation `prefix`."""
    return f"{prefix}-evaluation/{evaluation_id}"


def act_update_id(act_id: UUID) -> str:
    """The id under which the engine knows one act of one person: a repeat of the act is the same message."""
    return f"act/{act_id}"


def push_key(update_id: UUID, *, task_id: UUID) -> str:
    """The idempotency key of one push to the Ministry: the same however often the push is retried."""
    return f"{update_id}/{task_id}"
