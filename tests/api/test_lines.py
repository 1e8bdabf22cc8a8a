"""A line of cases: one lapsed, the next was rejected, the third appeals; who touched one has touched them all."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import pytest

from domain.contracts import AwaitDecision, Closed
from domain.errors import SeparationOfDuties
from domain.evidence import EvidenceRef, EvidenceType
from domain.vocabulary import EscalationCause, Outcome, ReasonCode, Stage
from tests.api.conftest import Office
from tests.api.test_disputes import MEANS, QUOTA, appealed, rejected
from tests.api.test_reopening import taken_up
from tests.casework.field import Field
from tests.casework.play import Play
from tests.casework.refused import refused
from tests.casework.test_lapses import lapsed
from tests.ground import LOOKER, photo
from tests.workflows.stack import floor_area

pytestmark = pytest.mark.embedded

PHOTO = ReasonCode.UNCLEAR_PHOTO


class Line(NamedTuple):
    """Three cases that carry one change on, and a photo that was sent in with the first."""

    lapsed: UUID
    reopened: UUID
    appeal: UUID
    photo: EvidenceRef


@pytest.fixture
def play(office: Office) -> Play:
    return Play(office.scene)


@pytest.fixture
def field(play: Play) -> Field:
    return Field(play)


async def a_line(office: Office, play: Play, field: Field, *, touched_by: str | None = None) -> Line:
    """The regency returned a case until it lapsed; reopened, it was rejected, and that is appealed."""
    first = await play.begin(floor_area(30))
    await play.forward_to(first, Stage.APPROVAL)
    await play.decide(first, "verifikator", Outcome.RETURN, reason=PHOTO)
    picture = EvidenceRef(type=EvidenceType.HOUSE_PHOTO, evidence_id=await photo(play.scene, "operator.taraju"))
    await play.resubmit(first, floor_area(30), evidence=(picture,))
    await play.decide(first, "verifikator", Outcome.RETURN, reason=PHOTO)
    if touched_by is not None:
        await field.comment(first, touched_by)
    await lapsed(play, first)
    second = await taken_up(office, play, first)
    await play.resubmit(second, floor_area(30), evidence=(picture,))
    ended = (await play.decide(second, "verifikator2", Outcome.REJECT, reason=QUOTA)).next
    assert isinstance(ended, Closed)
    return Line(first, second, await appealed(office, play, second), picture)


async def test_whoever_touched_the_first_of_them_does_not_look_in_the_field_for_the_last(
    office: Office, play: Play, field: Field
) -> None:
    line = await a_line(office, play, field, touched_by=LOOKER)
    await play.decide(line.appeal, "asisten", Outcome.OVERTURN, minutes=None)
    await field.ask(line.appeal, "kadis")
    case = await play.case(line.appeal)
    assert (case.stage, case.level, case.cause) == ("ground_check", 1, EscalationCause.NO_ELIGIBLE_DECIDER)
    with refused(SeparationOfDuties):
        await field.report(line.appeal)
    await field.report(line.appeal, "slrt.taraju")


async def test_whoever_touched_none_of_them_looks(office: Office, play: Play, field: Field) -> None:
    line = await a_line(office, play, field)
    await play.decide(line.appeal, "asisten", Outcome.OVERTURN, minutes=None)
    await field.ask(line.appeal, "kadis")
    assert (await play.case(line.appeal)).level == 0
    await field.report(line.appeal)


async def test_whoever_decided_in_the_first_of_them_does_not_decide_elsewhere_in_the_last(
    office: Office, play: Play, field: Field
) -> None:
    line = await a_line(office, play, field)
    await field.lend("asisten", to="verifikator")
    with refused(SeparationOfDuties):
        await play.decide(line.appeal, "verifikator", Outcome.OVERTURN, minutes=None)


async def test_a_paper_of_the_first_of_them_is_one_of_the_last(office: Office, play: Play, field: Field) -> None:
    line = await a_line(office, play, field)
    await play.decide(line.appeal, "asisten", Outcome.OVERTURN, minutes=None)
    await play.decide(line.appeal, "kadis", Outcome.RETURN, reason=PHOTO)
    step = (await play.resubmit(line.appeal, floor_area(30), evidence=(line.photo,))).next
    assert isinstance(step, AwaitDecision)


@pytest.mark.parametrize("delegate", ["verifikator", "sekda"])
async def test_no_lent_seat_lets_anybody_hear_an_appeal_against_what_they_or_its_holder_decided(
    office: Office, play: Play, field: Field, delegate: str
) -> None:
    """The verifier has rejected it, and stands in for the assistant; or the assistant has, and somebody for them."""
    if delegate == "verifikator":
        update_id = await rejected(play)
    else:
        update_id = await _rejected_by_the_assistant(play)
    await field.lend("asisten", to=delegate)
    appeal_id = await appealed(office, play, update_id)
    case = await play.case(appeal_id)
    assert (case.level, case.cause) == (1, EscalationCause.NO_ELIGIBLE_DECIDER)
    desk = await office.desk_of(delegate)
    assert str(case.task) not in [task["id"] for task in (await desk.get("/v1/tasks")).json()["items"]]
    answer = await desk.post(f"/v1/tasks/{case.task}/decision", json={"outcome": "overturn"})
    assert (answer.status_code, answer.json()["code"]) == (403, "separation_of_duties")
    with refused(SeparationOfDuties):
        await play.decide(appeal_id, delegate, Outcome.OVERTURN, minutes=None)
    await play.decide(appeal_id, "kabid", Outcome.OVERTURN, minutes=None)


async def _rejected_by_the_assistant(play: Play) -> UUID:
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.APPROVAL)
    await play.decide(update_id, "verifikator", Outcome.REJECT, reason=MEANS)
    await play.decide(update_id, "kades.taraju")
    await play.decide(update_id, "verifikator", Outcome.REJECT, reason=MEANS)
    await play.decide(update_id, "asisten", Outcome.REJECT, reason=MEANS, minutes=None)
    return update_id
