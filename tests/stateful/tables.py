"""The default policy as the model knows it: who has which stage, how it climbs, which status it shows.

Written from the tables of the policy and not from the code that is held against the model; so it knows one kind of
update, one village, and the default ladders only.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.vocabulary import Stage, Status

OPERATOR: Final = "operator.taraju"
STRANGER: Final = "kades.cikubang"
LOOKER: Final = "pkh.taraju"
CAMAT: Final = "camat.taraju"
SLRT: Final = "slrt.taraju"
PUSKESOS: Final = "puskesos.taraju"
VILLAGE: Final = "kades.taraju"
VERIFIERS: Final = ("verifikator", "verifikator2")
PEOPLE: Final = (
    OPERATOR,
    STRANGER,
    LOOKER,
    PUSKESOS,
    VILLAGE,
    SLRT,
    CAMAT,
    *VERIFIERS,
    "kabid",
    "kadis",
    "asisten",
)
ROUTE: Final = (Stage.VERIFICATION, Stage.DELIBERATION, Stage.APPROVAL, Stage.ENDORSEMENT, Stage.DELIVERY)
HOLDERS: Final = {
    Stage.VERIFICATION: (PUSKESOS,),
    Stage.DELIBERATION: (VILLAGE,),
    Stage.APPROVAL: VERIFIERS,
    Stage.ENDORSEMENT: ("kadis",),
    Stage.GROUND_CHECK: (LOOKER,),
}
STATUS: Final = {
    Stage.IDENTITY_CHECK: Status.CHECKING,
    Stage.VERIFICATION: Status.IN_VERIFICATION,
    Stage.DELIBERATION: Status.IN_DELIBERATION,
    Stage.APPROVAL: Status.IN_APPROVAL,
    Stage.ENDORSEMENT: Status.IN_ENDORSEMENT,
    Stage.DELIVERY: Status.APPROVED_LOCAL,
    Stage.REPAIR: Status.RETURNED,
    Stage.APPEAL: Status.IN_APPEAL,
    Stage.OPINION: Status.IN_CONFLICT,
    Stage.CONFLICT: Status.IN_CONFLICT,
}
JUDGED_BY: Final = frozenset({Stage.VERIFICATION, Stage.DELIBERATION, Stage.APPROVAL})
"""Which stages judge the living conditions, and so judge them again when a repair has changed them."""
LOOKED_FOR: Final = frozenset({Stage.VERIFICATION, Stage.APPROVAL, Stage.ENDORSEMENT})
"""Which stages may send somebody to the field."""
ASKING: Final = frozenset(
    {
        Stage.VERIFICATION,
        Stage.DELIBERATION,
        Stage.APPROVAL,
        Stage.ENDORSEMENT,
        Stage.APPEAL,
        Stage.CONFLICT,
    }
)
"""Which stages may ask another office."""
DIGESTS_IN_A_REPAIR: Final = 15
"""Past the last rung so many digests come before a case is near its lapse."""


class Rung(NamedTuple):
    """One rung: whether it climbs, and who may decide from then on, if anybody does."""

    climbs: bool
    decider: str | None = None


_REMIND, _MANAGE = Rung(climbs=False), Rung(climbs=True)
_OFFICES: Final = (_REMIND, _MANAGE, _MANAGE, _MANAGE)
LADDERS: Final = {
    Stage.VERIFICATION: (_REMIND, Rung(climbs=True, decider=SLRT), _MANAGE, _MANAGE),
    Stage.DELIBERATION: _OFFICES,
    Stage.APPROVAL: (_REMIND, Rung(climbs=True, decider="kabid"), _MANAGE, _MANAGE),
    Stage.ENDORSEMENT: (_REMIND, _MANAGE, Rung(climbs=True, decider="asisten")),
    Stage.REPAIR: _OFFICES,
    Stage.DELIVERY: _OFFICES,
    Stage.GROUND_CHECK: (_REMIND, Rung(climbs=True, decider=SLRT), _MANAGE, _MANAGE),
    Stage.OPINION: (_MANAGE, _REMIND, _MANAGE),
}


class Dispute(NamedTuple):
    """About the no of some stages: who speaks for which office, who decides, and how that climbs."""

    speak_for: tuple[str, ...]
    speak_against: tuple[str, ...]
    decider: str
    ladder: tuple[Rung, ...]
    on_rejection: bool = False


_BELOW: Final = (Rung(climbs=True), _REMIND, _MANAGE, Rung(climbs=True, decider="asisten"))
_ABOVE: Final = Dispute((VILLAGE,), VERIFIERS, "asisten", (Rung(climbs=True), _REMIND, _MANAGE), on_rejection=True)
DISPUTES: Final = {
    Stage.VERIFICATION: Dispute((VILLAGE,), (PUSKESOS,), CAMAT, _BELOW),
    Stage.DELIBERATION: Dispute((PUSKESOS,), (VILLAGE,), CAMAT, _BELOW),
    Stage.APPROVAL: _ABOVE,
    Stage.ENDORSEMENT: _ABOVE,
}


class Tier(NamedTuple):
    """Who hears an appeal against some stages, how that climbs, and where it goes on."""

    hearer: str
    ladder: tuple[Rung, ...]
    resumes_at: Stage


_KABID: Final = Tier("kabid", (_REMIND, _MANAGE, Rung(climbs=True, decider="asisten")), Stage.APPROVAL)
_ASISTEN: Final = Tier("asisten", (_REMIND, Rung(climbs=True, decider="kabid")), Stage.ENDORSEMENT)
TIERS: Final = {
    Stage.VERIFICATION: _KABID,
    Stage.DELIBERATION: _KABID,
    Stage.APPROVAL: _ASISTEN,
    Stage.ENDORSEMENT: _ASISTEN,
    Stage.DELIVERY: _ASISTEN,
}
