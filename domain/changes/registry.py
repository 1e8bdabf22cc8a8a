"""Every kind of change, and the one union that a submission is read into."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter

from domain.changes import (
    add_member,
    change_head,
    circumstances,
    death,
    graduation,
    identity_correction,
    merge_duplicates,
    move_in,
    move_out,
    new_household,
    objection,
    pbi_reactivation,
    programme_proposal,
    self_withdrawal,
    split_household,
)
from domain.changes.add_member import AddMember
from domain.changes.base import Counterpart, IdentityExpectation, KindSpec
from domain.changes.change_head import ChangeHead
from domain.changes.circumstances import CircumstancesChange
from domain.changes.death import Death
from domain.changes.graduation import Graduation
from domain.changes.identity_correction import IdentityCorrection
from domain.changes.merge_duplicates import MergeDuplicates
from domain.changes.move_in import MoveIn
from domain.changes.move_out import MoveOut
from domain.changes.new_household import NewHousehold
from domain.changes.objection import Objection
from domain.changes.pbi_reactivation import PbiReactivation
from domain.changes.programme_proposal import ProgrammeProposal
from domain.changes.self_withdrawal import SelfWithdrawal
from domain.changes.split_household import SplitHousehold
from domain.evidence import EvidenceType
from domain.household import Household
from domain.vocabulary import Kind

Change = Annotated[
    NewHousehold
    | CircumstancesChange
    | IdentityCorrection
    | AddMember
    | Death
    | MoveOut
    | MoveIn
    | SplitHousehold
    | ChangeHead
    | MergeDuplicates
    | Graduation
    | SelfWithdrawal
    | ProgrammeProposal
    | PbiReactivation
    | Objection,
    Field(discriminator="kind"),
]
"""What an update proposes, told apart by `kind`."""

CHANGE_ADAPTER: TypeAdapter[Change] = TypeAdapter(Change, config=ConfigDict(hide_input_in_errors=True))

_SPECS: dict[Kind, KindSpec[Any]] = {
    spec.kind: spec
    for spec in (
        new_household.SPEC,
        circumstances.SPEC,
        identity_correction.SPEC,
        add_member.SPEC,
        death.SPEC,
        move_out.SPEC,
        move_in.SPEC,
        split_household.SPEC,
        change_head.SPEC,
        merge_duplicates.SPEC,
        graduation.SPEC,
        self_withdrawal.SPEC,
        programme_proposal.SPEC,
        pbi_reactivation.SPEC,
        objection.SPEC,
    )
}


def spec_of(kind: Kind) -> KindSpec[Any]:
    """The parts of this kind."""
    return _SPECS[kind]


def required_evidence(kind: Kind) -> tuple[frozenset[EvidenceType], ...]:
    """The papers of this kind: every group is needed, and any one paper of a group fulfils it."""
    return spec_of(kind).evidence


def identity_expectations(change: Change, base: Household | None) -> tuple[IdentityExpectation, ...]:
    """Whom the civil registry is asked about, one by one, and which answers let the case go on.

    Two submissions with equal expectations need no second identity check.
    """
    return spec_of(change.kind).expectations(change, base)


def counterpart_of(change: Change) -> Counterpart | None:
    """The other household that the change concerns, if its kind concerns two."""
    return spec_of(change.kind).counterpart(change)
