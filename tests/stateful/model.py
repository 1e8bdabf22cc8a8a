"""A small model of the standard route: what may happen to a case next, and where it then stands.

Written from the tables of the policy and not from the code that it is held against; so it knows one kind of update,
one village, and the default policy's ladders only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from domain.vocabulary import Outcome, Stage, Status

OPERATOR: Final = "operator.taraju"
STRANGER: Final = "kades.cikubang"
PEOPLE: Final = (
    OPERATOR,
    STRANGER,
    "puskesos.taraju",
    "kades.taraju",
    "slrt.taraju",
    "verifikator",
    "verifikator2",
    "kabid",
    "kadis",
    "asisten",
)
ROUTE: Final = (Stage.VERIFICATION, Stage.DELIBERATION, Stage.APPROVAL, Stage.ENDORSEMENT, Stage.DELIVERY)
HOLDERS: Final = {
    Stage.VERIFICATION: ("puskesos.taraju",),
    Stage.DELIBERATION: ("kades.taraju",),
    Stage.APPROVAL: ("verifikator", "verifikator2"),
    Stage.ENDORSEMENT: ("kadis",),
}
_STATUS: Final = {
    Stage.IDENTITY_CHECK: Status.CHECKING,
    Stage.VERIFICATION: Status.IN_VERIFICATION,
    Stage.DELIBERATION: Status.IN_DELIBERATION,
    Stage.APPROVAL: Status.IN_APPROVAL,
    Stage.ENDORSEMENT: Status.IN_ENDORSEMENT,
    Stage.DELIVERY: Status.APPROVED_LOCAL,
    Stage.REPAIR: Status.RETURNED,
}
_LATER_DECIDERS: Final = {
    Stage.VERIFICATION: (2, "slrt.taraju"),
    Stage.APPROVAL: (2, "kabid"),
    Stage.ENDORSEMENT: (3, "asisten"),
}
"""Who may decide as well once so many rungs have fired."""
_RUNGS: Final = {Stage.ENDORSEMENT: 3}
_MOST_RUNGS: Final = 4
_JUDGED_BY: Final = frozenset({Stage.VERIFICATION, Stage.DELIBERATION, Stage.APPROVAL})
"""Which stages judge the living conditions, and so judge them again when a repair has changed them."""

OK: Final = frozenset({"ok"})


@dataclass(slots=True)
class HouseModel:
    """The one fact of a household that the cases are about, and how often it was changed."""

    floor_area: int | None
    version: int = 1


@dataclass(slots=True)
class CaseModel:
    """Where a case stands. `floor_area` is what it proposes, `base` what the household had when it was made."""

    house: HouseModel
    floor_area: int
    base: int | None
    stage: Stage | None = Stage.IDENTITY_CHECK
    status: Status = Status.CHECKING
    settled: set[Stage] = field(default_factory=set[Stage])
    fired: int = 0
    parts: dict[str, set[Stage | None]] = field(default_factory=lambda: {OPERATOR: {None}})

    @property
    def level(self) -> int:
        """How far up the ladder the open task has moved: the first rung only reminds."""
        return max(0, self.fired - 1) if self.stage is not None else 0

    @property
    def holders(self) -> tuple[str, ...]:
        """Who has the case, if its decision is awaited of people; the first one first."""
        return () if self.stage is None else HOLDERS.get(self.stage, ())

    @property
    def withdrawable(self) -> bool:
        """Whether it may still be taken back."""
        return self.stage not in {None, Stage.DELIVERY}

    def answers_to(self, who: str) -> frozenset[str]:
        """What may come of somebody deciding the case's last task: `ok`, or the codes of the refusals that fit."""
        if who == STRANGER:
            return frozenset({"not_found"})
        if self.stage is None:
            return frozenset({"task_already_decided", "not_possible_now"})
        if self.stage not in HOLDERS:
            return frozenset({"forbidden", "separation_of_duties"})
        if who not in self._deciders(self.stage):
            return frozenset({"forbidden"})
        elsewhere = self.parts.get(who, set()) - {self.stage}
        return frozenset({"separation_of_duties"}) if elsewhere else OK

    def decided(self, who: str, outcome: Outcome) -> None:
        """Somebody has decided."""
        stage = self._here()
        self.parts.setdefault(who, set()).add(stage)
        match outcome:
            case Outcome.FORWARD:
                self.settled.add(stage)
                self.go_on()
            case Outcome.RETURN:
                self._stand(Stage.REPAIR)
            case Outcome.REJECT:
                self._end(Status.REJECTED)
            case Outcome.UPHOLD | Outcome.OVERTURN:
                raise AssertionError("the machine appeals against nothing")

    def resubmitted(self, *, floor_area: int) -> None:
        """The operator has sent the case in again, changed or as it was."""
        if floor_area != self.floor_area:
            self.settled -= _JUDGED_BY
        self.floor_area = floor_area
        self.go_on()

    def withdrawn(self) -> None:
        """The applicant has taken the case back."""
        self._end(Status.WITHDRAWN)

    def lapsed(self) -> None:
        """The next milestone has passed: a rung fires, or past the last one a digest is sent."""
        self.fired = min(self.fired + 1, _RUNGS.get(self._here(), _MOST_RUNGS))

    def answered_by_ministry(self, answer: str) -> None:
        """The Ministry has accepted, returned or rejected the case."""
        match answer:
            case "accepted" if self.house.floor_area not in {self.base, self.floor_area}:
                self.base = self.house.floor_area
                self.settled &= {Stage.DELIBERATION}
                self.go_on()
            case "accepted":
                self.house.floor_area = self.floor_area
                self.house.version += 1
                self._end(Status.APPLIED)
            case "returned":
                self.settled -= {Stage.APPROVAL, Stage.ENDORSEMENT}
                self.go_on()
            case _:
                self._end(Status.REJECTED)

    def go_on(self) -> None:
        """Stand in the first stage of the route that has no answer."""
        self._stand(next(stage for stage in ROUTE if stage not in self.settled))

    def _deciders(self, stage: Stage) -> tuple[str, ...]:
        rungs, later = _LATER_DECIDERS.get(stage, (_MOST_RUNGS + 1, ""))
        return (*HOLDERS[stage], later) if self.fired >= rungs else HOLDERS[stage]

    def _here(self) -> Stage:
        if self.stage is None:
            raise ValueError("the case has ended")
        return self.stage

    def _stand(self, stage: Stage) -> None:
        self.stage, self.status, self.fired = stage, _STATUS[stage], 0

    def _end(self, status: Status) -> None:
        self.stage, self.status, self.fired = None, status, 0
