"""Whether somebody looks in the field before a stage decides: the triggers of the policy, asked of the case."""

from __future__ import annotations

from typing import Any

from activities.casework.work import Work
from db.repositories.ground_checks import AskedCheck, read_filed, read_returns
from domain.audit import AuditType
from domain.circumstances import Circumstances
from domain.ground_checks import Proposal, asking, draw_for, possible_triggers
from domain.policy import DrawTrigger, ReturnTrigger, Trigger, ValueTrigger
from domain.vocabulary import Stage


async def check_asked(work: Work, stage: Stage) -> AskedCheck | None:
    """The check that the policy asks for before `stage`; None where it asks for none that was not made.

    Of the database nothing is asked but where a trigger can be pulled by what only it knows.
    """
    rule, case = work.policy.ground_checks, work.case
    if rule is None or not (before := rule.of_gate(stage)):
        return None
    proposal = Proposal(case.id, case.policy_version_id, case.kind, case.revision)
    _note_draws(work, before, proposal)
    possible = possible_triggers(rule, stage, proposal)
    if not possible:
        return None
    proposed = await _proposed(work) if _any(possible, ValueTrigger) else None
    if not (possible := tuple(trigger for trigger in possible if _worth_asking(trigger, proposed))):
        return None
    asked = asking(
        possible,
        proposed=proposed,
        answers=await read_returns(work.connection, case.id) if _any(possible, ReturnTrigger) else (),
        filed=await read_filed(work.connection, case.id),
        revision=case.revision,
    )
    return AskedCheck(stage, asked) if asked else None


def _note_draws(work: Work, triggers: tuple[Trigger, ...], proposal: Proposal) -> None:
    """Write the draw down where it is made first; it would come out the same after every repair and report."""
    just_looked = any(entry.type is AuditType.UPDATE_GROUND_CHECKED for entry in work.entries)
    if proposal.revision > 1 or just_looked:
        return
    for trigger in triggers:
        if isinstance(trigger, DrawTrigger):
            draw = draw_for(proposal, trigger)
            told: dict[str, Any] = {"gates": trigger.gates.value, "drawn": draw.drawn, **draw._asdict()}
            work.note(AuditType.UPDATE_GROUND_CHECK_DRAWN, **told)


def _any(triggers: tuple[Trigger, ...], kind: type[Trigger]) -> bool:
    return any(isinstance(trigger, kind) for trigger in triggers)


def _worth_asking(trigger: Trigger, proposed: Circumstances | None) -> bool:
    return not isinstance(trigger, ValueTrigger) or trigger.met_by(getattr(proposed, trigger.field, None))


async def _proposed(work: Work) -> Circumstances | None:
    """What the latest revision proposes of how the household lives; None where its kind proposes nothing of it."""
    found = getattr((await work.revision()).change, "circumstances", None)
    return found if isinstance(found, Circumstances) else None
