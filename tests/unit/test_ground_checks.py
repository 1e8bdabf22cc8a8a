"""What asks for a ground check, the draw, how far somebody stood from a village, and who may look."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

import pytest

from domain.authority import Candidate, Grant, Involvement, Person, eligible_deciders
from domain.circumstances import Circumstances
from domain.disputes import Answer
from domain.ground_checks import Draw, FiledCheck, Proposal, asking, draw_for, possible_triggers
from domain.ids import new_id
from domain.lifecycle import Happening, Position, awaiting, move, send_back
from domain.places import EARTH_RADIUS_M, Place, distance_m
from domain.policy import DrawTrigger, GroundChecksRule, Power, Trigger, default_policy
from domain.vocabulary import HUMAN_STAGES, Kind, Outcome, ReasonCode, Role, Stage, Status, Strength

POLICY = default_policy()
NASHVILLE, LOS_ANGELES = Place(latitude=36.12, longitude=-86.67), Place(latitude=33.94, longitude=-118.4)
"""Between these airports the formula is commonly checked: 2887.2599506 km on a sphere of 6372.8 km."""


def rule() -> GroundChecksRule:
    assert POLICY.ground_checks is not None
    return POLICY.ground_checks


def draw(share: float) -> DrawTrigger:
    return DrawTrigger(gates=Stage.VERIFICATION, share=share, source="-", strength=Strength.PROPOSAL)


def proposal(kind: Kind = Kind.CIRCUMSTANCES, *, revision: int = 1, update_id: UUID | None = None) -> Proposal:
    return Proposal(update_id or UUID(int=1), UUID(int=2), kind, revision)


def asked(
    gate: Stage,
    kind: Kind = Kind.CIRCUMSTANCES,
    *,
    revision: int = 1,
    cars: int | None = None,
    answers: tuple[Answer, ...] = (),
    filed: tuple[FiledCheck, ...] = (),
) -> frozenset[str]:
    without_draw = rule().model_copy(update={"at_random": ()})
    return asking(
        possible_triggers(without_draw, gate, proposal(kind, revision=revision)),
        proposed=Circumstances(cars=cars),
        answers=answers,
        filed=filed,
        revision=revision,
    )


def test_a_degree_along_a_meridian_is_what_the_mean_radius_says() -> None:
    north = distance_m(Place(latitude=0, longitude=107), Place(latitude=-1, longitude=107))
    assert north == pytest.approx(111_195.08, abs=0.01)


def test_the_distance_between_two_airports_is_what_others_have_reckoned() -> None:
    ours = distance_m(NASHVILLE, LOS_ANGELES)
    assert ours / EARTH_RADIUS_M == pytest.approx(2887.2599506071 / 6372.8, rel=1e-9)
    assert distance_m(LOS_ANGELES, NASHVILLE) == ours
    assert distance_m(NASHVILLE, NASHVILLE) == 0


@pytest.mark.parametrize(
    ("latitude", "longitude", "inside"),
    [(-7.46, 107.99, True), (5.9, 95.2, True), (-8.5, 140.9, True), (7.46, 107.99, False), (-33.9, 151.2, False)],
)
def test_a_place_is_in_the_country_or_is_not(latitude: float, longitude: float, *, inside: bool) -> None:
    assert Place(latitude=latitude, longitude=longitude).in_indonesia is inside


def test_the_draw_is_the_hmac_of_the_case_under_the_policy_version() -> None:
    message = b"kawal.ground-check.v1\0verification\0" + UUID(int=1).bytes
    digest = hmac.new(UUID(int=2).bytes, message, hashlib.sha256).digest()
    expected = int.from_bytes(digest[:8]) * 1_000_000 // 2**64
    assert draw_for(proposal(), draw(0.25)) == Draw(expected, 250_000)


def test_about_the_share_is_drawn_and_each_before_each_stage_anew() -> None:
    ids = [new_id() for _ in range(4000)]
    drawn = [draw_for(proposal(update_id=each), draw(0.2)).drawn for each in ids]
    assert 650 < sum(drawn) < 950
    approval = draw(0.2).model_copy(update={"gates": Stage.APPROVAL})
    again = [draw_for(proposal(update_id=each), approval).drawn for each in ids]
    assert drawn != again
    assert all(draw_for(proposal(update_id=each), draw(1)).drawn for each in ids)


def test_a_kind_and_a_value_ask_once() -> None:
    assert asked(Stage.VERIFICATION, Kind.OBJECTION) == {"kind"}
    assert asked(Stage.VERIFICATION, Kind.OBJECTION, cars=2) == {"kind", "value:cars"}
    looked = FiledCheck(Stage.VERIFICATION, frozenset({"kind"}), 1)
    assert asked(Stage.VERIFICATION, Kind.OBJECTION, filed=(looked,), revision=2) == frozenset()
    assert asked(Stage.VERIFICATION, Kind.OBJECTION, filed=(looked,), revision=2, cars=1) == {"value:cars"}
    elsewhere = FiledCheck(Stage.APPROVAL, frozenset({"kind"}), 1)
    assert asked(Stage.VERIFICATION, Kind.OBJECTION, filed=(elsewhere,)) == {"kind"}


@pytest.mark.parametrize(("cars", "asks"), [(None, False), (0, False), (1, True), (9, True)])
def test_a_value_asks_from_its_threshold_on(cars: int | None, *, asks: bool) -> None:
    assert asked(Stage.VERIFICATION, cars=cars) == ({"value:cars"} if asks else frozenset())


def test_each_return_for_a_named_reason_asks_anew() -> None:
    returned = Answer(Stage.APPROVAL, Outcome.RETURN, ReasonCode.SOURCE_CONFLICT)
    blurred = Answer(Stage.APPROVAL, Outcome.RETURN, ReasonCode.INCOMPLETE_DOCUMENTS)
    by_village = Answer(Stage.VERIFICATION, Outcome.RETURN, ReasonCode.SOURCE_CONFLICT)
    assert asked(Stage.APPROVAL, answers=(returned,), revision=2) == {"after_return"}
    assert asked(Stage.APPROVAL, answers=(returned,), revision=1) == frozenset()
    assert asked(Stage.APPROVAL, answers=(blurred, by_village), revision=3) == frozenset()
    looked = FiledCheck(Stage.APPROVAL, frozenset({"after_return"}), 2)
    assert asked(Stage.APPROVAL, answers=(returned,), filed=(looked,), revision=2) == frozenset()
    assert asked(Stage.APPROVAL, answers=(returned, returned), filed=(looked,), revision=3) == {"after_return"}


def test_nothing_is_asked_of_the_database_where_no_trigger_can_be_pulled() -> None:
    can_be: list[Trigger] = [*possible_triggers(rule(), Stage.APPROVAL, proposal())]
    assert can_be == []
    assert not rule().of_gate(Stage.DELIBERATION)


def test_whoever_touched_the_case_does_not_look_and_may_still_decide() -> None:
    person, other = new_id(), new_id()
    touched = [Involvement(user_id=person, stage=None, touched=True)]
    grants = [Grant(role=Role.GROUND_CHECKER, power=Power.DECIDE)]
    candidates = [
        Candidate(user_id=person, role=Role.GROUND_CHECKER),
        Candidate(user_id=other, role=Role.GROUND_CHECKER),
        Candidate(user_id=new_id(), role=Role.GROUND_CHECKER, lent_by=Person(user_id=person)),
        Candidate(user_id=new_id(), role=Role.GROUND_CHECKER, other_accounts=frozenset({person})),
    ]
    looking = eligible_deciders(candidates, stage=Stage.GROUND_CHECK, grants=grants, involvements=touched)
    assert looking == {other}
    deciding = eligible_deciders(candidates, stage=Stage.APPROVAL, grants=grants, involvements=touched)
    assert len(deciding) == 4


@pytest.mark.parametrize("part", [*HUMAN_STAGES, Stage.OPINION, Stage.CONFLICT, Stage.APPEAL, None])
def test_every_other_part_bars_from_looking_and_having_looked_from_every_other_part(part: Stage | None) -> None:
    person = new_id()
    grants = [Grant(role=Role.GROUND_CHECKER, power=Power.DECIDE)]
    candidate = [Candidate(user_id=person, role=Role.GROUND_CHECKER)]
    had = [Involvement(user_id=person, stage=part)]
    assert not eligible_deciders(candidate, stage=Stage.GROUND_CHECK, grants=grants, involvements=had)
    looked = [Involvement(user_id=person, stage=Stage.GROUND_CHECK)]
    if part not in {None, Stage.OPINION}:
        assert not eligible_deciders(candidate, stage=part or Stage.REPAIR, grants=grants, involvements=looked)


def test_a_case_that_is_looked_at_stands_in_the_stage_that_waits_and_is_sent_back_from_there() -> None:
    route = (Stage.IDENTITY_CHECK, *HUMAN_STAGES, Stage.DELIVERY)
    settled = frozenset({Stage.IDENTITY_CHECK})
    position = Position(route=route, status=Status.IN_VERIFICATION, stage=Stage.VERIFICATION, settled=settled)
    looking = move(position, Happening.GROUND_CHECK_ASKED)
    assert (looking.stage, looking.status, awaiting(looking)) == (
        Stage.GROUND_CHECK,
        Status.IN_VERIFICATION,
        Stage.VERIFICATION,
    )
    assert move(looking, Happening.GROUND_CHECKED) == position
    assert send_back(looking, to=Stage.VERIFICATION) == position
    assert move(looking, Happening.WITHDRAWN).status is Status.WITHDRAWN
