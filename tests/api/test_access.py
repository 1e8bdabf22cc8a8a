"""Who may call what: every route says so, and every call is held to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from structlog.testing import capture_logs

from api.app import create_app
from api.deps import Anyone, Requires, SignedIn
from domain.ids import new_id
from tests.api.accounts import give_password, log_in, trail_of
from tests.api.conftest import Office, settings_for
from tests.scene import Scene, user

pytestmark = pytest.mark.embedded

LOG_INS = "account.log%"


def _declared(dependant: Dependant) -> Iterator[object]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, Requires | SignedIn | Anyone):
            yield inner.call
        yield from _declared(inner)


async def test_every_route_declares_whom_it_answers(scene: Scene) -> None:
    app = create_app(settings_for(scene))
    declared: dict[str, list[object]] = {}
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            declared[f"{context.methods} {context.path}"] = list(_declared(context.dependant))
    assert len(declared) > 10
    assert [route for route, access in declared.items() if len(access) != 1] == []


@pytest.mark.parametrize("path", ["/v1/me", "/v1/policies"])
async def test_without_a_token_nobody_is_told_anything(office: Office, path: str) -> None:
    response = await (await office.visitor()).get(path)
    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_forged_a_foreign_and_an_old_token_are_refused(office: Office) -> None:
    visitor = await office.visitor()
    issuer = office.app.state.front.issuer
    old = issuer.issue(user("verifikator"), now=datetime.now(UTC) - timedelta(days=2), session_id=new_id())
    nobody = office.token(new_id())
    for token in ("not-a-token", old, nobody, office.token(user("verifikator"))[:-2] + "xx"):
        response = await visitor.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 401, token


async def test_me_shows_seats_and_permissions(office: Office) -> None:
    me = (await (await office.desk_of("serba.deudeul")).get("/v1/me")).json()
    assert me["areas"] == ["32.06.13.2003"]
    assert [seat["role"] for seat in me["seats"]] == ["village_operator", "puskesos_officer"]
    assert me["seats"][1]["office_name"] == "PUSKESOS Desa Deudeul"
    assert {"area:updates:submit", "area:tasks:work"} <= set(me["permissions"])


async def test_authority_ends_with_the_membership_and_not_with_the_token(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    await office.scene.rows(
        "UPDATE memberships SET valid_to = now() WHERE user_id = :id RETURNING 1",
        id=user("operator.taraju"),
    )
    assert (await desk.get("/v1/me")).json()["seats"] == []
    refused = await desk.get("/v1/policies")
    assert refused.status_code == 403
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="kawal", error="insufficient_scope"'


async def test_a_name_and_a_password_give_a_token(office: Office) -> None:
    await give_password(office, "operator.taraju", "rahasia-desa")
    visitor = await office.visitor()
    response = await log_in(visitor, "operator.taraju", "rahasia-desa")
    token = response.json()
    assert (response.status_code, token["token_type"], token["expires_in"]) == (200, "bearer", 3600)
    me = await visitor.get("/v1/me", headers={"Authorization": f"Bearer {token['access_token']}"})
    assert me.json()["id"] == str(user("operator.taraju"))
    assert await trail_of(office, user("operator.taraju"), like=LOG_INS) == ["account.logged_in"]


async def test_a_wrong_password_an_unknown_name_and_a_disabled_account_are_told_apart_by_nothing(
    office: Office,
) -> None:
    for username in ("operator.taraju", "kades.taraju"):
        await give_password(office, username, "rahasia-desa")
    await office.scene.rows("UPDATE users SET disabled = true WHERE username = 'kades.taraju' RETURNING 1")
    visitor = await office.visitor()
    answers = [
        await log_in(visitor, "operator.taraju", "wrong"),
        await log_in(visitor, "nobody", "rahasia-desa"),
        await log_in(visitor, "kades.taraju", "rahasia-desa"),
    ]
    assert {(answer.status_code, answer.json()["error"]) for answer in answers} == {(400, "invalid_grant")}
    told = [{key: value for key, value in answer.json().items() if key != "instance"} for answer in answers]
    assert told == [told[0]] * 3
    assert await trail_of(office, user("operator.taraju"), like=LOG_INS) == ["account.login_refused"]
    assert await trail_of(office, user("kades.taraju"), like=LOG_INS) == ["account.login_refused"]
    assert await trail_of(office, "unknown", like=LOG_INS) == ["account.login_refused"]


async def test_an_account_whose_hash_is_none_is_refused_like_any_other_and_the_log_names_it(office: Office) -> None:
    who = user("operator.taraju")
    await office.scene.rows("UPDATE users SET password_hash = 'rahasia-desa' WHERE id = :id RETURNING 1", id=who)
    with capture_logs() as written:
        answer = await log_in(await office.visitor(), "operator.taraju", "rahasia-desa")
    assert (answer.status_code, answer.json()["data"]) == (400, {"reason": "credentials_refused"})
    assert await trail_of(office, who, like=LOG_INS) == ["account.login_refused"]
    (told,) = [line for line in written if line["event"] == "account.password_hash_unreadable"]
    assert told["account"] == str(who)
    assert "rahasia-desa" not in str(written)
