"""What a simulation assumes of a regency: a validated file, every part with its source, and defaults that say so.

The facts are few and named. The rest are assumptions, chosen to be plausible and measured nowhere: a comparison of two
policies under the same assumptions says more than any single figure.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.errors import InvalidInput
from domain.policy.form import violations_of_form
from domain.vocabulary import Kind, ReasonCode, Role, Stage

Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[float, Field(gt=0, le=250)]
Weight = Annotated[float, Field(gt=0, le=1_000_000)]
Source = Annotated[str, Field(min_length=3, max_length=500)]
Tier = Literal["village", "district", "regency"]

_ASSUMED = "Assumption: plausible, measured nowhere"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Source = _ASSUMED


class Population(_Part):
    """Families of the regency by desil, spread evenly over its villages, and how old their data are at the start.

    Without `families` each village has as many as one of Kabupaten Tasikmalaya. `stale` of the records are of 2020 to
    2022; the others were last seen to within `recent_days`.
    """

    families: dict[Annotated[int, Field(ge=1, le=10)], Annotated[int, Field(ge=1, le=5_000_000)]] | None = None
    members: Annotated[float, Field(ge=1, le=12)] = 1_061_310 / 372_941
    stale: Share = 0.6
    recent_days: Annotated[int, Field(ge=1, le=3_650)] = 700
    source: Source = (
        "Families and people of desil 1 to 5: Radar Tasikmalaya, 15 July 2025 (DTSEN). That records rest on 2020-2022: "
        "the field study of Desa Taraju. The shares of ages are assumed"
    )


class Arrivals(_Part):
    """How many of the families have an update in a month, of which kinds, and when in the month they come.

    `in_input_days` of them come in the first `input_days` days of the month, the rest evenly over what is left.
    """

    per_month: Annotated[float, Field(gt=0, le=1)] = 0.01
    kinds: dict[Kind, Weight] = Field(
        default={
            Kind.CIRCUMSTANCES: 34,
            Kind.NEW_HOUSEHOLD: 12,
            Kind.PROGRAMME_PROPOSAL: 14,
            Kind.IDENTITY_CORRECTION: 10,
            Kind.DEATH: 8,
            Kind.ADD_MEMBER: 8,
            Kind.MOVE_OUT: 4,
            Kind.MOVE_IN: 3,
            Kind.SPLIT_HOUSEHOLD: 3,
            Kind.CHANGE_HEAD: 1,
            Kind.GRADUATION: 1,
            Kind.OBJECTION: 2,
        },
        min_length=1,
    )
    input_days: Annotated[int, Field(ge=1, le=28)] = 11
    in_input_days: Share = 0.7
    source: Source = (
        "Input on days 1 to 11: Kabupaten Sumbawa Barat, October 2025 (SuaraNTB). How many a month and of which kinds "
        "is assumed: no figure was found"
    )


class Pace(_Part):
    """How somebody in a role works: for how long on a task, and how much of each office day there is for such tasks.

    `people` are those in the role in each area of its tier. `absent_days` is how many working days in a year they are
    away, in spells of about `spell_days`; of a `recorded` share of these spells the system knows.
    """

    tier: Tier
    people: Annotated[int, Field(ge=1, le=200)] = 1
    minutes: Annotated[float, Field(gt=0, le=2_400)] = 30
    spread: Annotated[float, Field(ge=0, le=2)] = 0.6
    hours_a_day: Annotated[float, Field(gt=0, le=8.5)] = 2
    absent_days: Annotated[float, Field(ge=0, le=200)] = 14
    spell_days: Annotated[float, Field(gt=0, le=60)] = 3
    recorded: Share = 0.5


class Answers(_Part):
    """What a stage answers: shares of returns and rejections, and for which reasons. After a repair half as often."""

    returned: Share = 0.0
    rejected: Share = 0.0
    return_reasons: dict[ReasonCode, Weight] = Field(default_factory=dict)
    reject_reasons: dict[ReasonCode, Weight] = Field(default_factory=dict)


class Repairs(_Part):
    """How long it takes to bring what a return asks for, in working days, and what a repair changes.

    `never` of the returned are never mended. `facts_changed` of the repairs change circumstances, the others papers.
    """

    days: Days = 3
    spread: Annotated[float, Field(ge=0, le=2)] = 0.8
    never: Share = 0.05
    facts_changed: Share = 0.3


class Identity(_Part):
    """What the civil registry says: the share of people whom it knows otherwise, and how often it is away."""

    unexpected: Share = 0.04
    outages_a_month: Annotated[float, Field(ge=0, le=60)] = 1
    outage_hours: Annotated[float, Field(gt=0, le=720)] = 6
    source: Source = (
        "Assumption; of DTKS records 92 in 100 were matched (alinea.id, February 2021), and many mended since"
    )


class Musdes(_Part):
    """In how many windows a village holds its musdes; where it holds none, how many heads sign an SPTJM instead.

    A deliberation that has escalated is answered by an SPTJM in the next `ordered_within` working days, by so many of
    the heads as `obeyed` says.
    """

    held: Share = 0.85
    sptjm: Share = 0.5
    ordered_within: Annotated[int, Field(ge=1, le=60)] = 5
    obeyed: Share = 0.6
    source: Source = "An SPTJM where no musdes is held: Kemensos, May 2024 (palpres.disway.id). The shares are assumed"


class Ministry(_Part):
    """How long the Ministry takes to answer, in calendar days, and what it answers."""

    days: Days = 7
    spread: Annotated[float, Field(ge=0, le=2)] = 0.5
    returned: Share = 0.03
    rejected: Share = 0.02


class Outages(_Part):
    """How often the line or the power of a village is away, and how many of these outages are recorded as an order.

    A recorded outage stops the clocks of the village while it lasts; in any outage nobody there works.
    """

    a_month: Annotated[float, Field(ge=0, le=30)] = 1
    hours: Annotated[float, Field(gt=0, le=720)] = 8
    recorded: Share = 0.3


class Remoteness(_Part):
    """Shares of remote and very remote villages, drawn by seed: which they are is not in the list of areas."""

    remote: Share = 0.1
    very_remote: Share = 0.03


class RoundsPlan(_Part):
    """Monthly rounds with a cut-off on this day of the month, or the next working day; None plans none."""

    cut_off_day: Annotated[int, Field(ge=2, le=28)] | None = 17
    source: Source = "Cut-off on the 17th: Desa Tlogojati, December 2025"


def _answers() -> dict[Stage, Answers]:
    papers = {
        ReasonCode.INCOMPLETE_DOCUMENTS: 5.0,
        ReasonCode.UNCLEAR_PHOTO: 3.0,
        ReasonCode.NOT_FOUND_IN_FIELD: 1.0,
        ReasonCode.SOURCE_CONFLICT: 1.0,
    }
    means = {ReasonCode.NOT_ELIGIBLE_MEANS: 4.0, ReasonCode.DUPLICATE: 1.0, ReasonCode.MOVED: 1.0}
    return {
        Stage.VERIFICATION: Answers(returned=0.1, rejected=0.02, return_reasons=papers, reject_reasons=means),
        Stage.DELIBERATION: Answers(returned=0.03, rejected=0.03, return_reasons=papers, reject_reasons=means),
        Stage.APPROVAL: Answers(returned=0.12, rejected=0.04, return_reasons=papers, reject_reasons=means),
        Stage.ENDORSEMENT: Answers(returned=0.01, rejected=0.005, return_reasons=papers, reject_reasons=means),
        Stage.CONFLICT: Answers(returned=0.1, rejected=0.4, return_reasons=papers, reject_reasons=means),
    }


def _staff() -> dict[Role, Pace]:
    return {
        Role.VILLAGE_OPERATOR: Pace(tier="village", minutes=20),
        Role.PUSKESOS_OFFICER: Pace(tier="village", minutes=90, hours_a_day=3),
        Role.VILLAGE_HEAD: Pace(tier="village", minutes=10, hours_a_day=1),
        Role.GROUND_CHECKER: Pace(tier="district", people=3, minutes=120, hours_a_day=3),
        Role.DISTRICT_SUPERVISOR: Pace(tier="district", minutes=45, hours_a_day=2),
        Role.SUBDISTRICT_HEAD: Pace(tier="district", minutes=60, hours_a_day=0.5),
        Role.REGENCY_VERIFIER: Pace(tier="regency", people=8, minutes=15, hours_a_day=6),
        Role.REGENCY_SUPERVISOR: Pace(tier="regency", minutes=10, hours_a_day=2),
        Role.REGENCY_HEAD: Pace(tier="regency", minutes=0.5, hours_a_day=2),
        Role.REGENCY_ASSISTANT: Pace(tier="regency", minutes=10, hours_a_day=1),
    }


class Scenario(_Part):
    """Everything a simulation assumes. What is left out is as the defaults have it.

    `one_person` is the share of villages in which one person is operator and PUSKESOS officer. The first `warm_up`
    months only fill the desks, and are not measured.
    """

    begins: date = date(2026, 1, 1)
    warm_up: Annotated[int, Field(ge=0, le=12)] = 2
    one_person: Share = 0.15
    population: Population = Population()
    arrivals: Arrivals = Arrivals()
    staff: dict[Role, Pace] = Field(default_factory=_staff)
    answers: dict[Stage, Answers] = Field(default_factory=_answers)
    repairs: Repairs = Repairs()
    identity: Identity = Identity()
    musdes: Musdes = Musdes()
    ministry: Ministry = Ministry()
    outages: Outages = Outages()
    remoteness: Remoteness = Remoteness()
    rounds: RoundsPlan = RoundsPlan()

    def pace_of(self, role: Role) -> Pace:
        """How somebody in the role works; whoever is not described works as the regency's supervisor does."""
        return self.staff.get(role) or self.staff.get(Role.REGENCY_SUPERVISOR) or Pace(tier="regency")


def parse_scenario(data: object) -> Scenario:
    """The scenario that decoded JSON describes; roles that it does not name keep their defaults.

    Raises InvalidInput naming every field that cannot be accepted.
    """
    try:
        return Scenario.model_validate(_filled(data))
    except ValidationError as error:
        raise InvalidInput(violations_of_form(error, data=data)) from None


def _filled(data: object) -> object:
    if not isinstance(data, dict):
        return data
    given: dict[str, Any] = {**data}
    for name, defaults in (("staff", _staff()), ("answers", _answers())):
        if isinstance(given.get(name), dict):
            kept = {key.value: value.model_dump(mode="json") for key, value in defaults.items()}
            given[name] = kept | given[name]
    return given
