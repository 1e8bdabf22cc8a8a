"""Legal holds: by whom a case is held, who else lifts it, and that both are told."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from tests.api.conftest import Office
from tests.casework.play import Play
from tests.workflows.stack import floor_area

PLACED = {"ground": "court", "explanation": "Perkara di Pengadilan Negeri Tasikmalaya"}
LIFTED = {"explanation": "Putusan berkekuatan hukum tetap"}


async def ask(office: Office, by: str, path: str, body: dict[str, Any], *, key: str | None = None) -> Any:
    desk = await office.desk_of(by)
    return await desk.post(f"/v1/updates/{path}", json=body, headers={"Idempotency-Key": key or str(uuid4())})


async def case_of(office: Office) -> UUID:
    return await Play(office.scene).begin(floor_area(30))


async def test_a_hold_is_placed_shown_and_lifted_by_somebody_else(office: Office) -> None:
    update_id = await case_of(office)
    placed = await ask(office, "inspektorat", f"{update_id}/hold", PLACED, key="k")
    assert placed.status_code == 201, placed.text
    again = await ask(office, "inspektorat", f"{update_id}/hold", PLACED, key="k")
    assert (again.status_code, again.json()) == (201, placed.json())
    case = (await (await office.desk_of("operator.taraju")).get(f"/v1/updates/{update_id}")).json()
    assert case["hold"] == {
        "id": placed.json()["id"],
        "ground": "court",
        "ground_words": {"id": "Perkara di pengadilan", "en": "A case before a court"},
        "placed_at": placed.json()["placed_at"],
    }
    second = await ask(office, "kadis", f"{update_id}/hold", PLACED)
    assert (second.status_code, second.json()["code"]) == (409, "not_possible_now")
    own = await ask(office, "inspektorat", f"{update_id}/hold/lift", LIFTED)
    assert (own.status_code, own.json()["code"]) == (403, "separation_of_duties")
    lifted = await ask(office, "kadis", f"{update_id}/hold/lift", LIFTED)
    assert lifted.status_code == 200, lifted.text
    assert lifted.json()["lifted_because"] == LIFTED["explanation"]
    assert (await ask(office, "kadis", f"{update_id}/hold/lift", LIFTED)).status_code == 409
    events = [(event.type, event.actor_role) for event in await office.scene.events(update_id)]
    assert events[-2:] == [("update.hold_placed", "inspectorate"), ("update.hold_lifted", "regency_head")]
    (hold,) = (await (await office.desk_of("kadis")).get(f"/v1/updates/{update_id}/holds")).json()["items"]
    assert (hold["placed_by"]["name"], hold["explanation"]) == ("Inspektur Kabupaten", PLACED["explanation"])


async def test_officers_of_a_case_neither_hold_it_nor_read_why(office: Office) -> None:
    update_id = await case_of(office)
    for by, status in (("operator.taraju", 403), ("verifikator", 403), ("operator.cikubang", 403)):
        assert (await ask(office, by, f"{update_id}/hold", PLACED)).status_code == status, by
    assert (await ask(office, "inspektorat", f"{uuid4()}/hold", PLACED)).status_code == 404
    wrong = await ask(office, "inspektorat", f"{update_id}/hold", {"ground": "other", "explanation": "Karena begitu"})
    assert wrong.status_code == 422
