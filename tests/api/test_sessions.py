"""Sessions as their holders meet them: carried on, stolen, listed, ended here and everywhere."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain.sessions import REFRESH_GRACE, digest_of
from tests.api.accounts import give_password, log_in, set_clock, signed_in, trail_of
from tests.api.conftest import Office, somebody_waits, until
from tests.scene import user

pytestmark = pytest.mark.embedded

WHO = "operator.taraju"


@pytest.fixture
async def held(office: Office) -> Any:
    """The tokens of a fresh session."""
    await give_password(office, WHO)
    return await signed_in(office, WHO)


async def refresh(office: Office, token: str) -> Any:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return await (await office.visitor()).post("/v1/auth/token", data=form)


async def ask(office: Office, token: str, method: str = "GET", path: str = "/v1/me") -> Any:
    visitor = await office.visitor()
    return await visitor.request(method, path, headers={"Authorization": f"Bearer {token}"})


async def status(office: Office, token: str) -> int:
    return (await ask(office, token)).status_code


def pass_time(office: Office, duration: timedelta) -> None:
    set_clock(office, office.app.state.front.kawal.now() + duration)


async def test_a_session_is_carried_on_by_tokens_that_are_good_once(office: Office, held: Any) -> None:
    answer = await refresh(office, held["refresh_token"])
    renewed = answer.json()
    assert (answer.status_code, renewed["session_id"]) == (200, held["session_id"])
    assert renewed["refresh_token"] != held["refresh_token"]
    assert await status(office, renewed["access_token"]) == 200
    assert (await refresh(office, renewed["refresh_token"])).status_code == 200


async def test_a_refresh_token_used_twice_ends_its_session_for_thief_and_holder(office: Office, held: Any) -> None:
    renewed = (await refresh(office, held["refresh_token"])).json()
    pass_time(office, REFRESH_GRACE + timedelta(seconds=1))
    stolen = await refresh(office, held["refresh_token"])
    assert (stolen.status_code, stolen.json()["data"]) == (400, {"reason": "refresh_refused"})
    assert await status(office, renewed["access_token"]) == 401
    assert (await refresh(office, renewed["refresh_token"])).status_code == 400
    ended = await office.scene.one(
        "SELECT data FROM audit_events WHERE stream = :stream ORDER BY seq DESC LIMIT 1",
        stream=f"account:{user(WHO)}",
    )
    assert ended.data == {"session": held["session_id"], "because": "refresh_reused"}


async def test_an_answer_that_got_lost_is_made_up_for_once_and_at_once(office: Office, held: Any) -> None:
    lost = (await refresh(office, held["refresh_token"])).json()
    pass_time(office, REFRESH_GRACE - timedelta(seconds=5))
    repeated = await refresh(office, held["refresh_token"])
    renewed = repeated.json()
    assert (repeated.status_code, renewed["session_id"]) == (200, held["session_id"])
    assert renewed["refresh_token"] not in (held["refresh_token"], lost["refresh_token"])
    assert (await refresh(office, renewed["refresh_token"])).status_code == 200
    assert await status(office, held["access_token"]) == 200


@pytest.mark.parametrize("which", ["the token", "what got lost", "what came instead"])
async def test_whoever_comes_after_an_answer_was_made_up_for_ends_the_session(
    office: Office, held: Any, which: str
) -> None:
    lost = (await refresh(office, held["refresh_token"])).json()
    renewed = (await refresh(office, held["refresh_token"])).json()
    if which == "what came instead":
        assert (await refresh(office, renewed["refresh_token"])).status_code == 200
    late = {"the token": held, "what got lost": lost, "what came instead": held}[which]
    assert (await refresh(office, late["refresh_token"])).status_code == 400
    assert await status(office, held["access_token"]) == 401
    assert (await trail_of(office, user(WHO)))[-1] == "account.session_ended"


async def test_nothing_is_made_up_for_once_what_was_given_has_been_used(office: Office, held: Any) -> None:
    renewed = (await refresh(office, held["refresh_token"])).json()
    assert (await refresh(office, renewed["refresh_token"])).status_code == 200
    assert (await refresh(office, held["refresh_token"])).status_code == 400
    assert await status(office, held["access_token"]) == 401


async def test_nothing_is_made_up_for_in_a_session_that_is_over(office: Office, held: Any) -> None:
    await refresh(office, held["refresh_token"])
    await (await office.visitor()).post("/v1/auth/revoke", data={"token": held["refresh_token"]})
    assert (await refresh(office, held["refresh_token"])).status_code == 400


async def test_of_those_who_use_one_refresh_token_at_once_two_are_answered_and_the_third_ends_the_session(
    office: Office, held: Any
) -> None:
    answers = await asyncio.gather(*(refresh(office, held["refresh_token"]) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 400]
    assert await status(office, held["access_token"]) == 401


async def test_a_refused_refresh_token_is_refused_in_the_words_of_oauth(office: Office) -> None:
    refused = await refresh(office, "kwr_unknown")
    told = refused.json()
    assert (refused.status_code, refused.headers["Content-Type"]) == (400, "application/problem+json")
    assert (told["code"], told["error"], told["error_description"]) == (
        "invalid_grant",
        "invalid_grant",
        told["detail"],
    )
    assert refused.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("change", ["password_hash = 'another'", "disabled = true"])
async def test_a_log_in_does_not_outlive_a_change_of_the_account_that_came_meanwhile(
    office: Office, change: str
) -> None:
    await give_password(office, WHO)
    async with office.scene.as_owner() as connection:
        await connection.exec_driver_sql(f"UPDATE users SET {change} WHERE id = '{user(WHO)}'")  # noqa: S608
        coming = asyncio.create_task(log_in(await office.visitor(), WHO))

        async def waits_or_is_answered() -> bool:
            return coming.done() or await somebody_waits(office.scene)

        await until(waits_or_is_answered)
    answer = await coming
    assert (answer.status_code, answer.json()["data"]) == (400, {"reason": "credentials_refused"})
    assert (
        await office.scene.rows("SELECT id FROM sessions WHERE ended_at IS NULL AND user_id = :id", id=user(WHO)) == []
    )
    assert (await trail_of(office, user(WHO)))[-1] == "account.login_refused"


async def test_another_session_of_the_same_person_outlives_the_theft(office: Office, held: Any) -> None:
    other = await signed_in(office, WHO)
    for _ in range(3):
        await refresh(office, held["refresh_token"])
    assert await status(office, held["access_token"]) == 401
    assert await status(office, other["access_token"]) == 200


async def test_a_made_up_refresh_token_is_refused_and_ends_nothing(office: Office, held: Any) -> None:
    for made_up in ("kwr_" + "A" * 43, "nul\0"):
        assert (await refresh(office, made_up)).status_code == 400
    assert await status(office, held["access_token"]) == 200


async def test_no_secret_is_stored(office: Office, held: Any) -> None:
    row = await office.scene.one("SELECT t::text AS written FROM refresh_tokens t")
    assert held["refresh_token"] not in row.written
    assert digest_of(held["refresh_token"]).hex() in row.written


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_a_revoked_session_is_refused_from_the_next_request_on(office: Office, held: Any, which: str) -> None:
    answer = await (await office.visitor()).post("/v1/auth/revoke", data={"token": held[which]})
    assert answer.status_code == 200
    refused = await ask(office, held["access_token"])
    assert (refused.status_code, refused.json()["data"]) == (401, {"reason": "session_over"})
    assert (await refresh(office, held["refresh_token"])).status_code == 400
    assert (await trail_of(office, user(WHO)))[-1] == "account.session_ended"


async def test_revoking_what_is_not_known_is_answered_like_revoking_what_is(office: Office) -> None:
    for token in ("kwr_unknown", "no token", "a.b.c"):
        assert (await (await office.visitor()).post("/v1/auth/revoke", data={"token": token})).status_code == 200


async def test_one_lists_ones_own_sessions_and_ends_one(office: Office, held: Any) -> None:
    await give_password(office, "kades.taraju")
    other, stranger = await signed_in(office, WHO), await signed_in(office, "kades.taraju")
    listed = (await ask(office, held["access_token"], path="/v1/auth/sessions")).json()["items"]
    assert [(item["id"], item["current"]) for item in listed] == [
        (other["session_id"], False),
        (held["session_id"], True),
    ]
    assert listed[0]["agent"].startswith("python-httpx")
    path = f"/v1/auth/sessions/{other['session_id']}"
    assert (await ask(office, stranger["access_token"], "DELETE", path)).status_code == 404
    assert (await ask(office, held["access_token"], "DELETE", path)).status_code == 204
    assert (await ask(office, held["access_token"], "DELETE", path)).status_code == 404
    assert await status(office, other["access_token"]) == 401
    assert await status(office, held["access_token"]) == 200


async def test_signing_out_everywhere_ends_every_session_and_nobody_elses(office: Office, held: Any) -> None:
    await give_password(office, "kades.taraju")
    other, stranger = await signed_in(office, WHO), await signed_in(office, "kades.taraju")
    assert (await ask(office, held["access_token"], "DELETE", "/v1/auth/sessions")).status_code == 204
    assert [await status(office, token["access_token"]) for token in (held, other, stranger)] == [401, 401, 200]


async def test_a_changed_password_ends_every_session(office: Office, held: Any) -> None:
    await give_password(office, WHO, "another phrase")
    assert await status(office, held["access_token"]) == 401
    ended = await office.scene.rows("SELECT DISTINCT ended_because AS why FROM sessions WHERE ended_at IS NOT NULL")
    assert [row.why for row in ended] == ["password_changed"]


async def test_an_account_that_is_enabled_again_has_no_session_left(office: Office, held: Any) -> None:
    for disabled in (True, False):
        await office.scene.rows(
            "UPDATE users SET disabled = :disabled WHERE id = :id RETURNING 1", disabled=disabled, id=user(WHO)
        )
        assert await status(office, held["access_token"]) == 401
    assert (await log_in(await office.visitor(), WHO)).status_code == 200


async def test_a_session_that_is_not_used_for_a_day_ends(office: Office, held: Any) -> None:
    began = office.app.state.front.kawal.now()
    set_clock(office, began + timedelta(hours=23))
    held = (await refresh(office, held["refresh_token"])).json()
    set_clock(office, began + timedelta(hours=46))
    held = (await refresh(office, held["refresh_token"])).json()
    set_clock(office, began + timedelta(hours=70, seconds=1))
    assert (await refresh(office, held["refresh_token"])).status_code == 400


async def test_use_does_not_carry_a_session_past_its_longest_life(office: Office, held: Any) -> None:
    began = office.app.state.front.kawal.now()
    for hours in range(20, 7 * 24, 20):
        set_clock(office, began + timedelta(hours=hours))
        held = (await refresh(office, held["refresh_token"])).json()
    set_clock(office, began + timedelta(days=7))
    assert (await refresh(office, held["refresh_token"])).status_code == 400


@pytest.mark.parametrize(
    ("form", "error", "pointer"),
    [
        ({"grant_type": "password", "password": "x"}, "invalid_request", "/username"),
        ({"grant_type": "password", "username": "x"}, "invalid_request", "/password"),
        ({"grant_type": "password", "username": "x" * 1025, "password": "x"}, "invalid_request", "/username"),
        ({"grant_type": "refresh_token"}, "invalid_request", "/refresh_token"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type", "/grant_type"),
        ({}, "invalid_request", "/grant_type"),
    ],
)
async def test_an_incomplete_request_for_tokens_is_told_in_the_words_of_oauth_and_names_what_is_wrong(
    office: Office, form: dict[str, str], error: str, pointer: str
) -> None:
    answer = await (await office.visitor()).post("/v1/auth/token", data=form)
    told = answer.json()
    assert (answer.status_code, told["error"], told["code"]) == (400, error, error)
    assert [fault["pointer"] for fault in told["violations"]] == [pointer]
    assert told["error_description"] == told["detail"]
