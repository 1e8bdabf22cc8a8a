"""People with passwords, as a test of signing in needs them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from api.security.passwords import PasswordHasher
from tests.api.conftest import Office

PASSWORD = "rahasia-desa"


async def give_password(office: Office, username: str, password: str = PASSWORD) -> None:
    hasher = PasswordHasher(memory_kib=8, passes=1)
    hashed = await hasher.hash_password(password)
    hasher.close()
    await office.scene.rows(
        "UPDATE users SET password_hash = :hash WHERE username = :name RETURNING 1",
        hash=hashed,
        name=username,
    )


async def log_in(visitor: Any, username: str, password: str = PASSWORD) -> Any:
    form = {"grant_type": "password", "username": username, "password": password}
    return await visitor.post("/v1/auth/token", data=form)


async def signed_in(office: Office, username: str) -> Any:
    """The tokens of a new session of somebody who is given a password."""
    response = await log_in(await office.visitor(), username)
    assert response.status_code == 200, response.text
    return response.json()


def set_clock(office: Office, at: datetime) -> None:
    front = office.app.state.front
    office.app.state.front = replace(front, kawal=replace(front.kawal, now=lambda: at))


async def trail_of(office: Office, account: UUID | str, *, like: str = "account.%") -> list[str]:
    rows = await office.scene.rows(
        "SELECT type FROM audit_events WHERE stream = :stream AND type LIKE :like ORDER BY seq",
        stream=f"account:{account}",
        like=like,
    )
    return [row.type for row in rows]
