"""A small model of the standard route: what may happen to a case next, and where it then stands."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from domain.vocabulary import Outcome, Stage, Status
from tests.stateful.tables import (
    DIGESTS_IN_A_REPAIR,
    DISPUTES,
    HOLDERS,
    JUDGED_BY,
    LADDERS,
    OPERATOR,
    ROUTE,
    STATUS,
    STRANGER,
    TIERS,
    Dispute,
    Rung,
)

OK: Final = frozenset({"ok"})
_ANSWERS: Final = frozenset({Outcome.FORWARD, Outcome.RETURN, Outcome.REJECT})
_OF_APPEALS: Final = frozenset({Outcome.UPHOLD, Outcome.OVERTURN})


@dataclass(slots=True)
class HouseModel:
    """The one fact of a household that the cases are about, and how often it was changed."""

    floor_area: int | None
    version: int = 1


@dataclass(slots=True)
class CaseModel:
    """Where a case stands. `floor_area` is what it proposes, `base` what the household had when it was made.

    `contested` is the stage whose no is or was disputed, `refused_in` the one whose no ended the case; `heard` counts
    for the conflict that is open, `returns` the substantive ones that officers gave.
    """

    house: HouseModel
    floor_area: int
    base: int | None
    stage: Stage | None = Stage.IDENTITY_CHECK
    status: Status = Status.CHECKING
    settled: set[Stage] = field(default_factory=set[Stage])
    fired: set[int] = field(default_factory=set[int])
    parts: dict[str, set[Stage | None]] = field(default_factory=lambda: {OPERATOR: {None}})
    route: tuple[Stage, ...] = ROUTE
    contested: Stage | None = None
    refused_in: Stage | None = None
    heard: set[str] = field(default_factory=set[str])
    returns: int = 0
    disputed: bool = False
    touched: set[str] = field(default_factory=set[str])
    looked: set[Stage] = field(default_factory=set[Stage])
    waited_out: bool = False
    asks: bool = False
    asked_out: bool = False
    aside: tuple[set[int], bool, int] = field(default_factory=lambda: (set[int](), False, 0))
    digests: int = 0
    reopened: bool = False
    carried_on: bool = False

    @property
    def is_appeal(self) -> bool:
        """Whether it appeals against the rejection of another."""
        return self.route[0] is Stage.APPEAL

    @property
    def level(self) -> int:
        """How far up the ladder the open task has moved: a reminder does not climb."""
        return 0 if self.stage is None else sum(self.ladder[index].climbs for index in self.fired)

    @property
    def ladder(self) -> tuple[Rung, ...]:
        """The rungs of the open task."""
        match self.stage:
            case Stage.CONFLICT:
                return self.dispute.ladder
            case Stage.APPEAL if self.contested is not None:
                return TIERS[self.contested].ladder
            case stage:
                return () if stage is None else LADDERS.get(stage, ())

    @property
    def dispute(self) -> Dispute:
        """What the conflict is about."""
        if self.contested is None:
            raise ValueError("nothing is disputed")
        return DISPUTES[self.contested]

    @property
    def holders(self) -> tuple[str, ...]:
        """Who has the case, if its decision is awaited of people; the first one first."""
        match self.stage:
            case None | Stage.GROUND_CHECK:
                return ()
            case Stage.OPINION:
                sides = (self.dispute.speak_for, self.dispute.speak_against)
                return tuple(who for side in sides if not self.heard & set(side) for who in side)
            case stage:
                return tuple(who for who in self._deciders(stage) if not self._barred(who, stage))

    @property
    def withdrawable(self) -> bool:
        """Whether it may still be taken back."""
        return self.stage not in {None, Stage.DELIVERY}

    @property
    def clock_runs(self) -> bool:
        """Whether time that passes fires the next rung, or tells it again past the last one."""
        if self.stage in {None, Stage.IDENTITY_CHECK} or self.status is Status.WAITING_DOCUMENT or self.asks:
            return False
        return self.stage is not Stage.REPAIR or self.digests < DIGESTS_IN_A_REPAIR

    @property
    def exhausted(self) -> bool:
        """Whether every rung of the open task has fired."""
        return len(self.fired) == len(self.ladder)

    def answers_to(self, who: str, outcome: Outcome = Outcome.FORWARD) -> frozenset[str]:
        """What may come of somebody deciding the case's last task: `ok`, or the codes of the refusals that fit."""
        match self.stage:
            case _ if who == STRANGER:
                codes = {"not_found"}
            case None:
                codes = {"task_already_decided", "not_possible_now"}
            case Stage.GROUND_CHECK:
                codes = {"ground_check_awaited"}
            case Stage.OPINION:
                codes = self._answers_to_opinion(who)
            case stage if not (deciders := self._deciders(stage)):
                codes = {"forbidden", "separation_of_duties"}
            case stage if who not in deciders:
                codes = {"forbidden"}
            case stage if self._barred(who, stage):
                codes = {"separation_of_duties"}
            case _:
                codes = OK
        offered = _OF_APPEALS if self.stage is Stage.APPEAL else _ANSWERS
        return frozenset({"invalid_input"} if codes == OK and outcome not in offered else codes)

    def answers_to_report(self, who: str) -> frozenset[str]:
        """What may come of somebody reporting from the field."""
        if who not in self._deciders(Stage.GROUND_CHECK):
            return frozenset({"forbidden"})
        return frozenset({"separation_of_duties"}) if self._barred(who, Stage.GROUND_CHECK) else OK

    def decided(self, who: str, outcome: Outcome, *, substantive: bool = False) -> None:
        """Somebody has decided; with a reason about the household itself, or another."""
        stage = self._here()
        opens = self._opens_conflict(stage, who, outcome, substantive=substantive)
        self.parts.setdefault(who, set()).add(stage)
        self.touched.add(who)
        if stage is not Stage.OPINION and outcome is Outcome.RETURN and substantive:
            self.returns += 1
        if stage is Stage.OPINION:
            self._spoken(who)
        elif opens:
            self.contested, self.disputed = stage, True
            self._stand(Stage.OPINION)
        else:
            self._answered(self.contested if stage is Stage.CONFLICT else stage, outcome)

    def resubmitted(self, *, floor_area: int) -> None:
        """The operator has sent the case in again, changed or as it was."""
        if floor_area != self.floor_area:
            self.settled -= JUDGED_BY
        self.floor_area = floor_area
        self.looked.clear()
        self.go_on()

    def withdrawn(self) -> None:
        """The applicant has taken the case back."""
        self._end(Status.WITHDRAWN)

    def passed_milestone(self) -> None:
        """The next milestone has passed: a rung fires, or past the last one a digest is sent."""
        waiting = [index for index in range(len(self.ladder)) if index not in self.fired]
        if not waiting:
            self.digests += 1
        elif self.stage is Stage.OPINION and len(waiting) == 1:
            self._stand(Stage.CONFLICT)
        else:
            self.fired.add(waiting[0])

    def waits(self) -> None:
        """The repair waits for a paper."""
        self.status = Status.WAITING_DOCUMENT

    def waits_no_longer(self, *, ran_out: bool = False) -> None:
        """The paper has been given up, or has not come in all of its time."""
        self.status = Status.RETURNED
        self.waited_out |= ran_out

    def lapsed(self) -> None:
        """Nobody has mended it, and the applicant was told in time."""
        self._end(Status.LAPSED)

    def sent_to_look(self, who: str) -> None:
        """Somebody is asked to look in the field before the stage decides."""
        stage, status, fired, asked_out, digests = self._here(), self.status, self.fired, self.asked_out, self.digests
        self.touched.add(who)
        self.looked.add(stage)
        self._stand(Stage.GROUND_CHECK)
        self.status, self.aside = status, (fired, asked_out, digests)

    def reported(self, who: str) -> None:
        """What was found in the field has come in."""
        self.parts.setdefault(who, set()).add(Stage.GROUND_CHECK)
        self.touched.add(who)
        self.go_on()
        self.fired, self.asked_out, self.digests = self.aside
        self._climb()

    def answered_by_ministry(self, answer: str) -> None:
        """The Ministry has accepted, returned or rejected the case."""
        match answer:
            case "accepted" if self.house.floor_area not in {self.base, self.floor_area}:
                self.base = self.house.floor_area
                self.settled &= {Stage.DELIBERATION, Stage.APPEAL}
                self.go_on()
            case "accepted":
                self.house.floor_area = self.floor_area
                self.house.version += 1
                self._end(Status.APPLIED)
            case "returned":
                self.settled -= {Stage.APPROVAL, Stage.ENDORSEMENT}
                self.go_on()
            case _:
                self.refused_in = Stage.DELIVERY
                self._end(Status.REJECTED)

    def go_on(self) -> None:
        """Stand in the first stage of the route that has no answer."""
        self._stand(next(stage for stage in self.route if stage not in self.settled))

    def appealed(self) -> CaseModel:
        """The case that appeals against the rejection of this one."""
        if self.refused_in is None:
            raise ValueError("nobody has rejected the case")
        resumes = ROUTE.index(TIERS[self.refused_in].resumes_at)
        other = self._another()
        other.route, other.contested = (Stage.APPEAL, *ROUTE), self.refused_in
        other.settled = ({*self.settled, *ROUTE[:resumes], self.refused_in}) - {Stage.DELIVERY}
        other.go_on()
        return other

    def taken_up(self) -> CaseModel:
        """The case that reopens this one, which has lapsed."""
        other = self._another()
        other.reopened = True
        other._stand(Stage.REPAIR)
        return other

    def superseded(self) -> None:
        """An appeal has overturned its rejection."""
        self.status = Status.SUPERSEDED

    def _another(self) -> CaseModel:
        self.carried_on = True
        parts = {who: {*stages} for who, stages in self.parts.items()}
        parts.setdefault(OPERATOR, set()).add(None)
        return replace(
            self,
            settled={*self.settled},
            parts=parts,
            touched={*self.touched},
            heard=set(),
            looked=set(),
            fired=set(),
            refused_in=None,
            carried_on=False,
        )

    def _answers_to_opinion(self, who: str) -> frozenset[str]:
        sides = (self.dispute.speak_for, self.dispute.speak_against)
        own = next((side for side in sides if who in side), None)
        if own is None:
            return frozenset({"forbidden"})
        return frozenset({"not_possible_now"}) if self.heard & set(own) else OK

    def _answered(self, stage: Stage | None, outcome: Outcome) -> None:
        """What was decided about a stage, by it or by who decides its conflict."""
        match outcome:
            case Outcome.FORWARD | Outcome.OVERTURN if stage is not None:
                self.settled.add(stage)
                self.go_on()
            case Outcome.RETURN:
                self._stand(Stage.REPAIR)
            case _:
                self.refused_in = stage
                self._end(Status.REJECTED)

    def _spoken(self, who: str) -> None:
        self.heard.add(who)
        if not self.holders:
            self._stand(Stage.CONFLICT)

    def _opens_conflict(self, stage: Stage, who: str, outcome: Outcome, *, substantive: bool) -> bool:
        dispute = DISPUTES.get(stage)
        no = outcome in {Outcome.RETURN, Outcome.REJECT} and substantive
        if dispute is None or not no or self.is_appeal or self.disputed or who == dispute.decider:
            return False
        if outcome is Outcome.RETURN:
            return self.returns >= 1
        return dispute.on_rejection and Stage.DELIBERATION in self.settled

    def _deciders(self, stage: Stage) -> tuple[str, ...]:
        if stage is Stage.CONFLICT:
            first: tuple[str, ...] = (self.dispute.decider,)
        elif stage is Stage.APPEAL and self.contested is not None:
            first = (TIERS[self.contested].hearer,)
        else:
            first = HOLDERS.get(stage, ())
        later = [self.ladder[index].decider for index in sorted(self.fired)]
        return (*first, *(who for who in later if who is not None))

    def _barred(self, who: str, stage: Stage) -> bool:
        """Whether another part in the case keeps somebody from deciding; from looking, whatever they did."""
        if stage is Stage.GROUND_CHECK and who in self.touched:
            return True
        parts = self.parts.get(who, set()) - {stage}
        if stage not in {Stage.CONFLICT, Stage.APPEAL, Stage.GROUND_CHECK}:
            parts -= {Stage.OPINION}
        return bool(parts)

    def _here(self) -> Stage:
        if self.stage is None:
            raise ValueError("the case has ended")
        return self.stage

    def _stand(self, stage: Stage) -> None:
        """Stand in a stage from the bottom of its ladder."""
        self.stage, self.fired = stage, {0} if stage in {Stage.OPINION, Stage.CONFLICT} else set()
        self.status = STATUS.get(stage, self.status)
        self.digests, self.waited_out, self.asks, self.asked_out = 0, False, False, False
        if stage is Stage.OPINION:
            self.heard = set()
            return
        self._climb()

    def _climb(self) -> None:
        """Climb on while nobody may decide."""
        stage = self._here()
        while (deciders := self._deciders(stage)) and all(self._barred(who, stage) for who in deciders):
            waiting = [index for index, rung in enumerate(self.ladder) if rung.climbs and index not in self.fired]
            if not waiting:
                break
            self.fired.add(waiting[0])

    def _end(self, status: Status) -> None:
        self.stage, self.status, self.fired, self.asks = None, status, set(), False
