"""`make bench`: Kawal beside the bare engine, interleaved in one run on one machine."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import psutil
from rich.console import Console
from rich.table import Table

from bench.bare import bare_client
from bench.figures import Latency, Results, Round, latency_of, ratios_of, round_of
from bench.load import BareLoad, Clocked, KawalLoad, drive, persons_of
from bench.stack import Stack, bare_worker, cpu_of, running_stack
from devstack.demo_people import PASSWORD
from domain.policy import canonical_json, default_policy, without_draws

RESULTS = Path(__file__).parent / "results.json"
ROUNDS = int(os.environ.get("KAWAL_BENCH_ROUNDS", "3"))
CASES = int(os.environ.get("KAWAL_BENCH_CASES", "150"))
AT_ONCE = 40
WARM_UP = 30
QUIET_CASES = 60
QUIET_AT_ONCE = 4
_console = Console()


async def main() -> None:
    """Measure and report."""
    _console.print("Starting the stack of `make up` in a folder of its own …")
    async with running_stack() as stack:
        memory = {"idle": stack.memory_mib()}
        results = await _measure(stack, memory)
    RESULTS.write_text(results.model_dump_json(indent=2) + "\n")
    _print(results)


async def _measure(stack: Stack, memory: dict[str, dict[str, float]]) -> Results:
    rounds: dict[str, list[Round]] = {"bare": [], "four stages": [], "whole route": []}
    async with _loads(stack) as (bare_process, bare, kawal, whole):
        for load in (bare, kawal):
            await drive(WARM_UP, at_once=AT_ONCE, case=load.case)
        for number in range(ROUNDS):
            _console.print(f"Round {number + 1} of {ROUNDS} …")
            rounds["bare"].append(await _round(stack, bare_process, bare.case))
            rounds["four stages"].append(await _round(stack, bare_process, kawal.case))
        memory["after four stages"] = stack.memory_mib()
        latency = await _quiet(bare, kawal)
        await _publish(stack, _policy(whole_route=True))
        await drive(WARM_UP, at_once=AT_ONCE, case=whole.case)
        for _ in range(ROUNDS):
            rounds["whole route"].append(await _round(stack, bare_process, whole.case))
        memory["after the whole route"] = stack.memory_mib()
    return Results(
        cores=os.cpu_count() or 1,
        sandboxed=stack.settings.sandboxed,
        at_once=AT_ONCE,
        cases_per_round=CASES,
        rounds=rounds,
        latency_ms=latency,
        memory_mib=memory,
        ratios=ratios_of(rounds, latency),
    )


@asynccontextmanager
async def _loads(stack: Stack) -> AsyncGenerator[tuple[psutil.Process, BareLoad, KawalLoad, KawalLoad]]:
    await _publish(stack, _policy(whole_route=False))
    await _tell_registry(stack, CASES * ROUNDS * 2 + WARM_UP * 2 + QUIET_CASES)
    client = await bare_client(stack.settings)
    connector = aiohttp.TCPConnector(limit=2 * AT_ONCE, keepalive_timeout=3)  # less than the server keeps it open
    async with (
        bare_worker(stack) as bare_process,
        aiohttp.ClientSession(stack.settings.public_url, connector=connector) as session,
    ):
        kawal = KawalLoad(session, final_status="applied")
        await kawal.log_in()
        await kawal.answer_for_the_village()
        whole = kawal.with_final_status("in_delivery")
        watching = asyncio.create_task(kawal.watch_queue())
        try:
            yield bare_process, BareLoad(client), kawal, whole
        finally:
            watching.cancel()


async def _round(stack: Stack, bare_process: psutil.Process, case: Callable[[int], Awaitable[None]]) -> Round:
    def clocks() -> dict[str, float]:
        load = psutil.Process()
        return {**stack.cpu_seconds(), "bare worker": cpu_of(bare_process), "load": sum(load.cpu_times()[:2])}

    before = clocks()
    rate = await drive(CASES, at_once=AT_ONCE, case=case)
    return round_of(rate, cases=CASES, before=before, after=clocks())


async def _quiet(bare: BareLoad, kawal: KawalLoad) -> dict[str, Latency]:
    """Latencies where nobody queues: few cases at a time, the two loads one after the other."""
    bare.clocked, kawal.clocked = Clocked(), Clocked()
    await drive(QUIET_CASES, at_once=QUIET_AT_ONCE, case=bare.case)
    await drive(QUIET_CASES, at_once=QUIET_AT_ONCE, case=kawal.case)
    return {
        "bare start": latency_of(bare.clocked.seconds["start"]),
        "submit": latency_of(kawal.clocked.seconds["submit"]),
        "bare Update": latency_of(bare.clocked.seconds["decide"]),
        "decision": latency_of(kawal.clocked.seconds["decide"]),
    }


def _policy(*, whole_route: bool) -> dict[str, Any]:
    """The default policy of the regency; without partners only the four human stages are left of each route.

    One SPTJM answers for all cases of the village, so that its head decides them one by one.
    """
    policy = json.loads(canonical_json(without_draws(default_policy(area_code="32.06"))))
    policy["minutes"] |= {"sptjm": "per_village", "scan_required": False}
    if not whole_route:
        policy["delivery"]["ministry"] = False
        for route in policy["routes"]:
            route["stages"] = [stage for stage in route["stages"] if stage not in {"identity_check", "delivery"}]
    return policy


async def _publish(stack: Stack, policy: dict[str, Any]) -> None:
    """Put a policy in force at once: one person drafts it, another publishes it."""
    async with aiohttp.ClientSession(stack.settings.public_url) as session:
        in_force = await _ask(session, "kadis", "/v1/policies/in-force?area_code=32.06")
        if in_force["emergency"] is not None:
            await _ask(session, "kadis", f"/v1/policies/{in_force['id']}/revocation", {"note": "bench"})
            in_force = await _ask(session, "kadis", "/v1/policies/in-force?area_code=32.06")
        policy |= {"publication": in_force["document"]["publication"]}
        draft = await _ask(session, "perencana", "/v1/policies/drafts", {"policy": policy})
        why = {"reason": "cases_stuck", "note": "bench"}
        await _ask(session, "kadis", f"/v1/policies/drafts/{draft['id']}/emergency", why)


async def _ask(session: aiohttp.ClientSession, username: str, path: str, body: dict[str, Any] | None = None) -> Any:
    form = {"grant_type": "password", "username": username, "password": PASSWORD}
    async with session.post("/v1/auth/token", data=form) as answer:
        token = (await answer.json())["access_token"]
    headers = {"Authorization": f"Bearer {token}", "If-Match": "*", "Idempotency-Key": str(uuid4())}
    async with session.request("GET" if body is None else "POST", path, json=body, headers=headers) as answer:
        if answer.status >= 400:  # noqa: PLR2004
            raise RuntimeError(f"the policy was refused: {await answer.text()}")
        return await answer.json()


async def _tell_registry(stack: Stack, households: int) -> None:
    headers = {"Authorization": f"Bearer {stack.environment['KAWAL_PARTNER_ADMIN_TOKEN']}"}
    persons = persons_of(households)
    async with aiohttp.ClientSession(stack.settings.civil_registry_url, headers=headers) as session:
        for start in range(0, len(persons), 1000):
            async with session.put("/admin/persons", json=persons[start : start + 1000]) as answer:
                answer.raise_for_status()


def _print(results: Results) -> None:
    rates = Table("load", "cases/s", "CPU ms a case by part", title=f"{AT_ONCE} cases at a time, {results.cores} cores")
    for name, made in results.rounds.items():
        for one in made:
            parts = ", ".join(f"{part} {cost:g}" for part, cost in one.cpu_ms_per_case.items() if cost >= 1)
            rates.add_row(name, f"{one.cases_per_second:g}", parts)
    _console.print(rates)
    latencies = Table("call", "n", "p50 ms", "p99 ms", title=f"{QUIET_AT_ONCE} cases at a time")
    for name, found in results.latency_ms.items():
        latencies.add_row(name, str(found.n), f"{found.p50:g}", f"{found.p99:g}")
    _console.print(latencies)
    memory = Table("when", "MiB in all", "by part", title="memory")
    for when, parts in results.memory_mib.items():
        listed = ", ".join(f"{part} {used:g}" for part, used in parts.items())
        memory.add_row(when, f"{sum(parts.values()):.0f}", listed)
    _console.print(memory)
    ratios = Table("ratio", "value", title="Kawal beside the bare engine")
    for name, value in results.ratios.items():
        ratios.add_row(name, f"{value:g}")
    _console.print(ratios)


if __name__ == "__main__":
    asyncio.run(main())
