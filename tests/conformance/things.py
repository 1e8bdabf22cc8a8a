"""One of everything that an endpoint can be asked for, in one village."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeAlias
from uuid import UUID

from db.repositories.work_lists import keep_list
from domain.disclosure import BulkVerdict
from domain.retention import HoldGround
from domain.supervision import CorrectionReason, ExtensionReason, ManualCause
from domain.targets import TargetReason
from domain.vocabulary import Role
from domain.worklist import Capacity, Listed
from tests.api.evidence.conftest import Desk
from tests.api.people.staff import Staff
from tests.api.policies.chamber import DRAFTS, policy
from tests.api.reads.casebook import known_household
from tests.api.villages import paper
from tests.conformance.walk import DECREE, EVALUATION, OUTAGE, REGENCY, ROUND, VILLAGE
from tests.evidence.files import picture
from tests.ground import looked
from tests.scene import SYSTEM, session_of, user

Things: TypeAlias = Mapping[str, str]
"""By the name that templates have for them."""

ISSUER = "masuk"
"""The name of an issuer whom the settings of these tests trust."""
NIK = "3206134101900001"


async def make_things(staff: Staff) -> Things:
    """The ids of a case, its task and household, files, a request to unmask, accounts and appointments."""
    update_id = await staff.in_verification()
    household = known_household()
    case = await staff.scene.case(update_id)
    people = await _people(staff)
    return {
        "update_id": str(update_id),
        "task_id": str(case.task),
        "tracking_code": case.tracking_code,
        "question_id": await _question(staff, str(case.task)),
        "household_id": str(household.id),
        "version": str(household.version),
        **await _files(staff),
        "request_id": await _request(staff),
        "rights_request_id": await _rights_request(staff),
        **await _draft(staff),
        **await _orders(staff),
        "report_id": str(await looked(staff.scene, update_id)),
        "minutes_id": await _minutes(staff, str(update_id)),
        "round_id": await _round(staff, household.id),
        "evaluation_id": (await staff.done("evaluator", "POST", "/v1/evaluations", EVALUATION))["id"],
        "name": "case_age",
        "period": str(ROUND["period"]),
        "policy_id": str(staff.scene.policy_version_id),
        "kind": "death",
        "code": VILLAGE,
        "area_code": REGENCY,
        "issuer": ISSUER,
        **people,
    }


async def _files(staff: Staff) -> dict[str, str]:
    staff.client.headers.update(staff.signed("operator.taraju"))
    desk = Desk(staff.client)
    try:
        kept = await desk.uploaded(picture())
        paper = {"type": "house_photo", "evidence_id": kept}
        change = {"kind": "circumstances", "circumstances": {"floor": "ceramic"}}
        household = str(known_household(place=1).id)
        case = {"area_code": VILLAGE, "household_id": household, "change": change, "evidence": [paper]}
        await staff.done("operator.taraju", "POST", "/v1/updates", case)
        begun = await desk.begun(1000)
    finally:
        del staff.client.headers["Authorization"]
    return {"evidence_id": kept, "upload_id": begun.rpartition("/")[2]}


async def _request(staff: Staff) -> str:
    wanted = {"purpose": "field_visit", "explanation": "Kunjungan bersama", "area_code": VILLAGE, "rows": 5}
    return (await staff.done("verifikator", "POST", "/v1/unmask-requests", wanted))["id"]


async def _question(staff: Staff, task_id: str) -> str:
    """The officer who verifies the case has asked the civil registry's office."""
    asked = {"office": "civil_registry_office", "question": "Apakah kartu keluarga ini terbit?"}
    return (await staff.done("puskesos.taraju", "POST", f"/v1/tasks/{task_id}/information-requests", asked))["id"]


async def _orders(staff: Staff) -> dict[str, str]:
    """A suspension and an outage of the village."""
    suspended = await staff.done("kabid", "POST", "/v1/suspensions", {"area_code": VILLAGE, **DECREE})
    outage = await staff.done("kabid", "POST", "/v1/outages", {"area_code": VILLAGE, **OUTAGE})
    return {"suspension_id": suspended["id"], "outage_id": outage["id"]}


async def _round(staff: Staff, household_id: UUID) -> str:
    """A round of the regency, in which the village has a work list of one household."""
    round_id = (await staff.done("perencana", "POST", "/v1/rounds", ROUND))["id"]
    listed = [Listed(household_id, (TargetReason.OLD,), 40, staff.clock.at.date())]
    async with staff.scene.worker.transaction(SYSTEM) as connection:
        await keep_list(connection, UUID(round_id), VILLAGE, listed, capacity=Capacity(1, 10, 100), at=staff.clock.at)
    return round_id


async def _minutes(staff: Staff, update_id: str) -> str:
    """Minutes of the village that list the case, which has not come so far."""
    body = await paper(staff.scene, (update_id, "forward"))
    return (await staff.done("kades.taraju", "POST", "/v1/minutes", body))["id"]


async def _rights_request(staff: Staff) -> str:
    asked = {
        "kind": "access",
        "area_code": VILLAGE,
        "nik": next(str(member.nik) for member in known_household().members if member.nik),
        "identified_by": "identity_card",
        "explanation": "Ingin tahu data apa yang disimpan",
    }
    return (await staff.done("kadis", "POST", "/v1/data-subject-requests", asked))["id"]


async def _draft(staff: Staff) -> dict[str, str]:
    """A draft of the regency that is on show, with a comment."""
    made = await staff.done("pengelola", "POST", DRAFTS, {"policy": policy(REGENCY)})
    await staff.done("pengelola", "POST", f"{DRAFTS}/{made['id']}/consultation")
    said = {"revision": 1, "text": "Terlalu cepat untuk desa."}
    comment = await staff.done("operator.taraju", "POST", f"{DRAFTS}/{made['id']}/comments", said)
    return {"draft_id": made["id"], "revision": "1", "comment_id": comment["id"]}


async def _people(staff: Staff) -> dict[str, str]:
    await staff.hire("pengelola", Role.ADMINISTRATOR, REGENCY)
    membership_id = await staff.hire("dikelola", Role.GROUND_CHECKER, VILLAGE)
    await staff.hire("mesin", Role.SERVICE, VILLAGE)
    office = await staff.scene.one("SELECT office_id AS id FROM memberships WHERE id = :id", id=membership_id)
    for name in ("kembar.satu", "kembar.dua"):
        account = {"username": name, "display_name": name, "area_code": VILLAGE, "nik": NIK}
        await staff.done("pengelola", "POST", "/v1/users", account)
    pairs: Any = await staff.read("pengelola", "/v1/account-matches")
    leave = await staff.done("pengelola", "POST", "/v1/delegations", staff.leave(membership_id, None))
    later = (staff.clock.at + timedelta(days=300)).isoformat()
    key = {
        "user_id": str(user("mesin")),
        "area_code": VILLAGE,
        "name": "Mesin",
        "scopes": ["area:stalled:read"],
        "expires_at": later,
    }
    bound = {"issuer": ISSUER, "subject": "s-0"}
    identity: Any = await staff.done("pengelola", "POST", f"/v1/users/{user('dikelola')}/identities", bound)
    return {
        "identity_id": identity["id"],
        "extension": next(iter(ExtensionReason)).value,
        "verdict": next(iter(BulkVerdict)).value,
        "correction": next(iter(CorrectionReason)).value,
        "cause": next(iter(ManualCause)).value,
        "ground": next(iter(HoldGround)).value,
        "user_id": str(user("dikelola")),
        "machine_id": str(user("mesin")),
        "session_id": str(session_of(user("dikelola"))),
        "membership_id": str(membership_id),
        "office_id": str(office.id),
        "match_id": pairs["items"][0]["id"],
        "delegation_id": leave["id"],
        "key_id": (await staff.done("pengelola", "POST", "/v1/api-keys", key))["key"]["id"],
    }
