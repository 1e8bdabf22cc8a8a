"""Acting on what one has read: the version of a thing that a client holds against the one there is."""

from __future__ import annotations

from domain.errors import StaleVersion
from services.keyed import HeldVersions


def require_version(holds: HeldVersions, version: int) -> None:
    """Raise StaleVersion when the thing has changed since the actor read it."""
    if holds is not None and version not in holds:
        raise StaleVersion("It is no longer in the version that you hold.", data={"version": version})
