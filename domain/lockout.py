"""How failed attempts to sign in are slowed down: some are free, then each costs a pause twice as long as the last.

An attempt is charged before the password is looked at and given back when it was right, so that many at once get no
more tries than one after another.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import SignInPaused


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """The rule for one kind of subject: `free` failures, then pauses from `first` up to `longest`.

    `forget` is how long after the last failure everything is forgotten.
    """

    free: int
    first: timedelta
    longest: timedelta
    forget: timedelta

    def pause_after(self, failures: int) -> timedelta | None:
        """The pause that this many failures in a row cost, or None while they are free."""
        doublings = failures - self.free
        if doublings < 0:
            return None
        # Past 2**32 of anything the longest pause has long been reached.
        return min(self.first * 2 ** min(doublings, 32), self.longest)


@dataclass(frozen=True, slots=True)
class Tally:
    """The failures of one subject since they were last forgotten, and until when nobody may try."""

    failures: int
    last_at: datetime
    paused_until: datetime | None = None

    def paused(self, now: datetime) -> bool:
        """Whether nobody may try at `now`."""
        return self.paused_until is not None and self.paused_until > now


def charge(tally: Tally | None, *, patience: Patience, now: datetime) -> Tally:
    """The tally with one more failure, which the attempt about to be made counts as. Raises SignInPaused."""
    if tally is not None and tally.paused_until is not None and tally.paused(now):
        raise SignInPaused.until(tally.paused_until, now=now)
    forgotten = tally is None or now - tally.last_at > patience.forget
    failures = 1 if forgotten or tally is None else tally.failures + 1
    pause = patience.pause_after(failures)
    return Tally(failures, now, None if pause is None else now + pause)


def give_back(tally: Tally) -> Tally:
    """The tally of an address from which somebody signed in: their attempt was no failure, those before it were."""
    return Tally(max(tally.failures - 1, 0), tally.last_at)


def account_subject(username: str) -> str:
    """What failures on a name are counted under, whether there is such an account or not.

    A digest, since people type their passwords where the name belongs.
    """
    return f"account:{hashlib.sha256(username.encode('utf-8', 'surrogatepass')).hexdigest()}"


def address_subject(address: str | None) -> str:
    """What failures from an address are counted under: the address, or the network of 64 bits of an IPv6 one."""
    return f"address:{network_of(address)}"


def network_of(address: str | None) -> str:
    """Who stands behind an address: itself, or for IPv6 its /64, out of which one host picks addresses at will."""
    if address is None:
        return "unknown"
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped or ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)
