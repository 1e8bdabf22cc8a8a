from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from pydantic import ValidationError

from devstack.partners.faults import FaultSettings, next_fault
from devstack.partners.serve import serving
from domain.errors import PartnerUnavailable
from domain.vocabulary import MatchResult
from runtime.connectors.civil_registry import CivilRegistryClient, PersonQuery
from runtime.connectors.http import PartnerContractError
from runtime.connectors.ministry import MinistryClient
from tests.partners.conftest import SITI, TOKEN, Admin, proposal, query, registry_partner

PASSING_FAULTS = [
    ({"error_rate": 1}, "status_503"),
    ({"error_rate": 1, "status": 500}, "status_500"),
    ({"error_rate": 1, "status": 408}, "status_408"),
    ({"rate_limited": True}, "status_429"),
    ({"timeout_rate": 1}, "timeout"),
    ({"latency_ms": 5000}, "timeout"),
    ({"wrong_answer_rate": 1}, "undecodable"),
    ({"drop_connection_rate": 1}, "connection_lost"),
    ({"lose_answer_rate": 1}, "connection_lost"),
    ({"down_for_seconds": 60}, "connection_lost"),
    ({"down_until": "2999-01-01T00:00:00Z"}, "connection_lost"),
]


@pytest.mark.parametrize(("faults", "cause"), PASSING_FAULTS)
async def test_passing_fault_of_the_registry_is_unavailability_and_never_a_mismatch(
    registry: CivilRegistryClient,
    registry_admin: Admin,
    faults: dict[str, Any],
    cause: str,
) -> None:
    await registry_admin("PUT", "/faults", faults)
    with pytest.raises(PartnerUnavailable) as caught:
        await registry.match(query())
    assert caught.value.data["cause"] == cause
    assert caught.value.data["partner"] == "civil_registry"
    committed = (await registry_admin("GET", "/faults"))["committed"]
    assert sum(committed.values()) == (0 if "latency_ms" in faults else 1)

    await registry_admin("DELETE", "/faults")
    assert (await registry.match(query())).result is MatchResult.MATCHED


@pytest.mark.parametrize(("faults", "cause"), PASSING_FAULTS)
async def test_passing_fault_of_the_ministry_is_unavailability(
    gateway: MinistryClient,
    ministry_admin: Admin,
    faults: dict[str, Any],
    cause: str,
) -> None:
    await ministry_admin("PUT", "/faults", faults)
    with pytest.raises(PartnerUnavailable) as caught:
        await gateway.push(proposal(), idempotency_key=f"fault-{cause}")
    assert caught.value.data["cause"] == cause


async def test_server_that_is_not_there_is_unavailable() -> None:
    async with serving(registry_partner()) as url:
        pass
    client = CivilRegistryClient(url, TOKEN)
    with pytest.raises(PartnerUnavailable) as caught:
        await client.match(query())
    await client.aclose()
    assert caught.value.data["cause"] == "no_connection"


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
async def test_refusal_of_the_request_is_a_contract_error(
    registry: CivilRegistryClient,
    registry_admin: Admin,
    status: int,
) -> None:
    await registry_admin("PUT", "/faults", {"error_rate": 1, "status": status})
    with pytest.raises(PartnerContractError) as caught:
        await registry.match(query())
    assert caught.value.status == status


async def test_rate_limit_says_when_to_come_again(registry: CivilRegistryClient, registry_admin: Admin) -> None:
    await registry_admin("PUT", "/faults", {"rate_limited": True, "retry_after": 7})
    with pytest.raises(PartnerUnavailable) as caught:
        await registry.match(query())
    assert caught.value.data["retry_after"] == 7


async def test_error_without_retry_after_names_no_wait(registry: CivilRegistryClient, registry_admin: Admin) -> None:
    await registry_admin("PUT", "/faults", {"error_rate": 1})
    with pytest.raises(PartnerUnavailable) as caught:
        await registry.match(query())
    assert caught.value.data["retry_after"] is None


async def test_partner_that_was_down_for_a_while_comes_back_by_itself(
    registry: CivilRegistryClient,
    registry_admin: Admin,
) -> None:
    await registry_admin("PUT", "/faults", {"down_for_seconds": 0.2})
    with pytest.raises(PartnerUnavailable):
        await registry.match(query())
    async with asyncio.timeout(5):
        while (await registry_admin("GET", "/faults"))["down"]:
            pass
    assert (await registry.match(query())).result is MatchResult.MATCHED


async def test_latency_delays_an_answer_that_is_still_right(
    registry: CivilRegistryClient,
    registry_admin: Admin,
) -> None:
    await registry_admin("PUT", "/faults", {"latency_ms": 150, "jitter_ms": 50})
    begun = time.monotonic()
    assert (await registry.match(query())).result is MatchResult.MATCHED
    assert 0.15 <= time.monotonic() - begun < 0.5


async def test_untrue_answer_is_believed_for_nothing_gives_it_away(
    registry: CivilRegistryClient,
    registry_admin: Admin,
) -> None:
    await registry_admin("PUT", "/faults", {"wrong_answer_rate": 1, "wrong_answer": "untrue"})
    assert (await registry.match(query())).result is MatchResult.MISMATCHED
    assert (await registry.match(query(name="Wati"))).result is MatchResult.MATCHED


async def test_receipt_of_another_proposal_is_not_taken(gateway: MinistryClient, ministry_admin: Admin) -> None:
    await ministry_admin("PUT", "/faults", {"wrong_answer_rate": 1, "wrong_answer": "untrue"})
    with pytest.raises(PartnerUnavailable) as caught:
        await gateway.push(proposal(), idempotency_key="foreign")
    assert caught.value.data["cause"] == "foreign_receipt"


async def test_health_and_admin_stay_open_while_the_partner_is_down(registry_admin: Admin) -> None:
    report = await registry_admin("PUT", "/faults", {"down_for_seconds": 60})
    assert report["down"] is True
    assert await registry_admin("GET", "/persons") == {"persons": 1}


async def test_unknown_fault_and_impossible_rate_are_refused(registry_admin: Admin) -> None:
    for body in ({"latency": 5}, {"error_rate": 1.5}, {"status": 200}, {"down_until": "2025-01-01T00:00:00"}):
        with pytest.raises(AssertionError, match="invalid_input"):
            await registry_admin("PUT", "/faults", body)


def test_same_seed_gives_the_same_faults() -> None:
    settings = FaultSettings(error_rate=0.3, timeout_rate=0.2, drop_connection_rate=0.1)
    now = datetime.now(UTC)

    def drawn(seed: int) -> list[object]:
        random = Random(seed)  # noqa: S311 - the very generator under test
        return [next_fault(settings, random=random, now=now) for _ in range(200)]

    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)
    assert 70 < sum(fault is None for fault in drawn(7)) < 130


def test_down_ends_at_its_instant() -> None:
    until = datetime(2025, 1, 1, tzinfo=UTC)
    settings = FaultSettings(down_until=until)
    assert settings.is_down(until - timedelta(microseconds=1))
    assert not settings.is_down(until)


async def test_server_stops_at_once_while_it_holds_requests_back(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(registry_partner()) as url:
        admin = Admin(url)
        await admin("PUT", "/faults", {"timeout_rate": 1})
        client = CivilRegistryClient(url, TOKEN, timeout=30)
        waiting = asyncio.create_task(client.match(query()))
        async with asyncio.timeout(5):
            while (await admin("GET", "/faults"))["requests"] == 0:
                pass
        begun = time.monotonic()
    assert time.monotonic() - begun < 2
    with pytest.raises(PartnerUnavailable):
        await waiting
    await client.aclose()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_personal_data_is_in_no_log_line_and_no_error(
    registry: CivilRegistryClient,
    registry_admin: Admin,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []
    for faults in ({}, {"error_rate": 1}, {"error_rate": 1, "status": 422}, {"wrong_answer_rate": 1}):
        await registry_admin("PUT", "/faults", faults)
        try:
            await registry.match(query())
        except (PartnerUnavailable, PartnerContractError) as error:
            texts += [repr(error), str(vars(error)), repr(error.__cause__), repr(error.__context__)]
    with pytest.raises(ValidationError) as refused:
        PersonQuery.model_validate({**SITI, "nik": SITI["nik"] + "9"})
    texts += [str(refused.value), repr(query()), repr(proposal()), caplog.text]
    assert "/v1/match" in caplog.text
    for secret in (SITI["nik"], SITI["kk_number"], SITI["name"]):
        assert not [text for text in texts if secret in text]
