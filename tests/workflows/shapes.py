"""The shapes that histories have: one way through the life of a case each, to be played and recorded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID

from domain.changes import Death
from domain.contracts import ActKind
from domain.requests import CorrectionRequest, EscalationRequest
from domain.supervision import CorrectionInput, CorrectionReason, EscalationInput, ManualCause
from domain.vocabulary import Outcome, ReasonCode, Stage
from tests.scene import household_of
from tests.workflows.stack import Stack, floor_area, until


async def standard_applied(kawal: Stack) -> UUID:
    update_id = await kawal.submit()
    await kawal.pushed(update_id)
    await kawal.ministry_answers(update_id, "accepted")
    await kawal.at(update_id, "applied")
    return update_id


async def express_death(kawal: Stack) -> UUID:
    household = household_of(0)
    gone = household.members[-1]
    await kawal.servers.died(gone.nik)
    update_id = await kawal.submit(Death(member_id=gone.id, died_on=date(2026, 1, 5)), household=household)
    await kawal.pushed(update_id)
    await kawal.ministry_answers(update_id, "accepted")
    await kawal.at(update_id, "applied")
    return update_id


async def returned_and_repaired(kawal: Stack) -> UUID:
    update_id = await kawal.submit()
    await kawal.forward_to(update_id, Stage.APPROVAL)
    await kawal.decide(update_id, "verifikator", Outcome.RETURN, reason=ReasonCode.INCOMPLETE_DOCUMENTS)
    await kawal.resubmit(update_id, floor_area(31))
    await kawal.forward_to(update_id, Stage.APPROVAL)
    await kawal.decide(update_id, "verifikator", Outcome.REJECT, reason=ReasonCode.QUOTA)
    await kawal.at(update_id, "rejected")
    return update_id


async def escalated_and_withdrawn(kawal: Stack) -> UUID:
    """To the top of the ladder and past it, until a digest has been sent."""
    update_id = await kawal.submit()
    await kawal.forward_to(update_id, Stage.VERIFICATION)
    while not (await kawal.scene.case(update_id)).digests_sent:
        await kawal.next_milestone(update_id)
    await kawal.withdraw(update_id)
    await kawal.at(update_id, "withdrawn")
    return update_id


async def registry_down_then_ministry_returns(kawal: Stack) -> UUID:
    await kawal.servers.registry_fails(error_rate=1)
    update_id = await kawal.submit()
    await until(lambda: kawal.scene.rows("SELECT 1 FROM clock_intervals"), bool)
    await kawal.servers.registry("DELETE", "/admin/faults")
    await kawal.pushed(update_id)
    await kawal.ministry_answers(update_id, "returned", reason="unclear_photo")
    await kawal.at(update_id, "in_approval")
    await kawal.pushed(update_id)
    await kawal.ministry_answers(update_id, "rejected", reason="duplicate")
    await kawal.at(update_id, "rejected")
    return update_id


async def waived_and_made_up_for(kawal: Stack) -> UUID:
    """The registry stays down past the patience; the check that was waived is made up for before delivery."""
    await kawal.servers.registry_fails(error_rate=1, retry_after=43_200)
    update_id = await kawal.submit()
    await until(lambda: kawal.scene.rows("SELECT 1 FROM clock_intervals"), bool)
    await kawal.next_milestone(update_id)
    await kawal.decide(update_id, "kabid")
    await kawal.servers.registry("DELETE", "/admin/faults")
    await kawal.pushed(update_id)
    await kawal.ministry_answers(update_id, "accepted")
    await kawal.at(update_id, "applied")
    return update_id


async def escalated_by_hand_and_disputed(kawal: Stack) -> UUID:
    """Escalated by hand; then a conflict in which one office is silent, sent back by an administrator when decided."""
    update_id = await kawal.submit()
    await kawal.forward_to(update_id, Stage.APPROVAL)
    escalation = EscalationInput(reason=ManualCause.HOLDER_SILENT)
    await kawal.ask(update_id, "kabid", EscalationRequest(body=escalation), ActKind.ESCALATE)
    await kawal.decide(update_id, "verifikator", Outcome.REJECT, reason=ReasonCode.NOT_ELIGIBLE_MEANS)
    await kawal.decide(update_id, "kades.taraju", note="Rumahnya rusak berat.")
    while (await kawal.scene.case(update_id)).stage != Stage.CONFLICT:
        await kawal.next_milestone(update_id)
    await kawal.decide(update_id, "asisten")
    correction = CorrectionInput(to=Stage.APPROVAL, reason=CorrectionReason.STUCK)
    await kawal.ask(update_id, "admin", CorrectionRequest(body=correction), ActKind.CORRECT)
    await kawal.decide(update_id, "verifikator", Outcome.REJECT, reason=ReasonCode.QUOTA)
    await kawal.at(update_id, "rejected")
    return update_id


SHAPES: dict[str, Callable[[Stack], Awaitable[UUID]]] = {
    shape.__name__: shape
    for shape in (
        standard_applied,
        express_death,
        returned_and_repaired,
        escalated_and_withdrawn,
        registry_down_then_ministry_returns,
        waived_and_made_up_for,
        escalated_by_hand_and_disputed,
    )
}
