"""The life of a household update: every transition, named by its sentence, over all statuses.

A case stands at a `Position`. Its route is an ordered tuple of stages, and `settled` holds those whose answer stands;
the case is always in the first stage of the route that is not settled. A return, a repair, an answer of the Ministry
or a data conflict only unsettles stages: where the case goes next follows, and nothing jumps by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from domain.errors import CaseClosed, NotPossibleNow
from domain.positions import DECIDES_ON, STATUS_OF_STAGE, Happening, Position
from domain.vocabulary import CONFLICT_STAGES, HUMAN_STAGES, Outcome, Stage, Status

__all__ = [
    "DECIDES_ON",
    "HAPPENING_OF_OUTCOME",
    "STATUS_OF_STAGE",
    "TRANSITIONS",
    "Happening",
    "Position",
    "Transition",
    "enter_next",
    "move",
    "resubmit",
    "send_back",
]


_BEFORE_DELIVERY = frozenset(
    {
        Status.RECEIVED,
        Status.CHECKING,
        Status.IN_VERIFICATION,
        Status.IN_DELIBERATION,
        Status.IN_APPROVAL,
        Status.IN_ENDORSEMENT,
        Status.RETURNED,
        Status.WAITING_DOCUMENT,
        Status.IN_CONFLICT,
        Status.IN_APPEAL,
    },
)
_WITH_PEOPLE = frozenset(STATUS_OF_STAGE[stage] for stage in HUMAN_STAGES)
_WITH_MINISTRY = frozenset({Status.IN_DELIVERY, Status.APPROVED_LOCAL})
_OFF_ROUTE = CONFLICT_STAGES | {Stage.REPAIR, Stage.GROUND_CHECK}
_ON_ROUTE = frozenset(STATUS_OF_STAGE[stage] for stage in Stage if stage not in _OFF_ROUTE)
_DECIDED_ON = _WITH_PEOPLE | {Status.IN_CONFLICT}
_BEING_REPAIRED = frozenset({Status.RETURNED, Status.WAITING_DOCUMENT})
_ENTERED = _ON_ROUTE | {Status.APPLIED}


class Transition(NamedTuple):
    """One rule: what happens, from which statuses, to which, and how the position changes."""

    happening: Happening
    sentence: str
    source: frozenset[Status]
    target: frozenset[Status]
    rule: Callable[[Position], Position]


def enter_next(position: Position) -> Position:
    """The position in the first unsettled stage of the route; past the last one the change is applied.

    A check that was waived while the civil registry was down is made up for before anything leaves the regency.
    """
    pending = awaiting(position)
    leaves = pending is None or pending is Stage.DELIVERY
    if leaves and position.identity_waived:
        pending = Stage.IDENTITY_CHECK
    elif pending is Stage.DELIVERY and not position.ministry:
        pending = None
    return position.model_copy(
        update={
            "stage": pending,
            "status": Status.APPLIED if pending is None else STATUS_OF_STAGE[pending],
            "returned_from": None,
        },
    )


def _settle(position: Position, *, identity_waived: bool) -> Position:
    """The stage has its answer; where a conflict about it is decided, the stage that it was about."""
    stage = _stands_in(position)
    answered = frozenset[Stage]() if stage is None else frozenset({stage})
    settled = position.settled | answered
    return enter_next(position.model_copy(update={"settled": settled, "identity_waived": identity_waived}))


def _unsettle(position: Position, stages: frozenset[Stage]) -> Position:
    return enter_next(position.model_copy(update={"settled": position.settled - stages}))


def _started(position: Position) -> Position:
    """A case that reopens a lapsed one begins where that one ended: returned."""
    if position.returned_from is not None:
        return position.model_copy(update={"stage": Stage.REPAIR, "status": Status.RETURNED})
    return enter_next(position)


def _forwarded(position: Position) -> Position:
    return _settle(position, identity_waived=position.identity_waived)


def _identity_expected(position: Position) -> Position:
    return _settle(position, identity_waived=False)


def _identity_waived(position: Position) -> Position:
    return _settle(position, identity_waived=True)


def _returned(position: Position) -> Position:
    """Once repaired it is judged where it was returned; after a conflict, where the no had come from."""
    return position.model_copy(
        update={"stage": Stage.REPAIR, "status": Status.RETURNED, "returned_from": _stands_in(position)},
    )


def _resubmitted(position: Position) -> Position:
    """`resubmit` has unsettled what the repair touched; the stage that returned the case was never settled."""
    return enter_next(position)


def _sent_back(position: Position) -> Position:
    """`send_back` has unsettled the stage that is to be asked again, and all that follows it."""
    return enter_next(position)


def _document_awaited(position: Position) -> Position:
    return position.model_copy(update={"status": Status.WAITING_DOCUMENT})


def _document_wait_ended(position: Position) -> Position:
    return position.model_copy(update={"status": Status.RETURNED})


def _pushed(position: Position) -> Position:
    return position.model_copy(update={"status": Status.APPROVED_LOCAL})


def _ministry_accepted(position: Position) -> Position:
    return _settle(position, identity_waived=False)


def _ministry_returned(position: Position) -> Position:
    """Approval is asked again, and all that follows it; a route without approval repeats its last human stage."""
    human = [stage for stage in position.route if stage in HUMAN_STAGES]
    back_to = Stage.APPROVAL if Stage.APPROVAL in human else human[-1]
    return _unsettle(position, frozenset(position.route[position.route.index(back_to) :]))


def _data_conflict(position: Position) -> Position:
    """Is it true, now that somebody else changed the same field? The village's deliberation stands.

    It stands unless nobody else would be asked: without people in between, the change would overwrite the other.
    """
    asked_again = frozenset(position.route) - {Stage.IDENTITY_CHECK, Stage.DELIBERATION, Stage.APPEAL}
    if not asked_again & frozenset(HUMAN_STAGES):
        asked_again |= {Stage.DELIBERATION}
    return _unsettle(position, asked_again)


def _disputed(position: Position) -> Position:
    return position.model_copy(
        update={"stage": Stage.OPINION, "status": Status.IN_CONFLICT, "contested": _stands_in(position)},
    )


def _opinions_heard(position: Position) -> Position:
    return position.model_copy(update={"stage": Stage.CONFLICT})


def _ground_check_asked(position: Position) -> Position:
    """The stage stays unsettled, and the status is what it would be in it: it waits for the answer from the field."""
    return position.model_copy(update={"stage": Stage.GROUND_CHECK})


def _ground_checked(position: Position) -> Position:
    return enter_next(position)


def _closed_as(status: Status) -> Callable[[Position], Position]:
    def close(position: Position) -> Position:
        return position.model_copy(update={"status": status, "stage": None})

    return close


TRANSITIONS: tuple[Transition, ...] = (
    Transition(
        Happening.STARTED,
        "A received update enters the first stage of its route; one that reopens a lapsed case is repaired first.",
        frozenset({Status.RECEIVED}),
        _ENTERED | {Status.RETURNED},
        _started,
    ),
    Transition(
        Happening.IDENTITY_EXPECTED,
        "When the civil registry answers what the kind expects of every member, the case goes on.",
        frozenset({Status.CHECKING}),
        _ENTERED,
        _identity_expected,
    ),
    Transition(
        Happening.IDENTITY_UNEXPECTED,
        "An unexpected answer of the civil registry returns the case to its operator, the field named.",
        frozenset({Status.CHECKING}),
        frozenset({Status.RETURNED}),
        _returned,
    ),
    Transition(
        Happening.IDENTITY_WAIVED,
        "While the civil registry stays down a supervisor may let the case go on, to be checked before delivery.",
        frozenset({Status.CHECKING}),
        _ENTERED,
        _identity_waived,
    ),
    Transition(
        Happening.FORWARDED,
        "A forward settles the stage and opens the next one; in a conflict, the stage whose no was disputed.",
        _DECIDED_ON,
        _ENTERED,
        _forwarded,
    ),
    Transition(
        Happening.RETURNED,
        "A return gives the case back to its operator, to be repaired.",
        _DECIDED_ON,
        frozenset({Status.RETURNED}),
        _returned,
    ),
    Transition(
        Happening.REJECTED,
        "A rejection ends the case; it can be appealed.",
        _DECIDED_ON,
        frozenset({Status.REJECTED}),
        _closed_as(Status.REJECTED),
    ),
    Transition(
        Happening.RESUBMITTED,
        "A repaired case re-enters the stage that returned it, or an earlier one that judged a field since changed.",
        _BEING_REPAIRED,
        _ON_ROUTE,
        _resubmitted,
    ),
    Transition(
        Happening.WITHDRAWN,
        "The applicant may withdraw the update until it is being delivered.",
        _BEFORE_DELIVERY,
        frozenset({Status.WITHDRAWN}),
        _closed_as(Status.WITHDRAWN),
    ),
    Transition(
        Happening.PUSHED,
        "Once the Ministry has taken the change in, it is a pending version until the Ministry answers.",
        frozenset({Status.IN_DELIVERY}),
        frozenset({Status.APPROVED_LOCAL}),
        _pushed,
    ),
    Transition(
        Happening.MINISTRY_ACCEPTED,
        "The Ministry's acceptance applies the change to the registry.",
        _WITH_MINISTRY,
        frozenset({Status.APPLIED}),
        _ministry_accepted,
    ),
    Transition(
        Happening.MINISTRY_RETURNED,
        "The Ministry's return brings the case back to approval.",
        _WITH_MINISTRY,
        _WITH_PEOPLE,
        _ministry_returned,
    ),
    Transition(
        Happening.MINISTRY_REJECTED,
        "The Ministry's rejection ends the case; it can be appealed.",
        _WITH_MINISTRY,
        frozenset({Status.REJECTED}),
        _closed_as(Status.REJECTED),
    ),
    Transition(
        Happening.DATA_CONFLICT,
        "A field that somebody else changed since the update was made brings the case back to verification.",
        _WITH_MINISTRY | _WITH_PEOPLE | {Status.CHECKING},
        _WITH_PEOPLE,
        _data_conflict,
    ),
    Transition(
        Happening.SENT_BACK,
        "An administrator may send a case that is stuck back to a stage it has passed, or into the one it is in anew.",
        _DECIDED_ON | _BEING_REPAIRED | {Status.CHECKING, Status.IN_APPEAL},
        _ON_ROUTE,
        _sent_back,
    ),
    Transition(
        Happening.DOCUMENT_AWAITED,
        "A repair that lacks a paper of another office waits for it, for a bounded time.",
        frozenset({Status.RETURNED}),
        frozenset({Status.WAITING_DOCUMENT}),
        _document_awaited,
    ),
    Transition(
        Happening.DOCUMENT_WAIT_ENDED,
        "When the paper has come, is given up or its time has run out, the repair goes on with what was left.",
        frozenset({Status.WAITING_DOCUMENT}),
        frozenset({Status.RETURNED}),
        _document_wait_ended,
    ),
    Transition(
        Happening.LAPSED,
        "A repair that nobody has sent in, past its whole ladder and after the applicant was told, ends the case.",
        frozenset({Status.RETURNED}),
        frozenset({Status.LAPSED}),
        _closed_as(Status.LAPSED),
    ),
    Transition(
        Happening.DISPUTED,
        "A no against which another office has said yes opens a conflict: both are asked for their opinion.",
        _WITH_PEOPLE,
        frozenset({Status.IN_CONFLICT}),
        _disputed,
    ),
    Transition(
        Happening.OPINIONS_HEARD,
        "Once both offices have been heard, or were silent in time, somebody outside both decides the conflict.",
        frozenset({Status.IN_CONFLICT}),
        frozenset({Status.IN_CONFLICT}),
        _opinions_heard,
    ),
    Transition(
        Happening.UPHELD,
        "An appeal that is turned down ends; the rejection stands.",
        frozenset({Status.IN_APPEAL}),
        frozenset({Status.REJECTED}),
        _closed_as(Status.REJECTED),
    ),
    Transition(
        Happening.OVERTURNED,
        "An appeal that is granted takes the change on from the tier that has decided it.",
        frozenset({Status.IN_APPEAL}),
        _ENTERED,
        _forwarded,
    ),
    Transition(
        Happening.SUPERSEDED,
        "The appeal that overturns a rejection takes the place of the rejected case.",
        frozenset({Status.REJECTED}),
        frozenset({Status.SUPERSEDED}),
        _closed_as(Status.SUPERSEDED),
    ),
    Transition(
        Happening.GROUND_CHECK_ASKED,
        "Before a stage decides, somebody who has not touched the case looks in the field where the policy, or an "
        "officer, asks for it.",
        _WITH_PEOPLE,
        _WITH_PEOPLE,
        _ground_check_asked,
    ),
    Transition(
        Happening.GROUND_CHECKED,
        "Once it is reported what was found in the field, the stage that waited for it decides.",
        _WITH_PEOPLE,
        _WITH_PEOPLE,
        _ground_checked,
    ),
)
"""All that can happen, in the order in which a case meets it."""

_BY_HAPPENING = {transition.happening: transition for transition in TRANSITIONS}

HAPPENING_OF_OUTCOME = {
    Outcome.FORWARD: Happening.FORWARDED,
    Outcome.RETURN: Happening.RETURNED,
    Outcome.REJECT: Happening.REJECTED,
    Outcome.UPHOLD: Happening.UPHELD,
    Outcome.OVERTURN: Happening.OVERTURNED,
}


def move(position: Position, happening: Happening) -> Position:
    """The position after `happening`.

    Raises CaseClosed when the case has ended, NotPossibleNow when this cannot happen in its status.
    """
    transition = _BY_HAPPENING[happening]
    if position.status in transition.source:
        return transition.rule(position)
    if position.closed:
        raise CaseClosed(f"The case is {position.status.value}; nothing more happens to it.")
    raise NotPossibleNow(f"{happening.value} is not possible while the case is {position.status.value}.")


def send_back(position: Position, *, to: Stage) -> Position:
    """The position in a stage that the case has passed, or in its present one anew; what followed is asked again.

    Raises NotPossibleNow for a stage that the case has not come to: nobody is passed over by hand.
    """
    now = _stands_in(position)
    if to not in position.route or now is None or position.route.index(to) > position.route.index(now):
        raise NotPossibleNow(
            f"The case has not come to {to.value}.",
            remedy="Name the stage it is in, or one before it on its route.",
        )
    follow = frozenset(position.route[position.route.index(to) :])
    return move(position.model_copy(update={"settled": position.settled - follow}), Happening.SENT_BACK)


def _stands_in(position: Position) -> Stage | None:
    """The stage of the route that the case is in; while it is repaired or in conflict, the one that this is about.

    While somebody looks in the field, the one that waits for it.
    """
    if position.stage is Stage.REPAIR:
        return position.returned_from
    if position.stage is Stage.GROUND_CHECK:
        return awaiting(position)
    return position.contested if position.stage in CONFLICT_STAGES else position.stage


def awaiting(position: Position) -> Stage | None:
    """The first stage of the route that is not settled."""
    return next((stage for stage in position.route if stage not in position.settled), None)


def resubmit(position: Position, *, changed: frozenset[str]) -> Position:
    """The position after a repair that changed the field groups `changed` (see DECIDES_ON)."""
    touched = frozenset(stage for stage, groups in DECIDES_ON.items() if groups & changed)
    return move(position.model_copy(update={"settled": position.settled - touched}), Happening.RESUBMITTED)
