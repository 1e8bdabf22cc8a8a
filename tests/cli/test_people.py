"""Who leaves and who is away, from a shell."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.api_keys import key_id_of
from runtime.settings import get_settings
from tests.cli.conftest import Kawal

PASSWORD = "a long enough phrase"
VILLAGE = "32.06.13.2001"

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture
async def staffed(kawal: Kawal) -> Kawal:
    """Two officers of one village."""
    await kawal("areas", "load")
    for username in ("siti", "asep"):
        await kawal("users", "add", username, "--name", username, "--password-stdin", stdin=f"{PASSWORD}\n")
        seat = ("--role", "puskesos_officer", "--area", VILLAGE, "--office", "PUSKESOS")
        new = ("--new-office",) if username == "siti" else ()
        made = await kawal("memberships", "add", username, *seat, *new)
        assert made.exit_code == 0, made.stderr
    return kawal


async def seats_of(kawal: Kawal, username: str) -> tuple[bool, list[str | None]]:
    """Whether the account is disabled, and when each of its memberships ends."""
    accounts = json.loads((await kawal("users", "list", "--json")).stdout)
    (account,) = [account for account in accounts if account["username"] == username]
    return account["disabled"], [seat["valid_to"] for seat in account["seats"]]


async def test_leave_is_declared_listed_and_ended(staffed: Kawal) -> None:
    until = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    about = ("siti", "--role", "puskesos_officer", "--area", VILLAGE, "--until", until, "--reason", "training")
    declared = await staffed("delegations", "add", *about, "--to", "asep")
    assert declared.exit_code == 0, declared.stderr
    assert "asep stands in for siti" in declared.output
    (leave,) = json.loads((await staffed("delegations", "list", "--json")).stdout)
    assert (leave["holder"], leave["delegate"], leave["reason"]) == ("siti", "asep", "training")
    again = await staffed("delegations", "add", *about)
    assert again.exit_code == 1
    assert "leave_overlaps" in again.stderr
    chained = ("asep", *about[1:], "--to", "siti")
    assert (await staffed("delegations", "add", *chained)).exit_code == 1
    assert (await staffed("delegations", "end", leave["id"])).exit_code == 0
    assert json.loads((await staffed("delegations", "list", "--json")).stdout) == []


async def test_who_leaves_is_nothing_here_any_more(staffed: Kawal) -> None:
    done = await staffed("users", "handover", "siti", "--to", "asep")
    assert done.exit_code == 0, done.stderr
    assert "1 membership(s)" in done.output
    disabled, ends = await seats_of(staffed, "siti")
    assert disabled
    assert None not in ends
    assert (await staffed("audit", "verify")).exit_code == 0


async def test_membership_is_ended_and_an_account_disabled_and_enabled(staffed: Kawal) -> None:
    seat = ("siti", "--role", "puskesos_officer", "--area", VILLAGE)
    assert (await staffed("memberships", "end", *seat)).exit_code == 0
    over = await staffed("memberships", "end", *seat)
    assert over.exit_code == 1
    assert "siti is no puskesos_officer" in over.stderr
    for command, disabled in (("disable", True), ("enable", False)):
        assert (await staffed("users", command, "siti")).exit_code == 0
        assert (await seats_of(staffed, "siti"))[0] is disabled


async def test_machine_gets_a_key_another_secret_and_none_any_more(kawal: Kawal) -> None:
    await kawal("areas", "load")
    await kawal("users", "add", "siks", "--name", "SIKS", "--password-stdin", stdin=f"{PASSWORD}\n")
    wanted = ("api-keys", "add", "siks", "--name", "nightly", "--scope", "area:updates:read", "--area", VILLAGE)
    early = await kawal(*wanted)
    assert early.exit_code == 1
    assert "no_service_there" in early.stderr
    seat = ("--role", "service", "--area", "32.06", "--office", "Dinas", "--new-office")
    assert (await kawal("memberships", "add", "siks", *seat)).exit_code == 0
    secrets = [(await kawal(*wanted)).stdout.strip()]
    (key,) = json.loads((await kawal("api-keys", "list", "--json")).stdout)
    assert (key["name"], key["state"], key["area_code"], key["created_by"]) == ("nightly", "live", VILLAGE, None)
    secrets.append((await kawal("api-keys", "rotate", key["id"], "--overlap-hours", "0")).stdout.strip())
    assert [key_id_of(secret) for secret in secrets] == [UUID(key["id"])] * 2
    assert secrets[0] != secrets[1]
    assert (await kawal("api-keys", "revoke", key["id"])).exit_code == 0
    again = await kawal("api-keys", "revoke", key["id"])
    assert again.exit_code == 1
    assert "has been revoked" in again.stderr
    assert "revoked" in (await kawal("api-keys", "list")).stdout


async def test_name_at_another_issuer_is_bound_and_taken_away(staffed: Kawal, monkeypatch: pytest.MonkeyPatch) -> None:
    issuers = [{"name": "sso", "issuer": "https://sso.example.go.id/realms/kabupaten", "audience": "kawal"}]
    monkeypatch.setenv("KAWAL_OIDC_ISSUERS", json.dumps(issuers))
    get_settings.cache_clear()
    bound = await staffed("users", "bind", "siti", "--issuer", "sso", "--subject", "f3a1")
    assert bound.exit_code == 0, bound.stderr
    taken = await staffed("users", "bind", "asep", "--issuer", "sso", "--subject", "f3a1")
    assert taken.exit_code == 1
    assert "identity_bound" in taken.stderr
    unknown = await staffed("users", "bind", "asep", "--issuer", "other", "--subject", "x")
    assert "issuer_unknown" in unknown.stderr
    assert (await staffed("users", "unbind", "siti", "--issuer", "sso")).exit_code == 0
    assert (await staffed("users", "unbind", "siti", "--issuer", "sso")).exit_code == 1
    assert (await staffed("users", "bind", "asep", "--issuer", "sso", "--subject", "f3a1")).exit_code == 0
