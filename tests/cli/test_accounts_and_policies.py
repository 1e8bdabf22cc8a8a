from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.security.passwords import PasswordHasher
from db.repositories.people import find_credentials
from db.session import Database, Viewer
from devstack.postgres import DatabaseUrls
from domain.policy import canonical_json, default_policy, demo_policy
from tests.cli.conftest import Kawal

PASSWORD = "a long enough phrase"

pytestmark = pytest.mark.usefixtures("settings")


async def logs_in(database: DatabaseUrls, username: str, password: str) -> bool:
    app, hasher = Database(database.app, application="test"), PasswordHasher()
    async with app.transaction(Viewer.nobody()) as connection:
        found = await find_credentials(connection, username)
    await app.close()
    fits, _ = await hasher.verify_password(password, found and found.password_hash)
    hasher.close()
    return fits


async def test_an_account_is_made_with_the_password_that_was_typed_twice(kawal: Kawal, database: DatabaseUrls) -> None:
    made = await kawal("users", "add", "siti", "--name", "Siti", stdin=f"{PASSWORD}\n{PASSWORD}\n")
    assert made.exit_code == 0
    assert PASSWORD not in made.output
    assert await logs_in(database, "siti", PASSWORD)


async def test_a_script_gives_the_password_on_standard_input(kawal: Kawal, database: DatabaseUrls) -> None:
    await kawal("users", "add", "siti", "--name", "Siti", "--password-stdin", stdin=f"{PASSWORD}\n")
    changed = await kawal("users", "passwd", "siti", "--password-stdin", stdin="another long phrase\n")
    assert changed.exit_code == 0
    assert await logs_in(database, "siti", "another long phrase")
    assert not await logs_in(database, "siti", PASSWORD)


async def test_accounts_are_refused_that_could_not_be_meant(kawal: Kawal) -> None:
    short = await kawal("users", "add", "siti", "--name", "Siti", "--password-stdin", stdin="short\n")
    assert short.exit_code == 1
    assert "at least 12 characters" in short.stderr
    await kawal("users", "add", "siti", "--name", "Siti", "--password-stdin", stdin=f"{PASSWORD}\n")
    twice = await kawal("users", "add", "siti", "--name", "Other", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert twice.exit_code == 1
    assert "username_taken" in twice.stderr
    unknown = await kawal("users", "passwd", "nobody", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert "no account 'nobody'" in unknown.stderr


async def test_an_account_and_an_address_are_unlocked_and_signed_out(kawal: Kawal) -> None:
    await kawal("users", "add", "siti", "--name", "Siti", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert (await kawal("users", "unlock", "siti")).stdout == "siti had no failed attempts.\n"
    assert (await kawal("users", "unlock", "--address", "203.0.113.7")).exit_code == 0
    assert (await kawal("users", "unlock")).exit_code == 1
    assert "no account 'nobody'" in (await kawal("users", "unlock", "nobody")).stderr
    assert (await kawal("users", "signout", "siti")).stdout == "0 session(s) of siti ended.\n"


async def test_an_account_is_given_a_role_in_an_office_that_is_made_on_request(kawal: Kawal) -> None:
    await kawal("areas", "load")
    await kawal("users", "add", "siti", "--name", "Siti", "--password-stdin", stdin=f"{PASSWORD}\n")
    seat = ("memberships", "add", "siti", "--role", "regency_verifier", "--area", "32.06", "--office", "Dinas Sosial")
    unknown = await kawal(*seat)
    assert unknown.exit_code == 1
    assert "--new-office" in unknown.stderr
    assert (await kawal(*seat, "--new-office", "--until", "2030-01-01")).exit_code == 0
    listed = json.loads((await kawal("users", "list", "--json")).stdout)
    assert [(seat["role"], seat["area_code"], seat["office"]) for seat in listed[0]["seats"]] == [
        ("regency_verifier", "32.06", "Dinas Sosial"),
    ]
    assert listed[0]["seats"][0]["valid_to"].startswith("2030-01-01")
    assert "password" not in json.dumps(listed)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--role", "regency_verifier", "--area", "32.06.x,*"), "area_code"),
        (("--role", "regency_verifier", "--area", "32.99"), "area_unknown"),
        (("--role", "village_head", "--area", "32.06"), "area_wider_than_role"),
        (("--role", "regency_verifier", "--area", "32.06", "--until", "2020-01-01"), "period_empty"),
    ],
)
async def test_operator_is_refused_the_appointments_that_an_administrator_is(
    kawal: Kawal, more: tuple[str, ...], code: str
) -> None:
    await kawal("areas", "load")
    await kawal("users", "add", "siti", "--name", "Siti", "--password-stdin", stdin=f"{PASSWORD}\n")
    refused = await kawal("memberships", "add", "siti", *more, "--office", "Dinas", "--new-office")
    assert refused.exit_code == 1
    assert code in refused.stderr
    (account,) = json.loads((await kawal("users", "list", "--json")).stdout)
    assert account["seats"] == []


async def test_operator_makes_no_account_of_nowhere_and_no_office_twice(kawal: Kawal) -> None:
    await kawal("areas", "load")
    typed = ("--name", "Siti", "--password-stdin")
    for area, code in (("32,*", "area_code"), ("32.99", "area_unknown")):
        refused = await kawal("users", "add", "siti", *typed, "--area", area, stdin=f"{PASSWORD}\n")
        assert (refused.exit_code, code in refused.stderr) == (1, True), area
    await kawal("users", "add", "siti", *typed, stdin=f"{PASSWORD}\n")
    seat = ("--area", "32.06", "--office", "Dinas", "--new-office")
    assert (await kawal("memberships", "add", "siti", "--role", "regent", *seat)).exit_code == 0
    again = await kawal("memberships", "add", "siti", "--role", "planner", *seat)
    assert (again.exit_code, "name_taken" in again.stderr) == (1, True)


async def test_what_the_operator_did_to_an_account_stands_in_its_trail(kawal: Kawal) -> None:
    await kawal("areas", "load")
    await kawal("users", "add", "siti", "--name", "Siti", "--password-stdin", stdin=f"{PASSWORD}\n")
    await kawal("memberships", "add", "siti", "--role", "regent", "--area", "32.06", "--office", "X", "--new-office")
    await kawal("users", "passwd", "siti", "--password-stdin", stdin="another long phrase\n")
    verified = json.loads((await kawal("audit", "verify", "--json")).stdout)
    assert (verified["streams"], verified["events"], verified["flaws"]) == (3, 5, [])


async def test_the_first_policy_is_put_in_force_for_the_area_asked_for_and_shown_there(
    kawal: Kawal, tmp_path: Path
) -> None:
    file = tmp_path / "policy.json"
    file.write_text(canonical_json(demo_policy()))
    started = await kawal("policies", "start", str(file), "--area", "32.06")
    assert started.exit_code == 0
    assert "Version 1 of the policy for 32.06" in started.stdout
    shown = await kawal("policies", "show", "--area", "32.06.13.2001")
    assert json.loads(shown.stdout) == json.loads(canonical_json(demo_policy(area_code="32.06")))
    elsewhere = await kawal("policies", "show")
    assert elsewhere.exit_code == 1
    assert "No policy is in force for *" in elsewhere.stderr


async def test_the_operator_puts_no_policy_in_force_where_one_is(kawal: Kawal) -> None:
    assert (await kawal("policies", "start", "-", stdin=canonical_json(default_policy()))).exit_code == 0
    for area in ("*", "32.06"):
        again = await kawal("policies", "start", "-", "--area", area, stdin=canonical_json(demo_policy()))
        assert again.exit_code == 1, area
        assert "Draft the next one" in again.stderr
    shown = json.loads((await kawal("policies", "show", "--area", "32.06")).stdout)
    assert shown["name"] == "default"


async def test_policy_of_seconds_is_printed_as_starting_takes_it(kawal: Kawal) -> None:
    printed = await kawal("demo", "policy")
    started = await kawal("policies", "start", "-", stdin=printed.stdout)
    assert "Version 1 of the policy for 32.06" in started.stdout
    assert json.loads(printed.stdout)["stages"][0]["deadline"] == {"elapsed": "PT20S"}


async def test_every_fault_of_a_policy_is_listed_and_nothing_is_in_force(kawal: Kawal) -> None:
    document = json.loads(canonical_json(default_policy()))
    document["stages"][0]["ladder"] = []
    document["repair"]["deadline"] = {"working_days": 0}
    refused = await kawal("policies", "start", "-", stdin=json.dumps(document))
    assert refused.exit_code == 1
    assert "/repair/deadline" in refused.stderr
    del document["repair"]["deadline"]
    refused = await kawal("policies", "start", "-", stdin=json.dumps(document))
    assert "field_missing" in refused.stderr
    assert (await kawal("policies", "show")).exit_code == 1


@pytest.mark.parametrize("text", ["", "no json", "[]", "null"])
async def test_what_is_no_policy_at_all_is_refused(kawal: Kawal, text: str) -> None:
    refused = await kawal("policies", "start", "-", stdin=text)
    assert refused.exit_code == 1
    assert refused.stderr
