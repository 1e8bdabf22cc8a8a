from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from api.problems import KINDS
from devstack.postgres import PostgresServer
from tests.api.conftest import Office, opened, settings_for
from tests.api.proposals import new_household
from tests.scene import SYSTEM, Scene

pytestmark = pytest.mark.embedded

NIK = "3206130904820072"


async def test_a_problem_says_what_is_wrong_and_what_to_do(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    response = await desk.get("/v1/nothing-here")
    problem = response.json()
    assert (response.status_code, response.headers["Content-Type"]) == (404, "application/problem+json")
    assert problem["type"] == "/problems/not_found"
    assert problem["instance"] == f"urn:uuid:{response.headers['X-Request-Id']}"
    assert problem["remedy"]


async def test_a_code_is_explained_at_the_address_of_its_type(office: Office) -> None:
    visitor = await office.visitor()
    for code, kind in KINDS.items():
        explained = (await visitor.get(f"/problems/{code}")).json()
        assert (explained["code"], explained["status"]) == (code, kind.status)
    assert (await visitor.get("/problems/other")).status_code == 404


async def test_the_clients_own_request_id_is_kept_when_it_is_one(office: Office) -> None:
    visitor = await office.visitor()
    own = "01890a5d-ac96-774b-bcce-b302099a8057"
    assert (await visitor.get("/v1/me", headers={"X-Request-Id": own})).headers["X-Request-Id"] == own
    assert (await visitor.get("/v1/me", headers={"X-Request-Id": "a\tb"})).headers["X-Request-Id"] != "a\tb"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b'{"area_code": ', "application/json", 400, "malformed_json"),
        (b"\xff\xfe\x00", "application/json", 400, "malformed_json"),
        (b"[" * 200_000, "application/json", 400, "malformed_json"),
        (b"null", "application/json", 422, "invalid_input"),
        (b"[]", "application/json", 422, "invalid_input"),
        (b"", "application/json", 422, "invalid_input"),
        (b"<household/>", "application/xml", 415, "unsupported_media_type"),
        (b"{}", "text/plain", 415, "unsupported_media_type"),
    ],
    ids=["broken", "not-unicode", "deep", "null", "list", "empty", "xml", "text"],
)
async def test_what_is_no_json_object_is_refused(
    office: Office,
    body: bytes,
    content_type: str,
    status: int,
    code: str,
) -> None:
    desk = await office.desk_of("operator.taraju")
    headers = {"Content-Type": content_type, "Idempotency-Key": "k"}
    response = await desk.post("/v1/updates", content=body, headers=headers)
    assert (response.status_code, response.json()["code"]) == (status, code), response.text


async def test_a_form_that_cannot_be_read_is_refused(office: Office) -> None:
    visitor = await office.visitor()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    broken = await visitor.post(
        "/v1/auth/token", content=b"username=%ED%A0%80&password=%FF&grant_type=x", headers=headers
    )
    assert broken.status_code == 400
    assert broken.headers["Content-Type"] == "application/problem+json"
    empty = await visitor.post("/v1/auth/token", content=b"", headers=headers)
    assert (empty.status_code, empty.json()["code"]) == (400, "invalid_request")


async def test_a_method_that_is_not_offered_is_refused(office: Office) -> None:
    response = await (await office.visitor()).get("/v1/callbacks/ministry")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response.headers["Allow"] == "OPTIONS, POST"


async def test_ten_megabytes_are_refused_before_they_are_read(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(160):
            read += 65_536
            yield b" " * 65_536

    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    announced = headers | {"Content-Length": "10485760"}
    response = await desk.post("/v1/updates", content=body(), headers=announced)
    assert (response.status_code, response.json()["code"], read) == (413, "body_too_large", 0)
    unannounced = await desk.post("/v1/updates", content=body(), headers=headers)
    assert (unannounced.status_code, unannounced.json()["code"]) == (413, "body_too_large")
    assert read < 2 * 1024 * 1024


async def test_no_problem_repeats_what_was_sent(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    body = new_household()
    body["change"]["members"][0] |= {"sex": NIK, "birth_date": NIK, "relation": NIK, NIK: 1}
    body["area_code"] = NIK
    headers = {"Idempotency-Key": "k"}
    refused = await desk.post("/v1/updates", json=body, headers=headers)
    assert refused.status_code == 422
    for response in (
        refused,
        await desk.post("/v1/updates", content=json.dumps({"nik": NIK})[:-1], headers=headers),
        await desk.post(f"/v1/tasks/{NIK}/decision", json={"outcome": NIK, NIK: NIK}),
        await desk.get(f"/v1/policies?area_code={NIK}&cursor={NIK}&{NIK}=1"),
        await desk.get(f"/public/track/{NIK}"),
        await desk.get(f"/{NIK}"),
    ):
        assert response.status_code in {400, 404, 415, 422}, response.text
        assert NIK not in response.text


async def test_every_answer_carries_the_security_headers(office: Office) -> None:
    visitor = await office.visitor()
    for path in ("/v1/me", "/openapi.json", "/nothing-here"):
        headers = (await visitor.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert (
        "script-src https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/"
        in (await visitor.get("/docs")).headers["Content-Security-Policy"]
    )


async def test_a_defect_is_answered_without_its_inside(office: Office) -> None:
    @office.app.get("/broken")
    async def broken() -> None:
        raise KeyError(f"nik {NIK}")

    response = await (await office.visitor()).get("/broken")
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "KeyError" not in response.text
    assert NIK not in response.text
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_api_starts_without_a_database_and_says_so(scene: Scene, postgres_server: PostgresServer) -> None:
    settings = settings_for(scene)
    gone = scene.urls.app.replace(f":{postgres_server.port}/", ":9/")
    without = settings.model_copy(update={"database_app_url": type(settings.database_app_url)(gone)})
    async with opened(scene, without) as office:
        response = await (await office.desk_of("operator.taraju")).get("/v1/me")
    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
    assert int(response.headers["Retry-After"]) > 0


async def test_a_connection_that_was_cut_is_an_outage_and_the_next_request_works(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    assert (await desk.get("/v1/me")).status_code == 200
    async with office.scene.app.transaction(SYSTEM) as connection:
        await connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kawal-api'"),
        )
    statuses = [(await desk.get("/v1/me")).status_code for _ in range(3)]
    assert statuses[-1] == 200
    assert set(statuses) <= {200, 503}


async def test_the_document_describes_problems_with_their_media_type(office: Office) -> None:
    document = (await (await office.visitor()).get("/openapi.json")).json()
    answers = document["paths"]["/v1/updates"]["post"]["responses"]
    assert set(answers["422"]["content"]) == {"application/problem+json"}
    assert "Problem" in document["components"]["schemas"]
    assert document["components"]["securitySchemes"]["OAuth2PasswordBearer"]["flows"]["password"]["tokenUrl"]
