"""Whether a change may be submitted: the household it needs, the papers, and every check of its kind."""

from __future__ import annotations

from domain.changes.base import SubmissionContext
from domain.changes.registry import Change, required_evidence, spec_of
from domain.errors import Violation
from domain.household import HouseholdStatus
from domain.vocabulary import Kind


def check_change(change: Change, context: SubmissionContext) -> list[Violation]:
    """Everything that keeps this change from being accepted; empty when nothing does.

    Pointers are those of the request (`/change/members/0/nik`, `/evidence`). A change without the household it
    needs is not looked at further, since nothing in it could be judged.
    """
    spec = spec_of(change.kind)
    violations = _check_evidence(change.kind, context)
    misplaced = _check_base(context, needs_household=spec.needs_household)
    if misplaced:
        return misplaced + violations
    return violations + spec.check(change, context)


def _check_evidence(kind: Kind, context: SubmissionContext) -> list[Violation]:
    given = {e.type for e in context.evidence}
    return [
        Violation(
            pointer="/evidence",
            code="evidence_missing",
            detail=f"An update of the kind {kind} needs {names}.",
            remedy=f"Add to `evidence` the reference of {names}.",
        )
        for group in required_evidence(kind)
        if not group & given
        for names in (" or ".join(sorted(group)),)
    ]


def _check_base(context: SubmissionContext, *, needs_household: bool) -> list[Violation]:
    base = context.base
    match base, needs_household:
        case None, False:
            return []
        case None, True:
            return [_misplaced("household_required", "This kind changes a household that the registry holds.")]
        case _, False:
            return [_misplaced("household_not_expected", "This kind founds a household and names none.")]
        case household, True if household.area_code != context.area_code:
            return [_misplaced("household_not_found", "There is no such household in this village.")]
        case household, True if household.status is not HouseholdStatus.ACTIVE:
            return [_misplaced("household_not_active", f"The household has ended: {household.status}.")]
        case _:
            return []


def _misplaced(code: str, detail: str) -> Violation:
    return Violation(
        pointer="/household_id",
        code=code,
        detail=detail,
        remedy="Name an active household of the village, or none for a new household.",
    )
