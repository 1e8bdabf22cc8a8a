"""Health, readiness and metrics."""

from __future__ import annotations

import httpx2
from asgi_lifespan import LifespanManager

from api.app import create_app
from db.session import Database
from devstack.postgres import PostgresServer
from domain.contracts import LiveCase
from runtime.engine import Engine, connect
from services.kawal import Kawal
from tests.api.conftest import NOBODY_LISTENS, settings_for
from tests.api.reads.casebook import Casebook
from tests.scene import VAULT, Scene, no_room

GONE = f"postgresql+asyncpg://kawal_app:x@{NOBODY_LISTENS}/gone"


async def test_without_the_engine_the_service_is_degraded_and_ready(book: Casebook) -> None:
    answer = await book.client.get("/readyz")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["status"], told["engine"]["reachable"]) == ("degraded", False)
    assert told["database"]["reachable"] is True
    assert told["database"]["revision"] == told["database"]["newest"] is not None


async def test_a_database_that_was_never_migrated_is_not_ready(postgres_server: PostgresServer, scene: Scene) -> None:
    urls = await postgres_server.create_database("bare")
    told = await _ask(scene, Database(urls.app, application="test"), "/readyz")
    assert (told.status_code, told.json()["status"]) == (503, "not_ready")
    assert (told.json()["database"]["reachable"], told.json()["database"]["revision"]) == (True, None)
    await postgres_server.drop_database("bare")


async def test_without_postgresql_the_process_lives_and_is_not_ready(scene: Scene) -> None:
    gone = Database(GONE, application="test")
    assert (await _ask(scene, gone, "/healthz")).json() == {"status": "ok"}
    ready = await _ask(scene, gone, "/readyz")
    assert (ready.status_code, ready.json()["status"]) == (503, "not_ready")
    assert ready.json()["database"]["reachable"] is False
    metrics = await _ask(scene, gone, "/metrics")
    assert metrics.status_code == 200
    assert "kawal_database_up 0.0" in metrics.text


async def _ask(scene: Scene, database: Database, path: str) -> httpx2.Response:
    settings = settings_for(scene)
    engine = Engine(await connect(settings), queue_prefix="kawal")
    app = create_app(
        settings, kawal=Kawal(database=database, vault=VAULT, rules=scene.rules, engine=engine, evidence=no_room())
    )
    transport = httpx2.ASGITransport(app)
    async with LifespanManager(app), httpx2.AsyncClient(transport=transport, base_url="http://kawal.test") as client:
        answer = await client.get(path)
    await database.close()
    return answer


async def test_metrics_count_requests_by_route_and_name_nobody(book: Casebook) -> None:
    update_id = await book.in_verification()
    await book.read("operator.taraju", f"/v1/updates/{update_id}")
    await book.get("operator.cikubang", f"/v1/updates/{update_id}")
    await book.client.get("/v1/nowhere/3206130904820072")
    text = (await book.client.get("/metrics")).text
    route = 'route="/v1/updates/{update_id}"'
    assert f'kawal_http_requests_total{{method="GET",{route},status="200"}} 1.0' in text
    assert f'kawal_http_requests_total{{method="GET",{route},status="404"}} 1.0' in text
    assert 'kawal_http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in text
    assert f'kawal_http_request_seconds_count{{method="GET",{route}}} 2.0' in text
    assert str(update_id) not in text
    assert "3206130904820072" not in text


async def test_the_backlog_is_measured_over_all_areas(book: Casebook) -> None:
    await book.submit()
    await book.let_lapse(await book.in_verification(by="operator.cikubang", area_code="32.06.13.2002"))
    text = (await book.client.get("/metrics")).text
    assert 'kawal_open_cases{status="received"} 1.0' in text
    assert 'kawal_open_cases{status="in_verification"} 1.0' in text
    assert 'kawal_open_cases{status="in_approval"} 0.0' in text
    assert "kawal_lapsed_cases 0.0" in text
    assert 'kawal_overdue_tasks{stage="verification"} 1.0' in text
    assert "kawal_outbox_pending 1.0" in text, "the case that was opened has plainly been started"
    assert "kawal_database_up 1.0" in text


async def test_the_backlog_is_not_asked_again_at_every_scrape(book: Casebook) -> None:
    first = (await book.client.get("/metrics")).text
    assert 'kawal_open_cases{status="received"} 0.0' in first
    await book.submit()
    second = (await book.client.get("/metrics")).text
    assert 'kawal_open_cases{status="received"} 0.0' in second


async def test_the_document_describes_every_answer(book: Casebook) -> None:
    document = (await book.client.get("/openapi.json")).json()
    listed = document["paths"]["/v1/updates"]["get"]
    assert {parameter["name"] for parameter in listed["parameters"]} >= {"status", "holder", "q", "cursor", "limit"}
    summary = document["components"]["schemas"]["CaseSummary"]["properties"]
    assert summary["level"]["description"]
    assert LiveCase.__name__ in document["components"]["schemas"]
