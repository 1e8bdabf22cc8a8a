"""How each endpoint would be asked, and what of it belongs to an area: one entry an endpoint, and none may be missing.

`test_matrix.py` compares the list with the application and sends each request in every role. Ids in braces stand for
those of one case, household, file, draft, account and appointment of one village (`things.py`).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from domain.authority import NATION, Permission
from tests.api.policies.chamber import policy

REGENCY: Final = "32.06"
VILLAGE: Final = "32.06.13.2001"
LATER: Final = "2099-01-01T00:00:00+07:00"


class Of(Enum):
    """To whom the answer belongs."""

    AREA = "a thing of the area: elsewhere it is not there"
    ROWS = "rows of the area: elsewhere the list is without them"
    SELF = "the caller's own, and theirs who look after it: for anybody else it is not there"
    ALL = "the same for everybody who may ask"


@dataclass(frozen=True, slots=True)
class Step:
    """A request that reaches the thing: of a right form, so that whoever may see the thing is answered about it."""

    of: Of
    body: Mapping[str, Any] | None = None
    form: Mapping[str, str] | None = None
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    looked_after: Permission | None = None
    over: str = VILLAGE
    """The area whose thing it is."""
    below: bool = False
    """Whether it is shown to everybody within that area, and not only to those with a seat over all of it."""
    once: bool = False
    """Whether it is not there any more after it was reached."""


_TUS: Final = {"Tus-Resumable": "1.0.0"}
_BYTES: Final = {**_TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
_KEYED: Final = {"Idempotency-Key": "{key}"}
_CLEAR: Final = {"purpose": "field_visit", "explanation": "Kunjungan rumah bersama pendamping"}
_CHANGE: Final = {"kind": "circumstances", "circumstances": {"floor": "ceramic"}}
DECREE: Final = {"number": "360/12/2026", "from": "2026-11-01T00:00:00+07:00", "reason": "landslide"}
_CLOSED: Final = {"day": "2026-12-28", "name": "Hari jadi", "category": "local_closing", "source": "SK Bupati 7/2026"}
_WINDOW: Final = {"opens": "2027-03-01", "closes": "2027-03-12"}
_DAYS: Final = {
    "opens": "2027-03-01",
    "input_window": _WINDOW,
    "musdes_window": _WINDOW,
    "cut_off": "2027-03-16",
    "publishes": "2027-03-23",
}
EVALUATION: Final = {"area_code": REGENCY, "begins": "2026-01-01", "ends": "2026-01-31"}
ROUND: Final = {"area_code": REGENCY, "period": "2027-03", **_DAYS}
OUTAGE: Final = {
    "number": "BA-7",
    "part": "network",
    "from": "2026-11-01T00:00:00+07:00",
    "until": "2026-11-02T00:00:00+07:00",
}
_WHY: Final = {"note": "Menunggu peraturan baru"}
_RULES: Final = policy(REGENCY)
_FOUND: Final = {
    "outcome": "refused",
    "note": "Tidak bersedia didata",
    "coordinates": {"latitude": -7.46, "longitude": 107.99, "accuracy_m": 8},
    "seen_at": "2026-01-05T09:00:00+07:00",
}
_PAPER: Final = [{"type": "house_photo", "reference": "foto-17"}]


def _told(**values: str) -> dict[str, str]:
    pairs = (f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())
    return {"Upload-Metadata": ",".join(pairs)}


WALK: Final[Mapping[str, Step]] = {
    "POST /codec/decode": Step(Of.AREA, {"payloads": []}, over=NATION),
    # Cases
    "GET /v1/updates": Step(Of.ROWS),
    "POST /v1/updates": Step(
        Of.AREA,
        {"area_code": VILLAGE, "household_id": "{household_id}", "change": _CHANGE, "evidence": _PAPER},
        headers=_KEYED,
    ),
    "GET /v1/updates/{update_id}": Step(Of.AREA),
    "GET /v1/updates/{update_id}/timeline": Step(Of.AREA),
    "GET /v1/updates/{update_id}/diff": Step(Of.AREA),
    "GET /v1/updates/{update_id}/audit": Step(Of.AREA),
    "GET /v1/updates/{update_id}/live": Step(Of.AREA),
    "GET /v1/updates/{update_id}/evidence": Step(Of.AREA),
    "POST /v1/updates/{update_id}/resubmission": Step(Of.AREA, {"change": _CHANGE, "evidence": _PAPER}),
    "POST /v1/updates/{update_id}/withdrawal": Step(Of.AREA, {"note": "Atas permintaan keluarga"}),
    "POST /v1/updates/{update_id}/unmask": Step(Of.AREA, _CLEAR),
    "POST /v1/updates/{update_id}/correction": Step(Of.AREA, {"to": "verification", "reason": "{correction}"}),
    "GET /v1/updates/{update_id}/comments": Step(Of.AREA),
    "POST /v1/updates/{update_id}/appeal": Step(
        Of.AREA, {"ground": "facts_wrong", "text": "Kendaraan itu bukan miliknya"}, headers=_KEYED
    ),
    "POST /v1/updates/{update_id}/opinion": Step(Of.AREA, {"advises": "forward", "text": "Warga memang miskin"}),
    "POST /v1/updates/{update_id}/document-wait": Step(
        Of.AREA,
        {"document": "kk", "office": "civil_registry_office", "reason": "being_issued"},
        headers=_KEYED,
    ),
    "POST /v1/updates/{update_id}/reopening": Step(
        Of.AREA, {"reason": "not_reached", "text": "Keluarga baru mendengar kemarin"}, headers=_KEYED
    ),
    "POST /v1/updates/{update_id}/document-wait/end": Step(Of.AREA, {}, headers=_KEYED),
    "POST /v1/updates/{update_id}/comments": Step(Of.AREA, {"text": "Rumahnya sudah dilihat"}, headers=_KEYED),
    "GET /v1/updates/{update_id}/holds": Step(Of.AREA),
    "POST /v1/updates/{update_id}/hold": Step(
        Of.AREA, {"ground": "{ground}", "explanation": "Perkara di pengadilan"}, headers=_KEYED
    ),
    "POST /v1/updates/{update_id}/hold/lift": Step(Of.AREA, {"explanation": "Perkara selesai"}, headers=_KEYED),
    # Tasks
    "GET /v1/tasks": Step(Of.ROWS),
    "GET /v1/tasks/{task_id}": Step(Of.AREA),
    "POST /v1/tasks/{task_id}/decision": Step(Of.AREA, {"outcome": "forward"}),
    "POST /v1/tasks/{task_id}/claim": Step(Of.AREA),
    "POST /v1/tasks/{task_id}/release": Step(Of.AREA),
    "GET /v1/tasks/{task_id}/assignable": Step(Of.AREA),
    "POST /v1/tasks/{task_id}/reassign": Step(Of.AREA, {"to": "{user_id}"}),
    "POST /v1/tasks/{task_id}/extend": Step(Of.AREA, {"working_days": 1, "reason": "{extension}"}),
    "POST /v1/tasks/{task_id}/escalation": Step(Of.AREA, {"reason": "{cause}"}),
    "POST /v1/tasks/{task_id}/information-requests": Step(
        Of.AREA, {"office": "school", "question": "Apakah anak ini masih bersekolah?"}, headers=_KEYED
    ),
    "GET /v1/information-requests": Step(Of.ROWS),
    "POST /v1/information-requests/{question_id}/answer": Step(
        Of.AREA, {"text": "Masih", "letter": {"type": "correction_letter", "reference": "421/7"}}, headers=_KEYED
    ),
    "POST /v1/information-requests/{question_id}/withdrawal": Step(Of.AREA, {}, headers=_KEYED),
    "POST /v1/tasks/{task_id}/ground-check": Step(Of.AREA, {"reason": "facts_doubted"}),
    "POST /v1/tasks/{task_id}/ground-check-report": Step(Of.AREA, _FOUND),
    "POST /v1/updates/{update_id}/ground-reports/{report_id}/correction": Step(Of.AREA, _FOUND, headers=_KEYED),
    "GET /v1/stalled": Step(Of.ROWS, query="share=0"),
    "GET /v1/notifications": Step(Of.ROWS),
    # Minutes
    "GET /v1/minutes": Step(Of.ROWS),
    "POST /v1/minutes": Step(
        Of.AREA,
        {
            "area_code": VILLAGE,
            "type": "musdes",
            "number": "1/BA",
            "held_on": "2026-01-05",
            "place": "Balai Desa",
            "attendance": [{"group": "families", "present": 9, "women": 4}],
            "signed_by": [{"role": "village_head", "name": "Kepala Desa"}],
            "cases": [{"update_id": "{update_id}", "outcome": "forward"}],
        },
        headers=_KEYED,
    ),
    "GET /v1/minutes/{minutes_id}": Step(Of.AREA),
    "GET /v1/minutes/form": Step(Of.AREA, query=f"area={VILLAGE}"),
    "GET /v1/minutes/{minutes_id}/print": Step(Of.AREA),
    # Households
    "GET /v1/households": Step(Of.ROWS),
    "GET /v1/households/{household_id}": Step(Of.AREA),
    "GET /v1/households/{household_id}/versions": Step(Of.AREA),
    "GET /v1/households/{household_id}/versions/{version}": Step(Of.AREA),
    "POST /v1/households/{household_id}/unmask": Step(Of.AREA, _CLEAR),
    # Clear values
    "GET /v1/read-log": Step(Of.ROWS),
    "GET /v1/coaching": Step(Of.ROWS),
    "GET /v1/research/event-log": Step(
        Of.AREA, query=f"area={VILLAGE}&since=2026-01-01T00:00:00Z&until=2099-01-01T00:00:00Z"
    ),
    "GET /v1/unmask-requests": Step(Of.ROWS),
    "POST /v1/unmask-requests": Step(Of.AREA, {**_CLEAR, "area_code": VILLAGE, "rows": 5}, headers=_KEYED),
    "GET /v1/unmask-requests/{request_id}": Step(Of.AREA),
    "POST /v1/unmask-requests/{request_id}/answer": Step(Of.AREA, {"verdict": "{verdict}", **_WHY}),
    "POST /v1/unmask-requests/{request_id}/rows": Step(Of.AREA, {"limit": 1}),
    # Evidence
    "OPTIONS /v1/evidence/uploads": Step(Of.ALL),
    "GET /v1/evidence/uploads": Step(Of.ROWS),
    "POST /v1/evidence/uploads": Step(
        Of.AREA,
        headers={**_TUS, "Upload-Length": "10", **_told(area_code=VILLAGE, type="house_photo")},
    ),
    "GET /v1/evidence/uploads/{upload_id}": Step(Of.SELF),
    "HEAD /v1/evidence/uploads/{upload_id}": Step(Of.SELF, headers=_TUS),
    "PATCH /v1/evidence/uploads/{upload_id}": Step(Of.SELF, headers=_BYTES),
    "POST /v1/evidence/uploads/{upload_id}": Step(Of.SELF, headers={**_BYTES, "X-HTTP-Method-Override": "PATCH"}),
    "DELETE /v1/evidence/uploads/{upload_id}": Step(Of.SELF, headers=_TUS),
    "GET /v1/evidence/{evidence_id}": Step(Of.AREA),
    "GET /v1/evidence/{evidence_id}/thumbnail": Step(Of.AREA),
    # What everybody may look up
    "GET /v1/areas": Step(Of.ALL),
    "GET /v1/areas/{code}": Step(Of.ALL),
    "POST /v1/areas/{code}/reference-point": Step(
        Of.AREA, {"latitude": -7.46, "longitude": 107.99, "source": "Kantor desa"}, headers=_KEYED
    ),
    "GET /v1/kinds": Step(Of.ALL),
    "GET /v1/kinds/{kind}/schema": Step(Of.ALL),
    "GET /v1/offices": Step(Of.ALL),
    "GET /v1/offices/{office_id}": Step(Of.ALL),
    "POST /v1/deadlines/preview": Step(Of.AREA, {"area_code": VILLAGE, "duration": {"working_days": 3}}),
    # Clocks
    "GET /public/areas/{code}": Step(Of.ALL),
    "GET /v1/suspensions": Step(Of.ROWS),
    "POST /v1/suspensions": Step(Of.AREA, {"area_code": VILLAGE, **DECREE}, headers=_KEYED),
    "GET /v1/suspensions/{order_id}": Step(Of.AREA),
    "POST /v1/suspensions/{order_id}/correction": Step(Of.AREA, DECREE, headers=_KEYED),
    "POST /v1/suspensions/{order_id}/lift": Step(Of.AREA, {}, headers=_KEYED),
    "GET /v1/outages": Step(Of.ROWS),
    "POST /v1/outages": Step(Of.AREA, {"area_code": VILLAGE, **OUTAGE}, headers=_KEYED),
    "GET /v1/outages/{order_id}": Step(Of.AREA),
    "POST /v1/outages/{order_id}/correction": Step(Of.AREA, OUTAGE, headers=_KEYED),
    "POST /v1/outages/{order_id}/lift": Step(Of.AREA, {}, headers=_KEYED),
    "GET /v1/calendars/{area_code}": Step(Of.ALL),
    "GET /v1/calendars/{area_code}/versions": Step(Of.ALL),
    "POST /v1/calendars/{area_code}/versions": Step(Of.AREA, {"closed": [_CLOSED]}, headers=_KEYED, over=REGENCY),
    # Rounds
    "GET /public/rounds/{area_code}/{period}": Step(Of.ALL),
    "GET /v1/rounds": Step(Of.ROWS, over=REGENCY, below=True),
    "POST /v1/rounds": Step(Of.AREA, ROUND, headers=_KEYED, over=REGENCY),
    "GET /v1/rounds/{round_id}": Step(Of.ALL),
    "GET /v1/rounds/{round_id}/villages": Step(Of.ROWS),
    "GET /v1/rounds/{round_id}/villages/{code}": Step(Of.AREA),
    "GET /v1/rounds/{round_id}/villages/{code}/targets": Step(Of.AREA),
    "POST /v1/rounds/{round_id}/villages/{code}/moves": Step(
        Of.AREA, {"household_id": "{household_id}", "to": 1, "reason": "one_visit"}, headers=_KEYED
    ),
    "POST /v1/rounds/{round_id}/villages/{code}/signoffs": Step(
        Of.AREA, {"act": "propose", "target": 1, "musdes_on": "2027-03-10"}, headers=_KEYED
    ),
    "POST /v1/rounds/{round_id}/rescheduling": Step(
        Of.AREA, {**_DAYS, "publishes": "2027-03-24", "reason": "disaster"}, headers=_KEYED, over=REGENCY
    ),
    "POST /v1/rounds/{round_id}/closing": Step(Of.AREA, {}, headers=_KEYED, over=REGENCY),
    # Evaluations
    "GET /v1/evaluations": Step(Of.ROWS, over=REGENCY, below=True),
    "POST /v1/evaluations": Step(Of.AREA, EVALUATION, headers=_KEYED, over=REGENCY),
    "GET /v1/evaluations/{evaluation_id}": Step(Of.AREA, over=REGENCY, below=True),
    "GET /v1/evaluations/{evaluation_id}/numbers.csv": Step(Of.AREA, over=REGENCY, below=True),
    "GET /v1/evaluations/{evaluation_id}/indicators/{name}/cases": Step(Of.AREA, over=REGENCY, below=True),
    # Policies
    "GET /v1/policies": Step(Of.ALL),
    "GET /v1/policies/in-force": Step(Of.ALL, query=f"area_code={VILLAGE}"),
    "GET /v1/policies/{policy_id}": Step(Of.ALL),
    "GET /v1/policies/{policy_id}/diff": Step(Of.ALL, query="with={policy_id}"),
    "POST /v1/policies/{policy_id}/revocation": Step(Of.AREA, _WHY, headers=_KEYED, over=NATION),
    "GET /v1/policies/drafts": Step(Of.ROWS, over=REGENCY, below=True),
    "POST /v1/policies/drafts": Step(Of.AREA, {"policy": _RULES}, headers=_KEYED, over=REGENCY),
    "GET /v1/policies/drafts/{draft_id}": Step(Of.AREA, over=REGENCY, below=True),
    "GET /v1/policies/drafts/{draft_id}/diff": Step(Of.AREA, over=REGENCY, below=True),
    "GET /v1/policies/drafts/{draft_id}/revisions/{revision}": Step(Of.AREA, over=REGENCY, below=True),
    "POST /v1/policies/drafts/{draft_id}/revisions": Step(
        Of.AREA, {"policy": _RULES}, headers={**_KEYED, "If-Match": "*"}, over=REGENCY
    ),
    "POST /v1/policies/drafts/{draft_id}/consultation": Step(Of.AREA, over=REGENCY),
    "POST /v1/policies/drafts/{draft_id}/withdrawal": Step(Of.AREA, _WHY, over=REGENCY),
    "GET /v1/policies/drafts/{draft_id}/comments": Step(Of.AREA, over=REGENCY, below=True),
    "POST /v1/policies/drafts/{draft_id}/comments": Step(
        Of.AREA, {"revision": 1, "text": "Terlalu cepat untuk desa"}, headers=_KEYED, over=REGENCY, below=True
    ),
    "POST /v1/policies/drafts/{draft_id}/comments/{comment_id}/answer": Step(
        Of.AREA, {"verdict": "noted", "reason": "Akan dibahas"}, headers=_KEYED, over=REGENCY
    ),
    "POST /v1/policies/drafts/{draft_id}/publication": Step(Of.AREA, headers={**_KEYED, "If-Match": "*"}, over=REGENCY),
    "POST /v1/policies/drafts/{draft_id}/emergency": Step(
        Of.AREA, {"reason": "disaster", **_WHY}, headers={**_KEYED, "If-Match": "*"}, over=REGENCY
    ),
    # People
    "GET /v1/users": Step(Of.ROWS),
    "POST /v1/users": Step(
        Of.AREA, {"username": "baru.{number}", "display_name": "Baru", "area_code": VILLAGE}, headers=_KEYED
    ),
    "GET /v1/users/{user_id}": Step(Of.AREA),
    "PATCH /v1/users/{user_id}": Step(Of.AREA, {"display_name": "Nama Lain"}),
    "PUT /v1/users/{user_id}/password": Step(Of.AREA, {"password": "kata-sandi-yang-baru"}),
    "GET /v1/users/{user_id}/identities": Step(Of.AREA),
    "POST /v1/users/{user_id}/identities": Step(
        Of.AREA, {"issuer": "{issuer}", "subject": "s-{number}"}, headers=_KEYED
    ),
    "DELETE /v1/users/{user_id}/identities/{identity_id}": Step(Of.AREA, once=True),
    "POST /v1/users/{user_id}/handover": Step(Of.AREA, {"disable": False}, headers=_KEYED),
    "GET /v1/memberships": Step(Of.ROWS),
    "POST /v1/memberships": Step(
        Of.AREA,
        {"user_id": "{user_id}", "role": "village_council", "office_id": "{office_id}", "area_code": VILLAGE},
        headers=_KEYED,
    ),
    "GET /v1/memberships/{membership_id}": Step(Of.AREA),
    "PATCH /v1/memberships/{membership_id}": Step(Of.AREA, {"valid_to": LATER}),
    "POST /v1/memberships/{membership_id}/end": Step(Of.AREA),
    "POST /v1/offices": Step(Of.AREA, {"name": "Kantor baru", "area_code": VILLAGE}, headers=_KEYED),
    "PATCH /v1/offices/{office_id}": Step(Of.AREA, {"name": "Kantor lain"}),
    "GET /v1/api-keys": Step(Of.ROWS),
    "POST /v1/api-keys": Step(
        Of.AREA,
        {
            "user_id": "{machine_id}",
            "area_code": VILLAGE,
            "name": "Mesin",
            "scopes": ["area:stalled:read"],
            "expires_at": "{soon}",
        },
        headers=_KEYED,
    ),
    "GET /v1/api-keys/{key_id}": Step(Of.AREA),
    "POST /v1/api-keys/{key_id}/rotation": Step(Of.AREA, {}, headers=_KEYED),
    "DELETE /v1/api-keys/{key_id}": Step(Of.AREA),
    "GET /v1/account-matches": Step(Of.ROWS),
    "GET /v1/account-matches/{match_id}": Step(Of.AREA),
    "PUT /v1/account-matches/{match_id}/verdict": Step(Of.AREA, {"verdict": "different_people"}),
    "GET /v1/delegations": Step(Of.ROWS),
    "POST /v1/delegations": Step(
        Of.SELF,
        {"membership_id": "{membership_id}", "valid_to": LATER, "reason": "annual_leave"},
        headers=_KEYED,
        looked_after=Permission.DELEGATIONS_MANAGE,
    ),
    "GET /v1/delegations/candidates": Step(
        Of.SELF, query="membership_id={membership_id}&q=ka", looked_after=Permission.DELEGATIONS_MANAGE
    ),
    "GET /v1/delegations/{delegation_id}": Step(Of.SELF, looked_after=Permission.DELEGATIONS_MANAGE),
    "POST /v1/delegations/{delegation_id}/revocation": Step(Of.SELF, looked_after=Permission.DELEGATIONS_MANAGE),
    # What a person may ask for
    "GET /v1/data-subject-requests": Step(Of.ROWS),
    "POST /v1/data-subject-requests": Step(
        Of.AREA,
        {
            "kind": "access",
            "area_code": VILLAGE,
            "nik": "3206131708900009",
            "identified_by": "identity_card",
            "explanation": "Ingin tahu data apa yang disimpan",
        },
        headers=_KEYED,
    ),
    "GET /v1/data-subject-requests/{request_id}": Step(Of.AREA),
    "POST /v1/data-subject-requests/{request_id}/answer": Step(
        Of.AREA, {"reason": "processing_stopped"}, headers=_KEYED
    ),
    "GET /v1/data-subject-requests/{request_id}/export": Step(Of.AREA),
    "GET /v1/data-subject-requests/{request_id}/export/page": Step(Of.AREA),
    # One's own account
    "GET /v1/me": Step(Of.ALL),
    "GET /v1/auth/sessions": Step(Of.ALL),
    "DELETE /v1/auth/sessions/{session_id}": Step(Of.SELF),
    "DELETE /v1/auth/sessions": Step(Of.ALL),
    # Everybody
    "POST /v1/auth/token": Step(Of.ALL, form={"grant_type": "refresh_token", "refresh_token": "unknown"}),
    "POST /v1/auth/revoke": Step(Of.ALL, form={"token": "krt_unknown"}),
    "POST /v1/auth/browser": Step(
        Of.ALL, {"username": "nobody", "password": "unknown"}, headers={"Sec-Fetch-Site": "cross-site"}
    ),
    "DELETE /v1/auth/browser": Step(Of.ALL, headers={"Sec-Fetch-Site": "cross-site"}),
    "GET /v1/auth/oidc": Step(Of.ALL),
    "GET /v1/auth/oidc/{issuer}/login": Step(Of.ALL),
    "GET /v1/auth/oidc/{issuer}/callback": Step(Of.ALL),
    "POST /v1/callbacks/ministry": Step(Of.ALL, {"type": "proposal.answered"}),
    "GET /public/track/{code}": Step(Of.ALL),
    "GET /problems/{code}": Step(Of.ALL),
    "GET /healthz": Step(Of.ALL),
    "GET /readyz": Step(Of.ALL),
    "GET /metrics": Step(Of.ALL),
}
"""Every endpoint. The last of one's own account signs out, so it is asked last."""
