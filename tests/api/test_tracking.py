from __future__ import annotations

import pytest

from domain.public_words import KIND_LABELS, STATUS_TEXTS
from domain.vocabulary import Kind, Status
from tests.api.conftest import Office
from tests.api.proposals import newborn
from tests.api.test_acts import RETURN, decide
from tests.api.test_submit import submit
from tests.scene import user

pytestmark = pytest.mark.embedded


async def test_whoever_holds_the_code_reads_the_status_and_nothing_personal(office: Office) -> None:
    receipt = (await submit(await office.desk_of("operator.taraju"), newborn())).json()
    response = await (await office.visitor()).get(receipt["links"]["track"])
    tracked = response.json()
    assert response.status_code == 200, response.text
    assert (tracked["status"], tracked["kind"], tracked["escalated"]) == ("received", "add_member", False)
    assert tracked["district"] == {"code": "32.06.13", "name": "Taraju"}
    assert tracked["kind_label"]["id"] == "Penambahan anggota keluarga"
    for secret in ("Zahra", "32.06.13.2001", str(user("operator.taraju")), receipt["id"]):
        assert secret not in response.text


async def test_the_code_is_read_however_it_is_written(office: Office) -> None:
    code = (await submit(await office.desk_of("operator.taraju"), newborn())).json()["tracking_code"]
    visitor = await office.visitor()
    for written in (code.lower(), code.replace("-", ""), code.replace("-", " "), code.replace("0", "O")):
        assert (await visitor.get(f"/public/track/{written}")).json()["tracking_code"] == code


@pytest.mark.parametrize("code", ["0000-0000-0000-0000", "short", "UUUU-UUUU-UUUU-UUUU", "3206130904820072", "%00"])
async def test_a_code_that_was_never_issued_is_not_found(office: Office, code: str) -> None:
    response = await (await office.visitor()).get(f"/public/track/{code}")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_a_returned_update_shows_the_public_words_of_the_reason(staffed: Office) -> None:
    receipt = (await submit(await staffed.desk_of("operator.taraju"), newborn())).json()
    visitor = await staffed.visitor()
    task = await staffed.open_task(receipt["id"], "verification")
    before = (await visitor.get(receipt["links"]["track"])).json()
    assert (before["stage"], before["reason"], before["due_at"] is not None) == ("verification", None, True)
    await decide(staffed, "puskesos.taraju", task, RETURN)
    tracked = (await visitor.get(receipt["links"]["track"])).json()
    assert (tracked["status"], tracked["stage"]) == ("returned", "repair")
    assert tracked["reason"]["id"]
    assert "Surat lahir" not in str(tracked)


def test_every_kind_and_status_has_its_public_words() -> None:
    assert set(KIND_LABELS) == set(Kind)
    assert set(STATUS_TEXTS) == set(Status)


@pytest.mark.parametrize("status", [Status.IN_DELIVERY, Status.APPROVED_LOCAL, Status.APPLIED])
def test_an_approval_says_that_it_is_no_promise_of_aid(status: Status) -> None:
    assert "belum berarti menerima bantuan" in STATUS_TEXTS[status].id
