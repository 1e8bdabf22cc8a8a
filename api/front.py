"""What the edge works with: made once when the application starts, handed to every endpoint by `api/deps.py`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from api.browsers import Site
from api.rates import Rates
from api.security.foreign_tokens import ForeignTokens
from api.security.passwords import PasswordHasher
from api.security.tokens import TokenIssuer
from domain.lockout import Patience
from domain.sessions import Lifetime
from runtime.settings import Settings
from services.kawal import Kawal
from services.key_use import KeyUses
from services.lockout import Patiences
from services.session_use import SessionUses

_FIRST_PAUSE: Final = timedelta(seconds=5)
_FAILURES_FORGOTTEN: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Front:
    """What the edge works with: the services, the settings, and what signing in and being asked too often need."""

    kawal: Kawal
    settings: Settings
    issuer: TokenIssuer
    passwords: PasswordHasher
    rates: Rates
    key_uses: KeyUses
    foreign: ForeignTokens
    session_uses: SessionUses

    @property
    def site(self) -> Site:
        """Where browsers reach this service."""
        return Site.of(self.settings)

    @property
    def lifetime(self) -> Lifetime:
        """How long sessions live."""
        return lifetime_of(self.settings)

    @property
    def patiences(self) -> Patiences:
        """How failed attempts to sign in are slowed down."""
        account = Patience(
            free=self.settings.lockout_account_after,
            first=_FIRST_PAUSE,
            longest=self.settings.lockout_longest,
            forget=_FAILURES_FORGOTTEN,
        )
        return Patiences(account, replace(account, free=self.settings.lockout_address_after))


def lifetime_of(settings: Settings) -> Lifetime:
    """How long sessions live under these settings."""
    return Lifetime(idle=settings.session_idle, longest=settings.session_ttl)
