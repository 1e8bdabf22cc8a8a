"""Commands that a person gives under their own name: through the API, which asks them who they are."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Any, Final
from uuid import uuid4

import httpx2
import typer
from pydantic import TypeAdapter

from commands.terminal import CommandFailed, show_violations
from domain.errors import Violation
from runtime.settings import get_settings

_TIMEOUT: Final = 30.0
_VIOLATIONS: Final = TypeAdapter(list[Violation])

Username = Annotated[
    str | None,
    typer.Option("--as", metavar="USERNAME", help="Who you are; without it, an access token is asked for."),
]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password or token from standard input, for scripts.")
]


class Session:
    """A person's requests. What the API refuses is a CommandFailed in the API's own words."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client

    def get(self, path: str, **query: str) -> Any:
        """What is read at `path`."""
        return self._ask("GET", path, params=query)

    def post(self, path: str, body: dict[str, Any] | None = None, *, holds: int | None = None) -> Any:
        """What comes of an act, on the version of the thing that is held."""
        headers = {"Idempotency-Key": str(uuid4())} | ({} if holds is None else {"If-Match": f'"v{holds}"'})
        return self._ask("POST", path, json=body or {}, headers=headers)

    def _ask(self, method: str, path: str, **content: Any) -> Any:
        answer = _sent(self._client, method, path, **content)
        if not answer.is_success:
            raise _refusal(answer)
        return answer.json()


@contextmanager
def signed_in(username: str | None, *, password_stdin: bool) -> Generator[Session]:
    """Somebody at the API of this installation, for as long as the block lasts. Raises CommandFailed."""
    with httpx2.Client(base_url=get_settings().public_url, timeout=_TIMEOUT, trust_env=False) as client:
        secret = _typed("Access token" if username is None else f"Password of {username}", from_stdin=password_stdin)
        token = secret if username is None else _token(client, username, secret)
        client.headers["Authorization"] = f"Bearer {token}"
        yield Session(client)


def _typed(what: str, *, from_stdin: bool) -> str:
    return sys.stdin.readline().rstrip("\n") if from_stdin else typer.prompt(what, hide_input=True, err=True)


def _token(client: httpx2.Client, username: str, password: str) -> str:
    form = {"grant_type": "password", "username": username, "password": password}
    answer = _sent(client, "POST", "/v1/auth/token", data=form)
    if not answer.is_success:
        raise _refusal(answer)
    return str(answer.json()["access_token"])


def _sent(client: httpx2.Client, method: str, path: str, **content: Any) -> httpx2.Response:
    try:
        return client.request(method, path, **content)
    except httpx2.HTTPError as fault:
        url = client.base_url
        raise CommandFailed(f"The API at {url} does not answer ({type(fault).__name__}). Is it running?") from fault


def _refusal(answer: httpx2.Response) -> CommandFailed:
    try:
        problem = answer.json()
    except ValueError:
        return CommandFailed(f"The API answers with HTTP status {answer.status_code}.")
    if found := problem.get("violations"):
        show_violations(_VIOLATIONS.validate_python(found))
    detail = str(problem.get("detail", f"HTTP status {answer.status_code}"))
    return CommandFailed(f"{detail} {problem.get('remedy', '')}".strip())
