"""`kawal policies`: the rules of routes, deadlines, ladders and reasons, from a draft to what is in force."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, cast
from uuid import UUID

import typer

from commands.operation import owner_database, run
from commands.session import FromStdin, Session, Username, signed_in
from commands.terminal import AsJson, CommandFailed, note, say, show_json, show_table
from domain.authority import NATION
from domain.consultation import CommentVerdict, EmergencyReason
from domain.policy import Policy, parse_policy
from services.administration.policies import Published, policy_in_force, start_policy

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Policies: drafted, shown to the tiers below, published by somebody else; versioned.",
)

_File = Annotated[Path, typer.Argument(help="A policy as JSON, `-` for standard input.", allow_dash=True)]
_Area = Annotated[str | None, typer.Option(help="Take it for this regency (32.06) or the nation (*) instead.")]
_Draft = Annotated[UUID, typer.Argument(metavar="DRAFT", help="The id of the draft.")]
_Why = Annotated[str, typer.Option("--note", help="Why, in words for everybody who reads it.")]
_Note = Annotated[str | None, typer.Option("--note", help="What it is for, in words for those who are asked.")]
_From = Annotated[
    datetime | None,
    typer.Option("--effective-from", formats=["%Y-%m-%dT%H:%M:%S%z"], help="Not before this moment, with its zone."),
]


@app.command("start")
def start(file: _File, *, area: _Area = None) -> None:
    """Put the first policy in force where none is: the operator's one act. Every further one begins as a draft.

    Every fault is listed with its place and its remedy, and then nothing is put in force.
    """
    policy = parse_policy(_read(file, area=area))
    started = run(_start(policy))
    say(f"Version {started.number} of the policy for {started.area_code} is in force ({started.id}).")


@app.command("show")
def show(
    *,
    area: Annotated[str, typer.Option(help="An area: the policy that a case there begins with now.")] = NATION,
) -> None:
    """Print the policy in force as JSON; what it is goes to standard error."""
    found = run(_show(area))
    note(f"{found.policy.title.en}: version {found.number} for {found.area_code}, in force since {found.effective_at}.")
    show_json(found.policy.model_dump(mode="json"))


@app.command("draft")
def draft(
    file: _File,
    *,
    area: _Area = None,
    why: _Note = None,
    effective_from: _From = None,
    username: Username = None,
    password_stdin: FromStdin = False,
    json: AsJson = False,
) -> None:
    """Write a draft of the next policy and try it on the open cases, which stay as they are. Nobody is asked yet."""
    body = _body(file, area=area, why=why, effective_from=effective_from)
    with signed_in(username, password_stdin=password_stdin) as session:
        _tell(session.post("/v1/policies/drafts", body), json=json)


@app.command("amend")
def amend(
    draft_id: _Draft,
    file: _File,
    *,
    base: Annotated[UUID | None, typer.Option(help="Rebase it on this version of the policy.")] = None,
    why: _Note = None,
    effective_from: _From = None,
    username: Username = None,
    password_stdin: FromStdin = False,
    json: AsJson = False,
) -> None:
    """Write the next revision of a draft. If it is on show, it is shown anew for the whole time; comments stay."""
    body = _body(file, area=None, why=why, effective_from=effective_from)
    if base is not None:
        body["based_on"] = str(base)
    with signed_in(username, password_stdin=password_stdin) as session:
        held = _held(session, draft_id)
        _tell(session.post(f"{_path(draft_id)}/revisions", body, holds=held), json=json)


@app.command("drafts")
def drafts(
    *, area: _Area = None, username: Username = None, password_stdin: FromStdin = False, json: AsJson = False
) -> None:
    """List the drafts of your areas and those that are shown to them, the newest first."""
    with signed_in(username, password_stdin=password_stdin) as session:
        query = {} if area is None else {"area_code": area}
        found = session.get("/v1/policies/drafts", limit="200", **query)["items"]
    if json:
        show_json(found)
        return
    show_table(
        ("id", "area", "name", "status", "revision", "comments until", "comments", "unanswered"),
        [
            (
                *(item["id"], item["area"]["code"], item["name"], item["status"], item["revision"]),
                item["consultation"] and item["consultation"]["closes_at"],
                *(item["comments"], item["unanswered"]),
            )
            for item in found
        ],
    )


@app.command("diff")
def diff(
    draft_id: _Draft, *, username: Username = None, password_stdin: FromStdin = False, json: AsJson = False
) -> None:
    """Show what a draft would change in the policy in force, field by field and in words."""
    with signed_in(username, password_stdin=password_stdin) as session:
        found = session.get(f"{_path(draft_id)}/diff")["differences"]
    if json:
        show_json(found)
    else:
        show_table(("where", "what changes"), [(item["pointer"], item["words"]["en"]) for item in found])


@app.command("consult")
def consult(
    draft_id: _Draft, *, username: Username = None, password_stdin: FromStdin = False, json: AsJson = False
) -> None:
    """Show a draft to everybody who works in its area, for the time that the policy in force gives them."""
    with signed_in(username, password_stdin=password_stdin) as session:
        _tell(session.post(f"{_path(draft_id)}/consultation"), json=json)


@app.command("comment")
def comment(
    draft_id: _Draft,
    text: Annotated[str, typer.Argument(help="What you have to say.")],
    *,
    at: Annotated[
        str | None, typer.Option(help="The rule it is about, as `diff` shows it: /stages/approval/deadline.")
    ] = None,
    revision: Annotated[int | None, typer.Option(help="The revision that you have read; the present one.")] = None,
    username: Username = None,
    password_stdin: FromStdin = False,
) -> None:
    """Say something of a draft while it is shown. It is kept for good, and the office that drafted it answers."""
    with signed_in(username, password_stdin=password_stdin) as session:
        read = revision or session.get(_path(draft_id))["revision"]
        body = {"text": text, "revision": read} | ({} if at is None else {"pointer": at})
        made = session.post(f"{_path(draft_id)}/comments", body)
    say(f"Comment {made['id']} on revision {made['revision']} is kept.")


@app.command("comments")
def comments(
    draft_id: _Draft, *, username: Username = None, password_stdin: FromStdin = False, json: AsJson = False
) -> None:
    """List what was said of a draft and what was answered, the newest first."""
    with signed_in(username, password_stdin=password_stdin) as session:
        found = session.get(f"{_path(draft_id)}/comments", limit="200")["items"]
    if json:
        show_json(found)
        return
    show_table(
        ("id", "from", "revision", "where", "comment", "answer", "reason"),
        [
            (
                *(item["id"], f"{item['role']} {item['area']['name']}", item["revision"], item["pointer"]),
                item["text"],
                *((item["answer"]["verdict"], item["answer"]["reason"]) if item["answer"] else (None, None)),
            )
            for item in found
        ],
    )


@app.command("answer")
def answer(
    draft_id: _Draft,
    comment_id: Annotated[UUID, typer.Argument(metavar="COMMENT", help="The id of the comment.")],
    verdict: Annotated[CommentVerdict, typer.Argument(help="What the office says of it.")],
    reason: Annotated[str, typer.Argument(help="Why.")],
    *,
    username: Username = None,
    password_stdin: FromStdin = False,
) -> None:
    """Answer a comment for the office that drafted. An answer is not changed any more."""
    with signed_in(username, password_stdin=password_stdin) as session:
        body = {"verdict": verdict.value, "reason": reason}
        session.post(f"{_path(draft_id)}/comments/{comment_id}/answer", body)
    say(f"Comment {comment_id} is answered: {verdict.value}.")


@app.command("publish")
def publish(draft_id: _Draft, *, username: Username = None, password_stdin: FromStdin = False) -> None:
    """Publish a draft after its consultation, as somebody who wrote none of it. Open cases keep their version."""
    with signed_in(username, password_stdin=password_stdin) as session:
        held = _held(session, draft_id)
        _put(session.post(f"{_path(draft_id)}/publication", holds=held))


@app.command("emergency")
def emergency(
    draft_id: _Draft,
    *,
    reason: Annotated[EmergencyReason, typer.Option(help="Why it cannot wait.")],
    why: _Why,
    username: Username = None,
    password_stdin: FromStdin = False,
) -> None:
    """Put a draft in force at once and for a bounded time, as somebody who wrote none of it; its consultation opens."""
    with signed_in(username, password_stdin=password_stdin) as session:
        held = _held(session, draft_id)
        body = {"reason": reason.value, "note": why}
        _put(session.post(f"{_path(draft_id)}/emergency", body, holds=held))


@app.command("withdraw")
def withdraw(
    draft_id: _Draft,
    *,
    why: _Why,
    username: Username = None,
    password_stdin: FromStdin = False,
    json: AsJson = False,
) -> None:
    """Give a draft up. What was said of it stays."""
    with signed_in(username, password_stdin=password_stdin) as session:
        held = _held(session, draft_id)
        _tell(session.post(f"{_path(draft_id)}/withdrawal", {"note": why}, holds=held), json=json)


@app.command("revoke")
def revoke(
    version_id: Annotated[UUID, typer.Argument(metavar="VERSION", help="The id of the version.")],
    *,
    why: _Why,
    username: Username = None,
    password_stdin: FromStdin = False,
) -> None:
    """Take back a version of an emergency that is in force, or one that has not taken effect."""
    with signed_in(username, password_stdin=password_stdin) as session:
        revoked = session.post(f"/v1/policies/{version_id}/revocation", {"note": why})
    say(f"Version {revoked['number']} of the policy for {revoked['area_code']} is revoked; the one before it holds.")


def _path(draft_id: UUID) -> str:
    return f"/v1/policies/drafts/{draft_id}"


def _held(session: Session, draft_id: UUID) -> int:
    return int(session.get(_path(draft_id))["version"])


def _tell(found: dict[str, Any], *, json: bool) -> None:
    """Where a draft stands, and how it fell out on the open cases."""
    if json:
        show_json(found)
        return
    say(f"Draft {found['id']} for {found['area']['code']}, revision {found['revision']}: {found['status']}.")
    trial = found["trial"]
    say(f"{trial['affected']} of {trial['open_cases']} open cases would be treated otherwise; they keep their policy.")
    if found["consultation"]:
        say(f"Comments are taken until {found['consultation']['closes_at']}.")
    for item in found["missing"]:
        note(f"Missing before it may be published: {item['detail']}")


def _put(version: dict[str, Any]) -> None:
    told = f"Version {version['number']} of the policy for {version['area_code']}"
    if version["emergency"] is not None:
        say(f"{told} is in force until {version['emergency']['ends_at']} unless it is confirmed ({version['id']}).")
    elif version["state"] == "scheduled":
        say(f"{told} takes effect on {version['effective_at']} ({version['id']}).")
    else:
        say(f"{told} is in force ({version['id']}).")


async def _start(policy: Policy) -> Published:
    async with owner_database().transaction() as connection:
        return await start_policy(connection, policy, at=datetime.now(UTC))


async def _show(area_code: str) -> Published:
    async with owner_database().transaction() as connection:
        return await policy_in_force(connection, area_code, at=datetime.now(UTC))


def _body(file: Path, *, area: str | None, why: str | None, effective_from: datetime | None) -> dict[str, Any]:
    told = {"note": why, "effective_from": effective_from and effective_from.isoformat()}
    return {"policy": _read(file, area=area)} | {name: value for name, value in told.items() if value is not None}


def _read(file: Path, *, area: str | None) -> object:
    """Raises CommandFailed for what is no JSON."""
    try:
        text = typer.get_text_stream("stdin").read() if str(file) == "-" else file.read_text(encoding="utf-8")
        document: object = json.loads(text)
    except (OSError, ValueError) as fault:
        raise CommandFailed(f"{file} cannot be read as JSON: {fault}") from fault
    if area is not None and isinstance(document, Mapping):
        return {**cast("Mapping[str, object]", document), "area_code": area}
    return document
