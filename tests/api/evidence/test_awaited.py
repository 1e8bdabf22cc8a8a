"""A paper that a repair has waited for, attached as the file that it came as."""

from __future__ import annotations

import pytest

from tests.api.evidence.conftest import Counter
from tests.api.test_document_waits import end, returned, seen, wait
from tests.casework.play import Play
from tests.evidence.files import picture

pytestmark = pytest.mark.embedded


async def test_the_paper_is_attached_as_a_file_of_its_kind(counter: Counter) -> None:
    play = Play(counter.office.scene)
    update_id = await returned(play)
    await wait(counter.office, update_id, document="house_photo")
    desk = await counter.desk_of("operator.taraju")
    other, photo = await desk.uploaded(picture(), type="kk"), await desk.uploaded(picture())
    refused = await end(counter.office, update_id, evidence_id=other)
    assert (refused.status_code, refused.json()["violations"][0]["pointer"]) == (422, "/evidence_id")
    assert refused.json()["violations"][0]["code"] == "evidence_of_other_type"
    attached = await end(counter.office, update_id, evidence_id=photo)
    assert (attached.status_code, attached.json()["status"]) == (200, "returned")
    listed = (await (await counter.office.desk_of("puskesos.taraju")).get(f"/v1/updates/{update_id}/evidence")).json()
    assert photo in str(listed)
    assert (await seen(counter.office, update_id))["document_waits"][0]["evidence_id"] == photo
