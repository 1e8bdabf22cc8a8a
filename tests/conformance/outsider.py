"""An outsider with the document alone: schemathesis, as its own command, against an API that runs."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

from tests.conformance.wire import Wire

_NOT_ASKED: Final = {
    "DELETE /v1/auth/sessions": "ends the session in which everything else is asked",
    "POST /v1/auth/revoke": "may end it too",
}
"""Operations left out, and why; other tests ask them."""

_NOT_JUDGED: Final = {
    "positive_data_acceptance": "whether what fits the document is also possible depends on the state of the case: "
    "a task that is decided, a code of an area that is none, an If-Match of another version",
}
"""Checks that are not made, and why."""


class Finding(NamedTuple):
    """What schemathesis said, and whether it had nothing to say against the service."""

    passed: bool
    told: str


async def look(wire: Wire, *, token: str | None, examples: int, phases: Sequence[str], tags: Sequence[str]) -> Finding:
    """Run schemathesis with this token over the calls of these tags, over all without any: the same in every run.

    How long it takes to make its data up says something of the machine, and is not judged.
    """
    signed = () if token is None else ("--header", f"Authorization: Bearer {token}")
    about = [part for tag in tags for part in ("--include-tag", tag)]
    left_out = [part for name in _NOT_ASKED for part in ("--exclude-name", name)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "schemathesis.cli", "run", f"{wire.url}/openapi.json", *signed, *about, *left_out),
        *("--phases", ",".join(phases), "--max-examples", str(examples), "--exclude-checks", ",".join(_NOT_JUDGED)),
        *("--generation-deterministic", "--continue-on-failure", "--no-color", "--workers", "1", "--warnings", "off"),
        *("--request-timeout", "20", "--no-shrink", "--suppress-health-check", "too_slow"),
        env=os.environ | {"COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return Finding(process.returncode == 0, said.decode(errors="replace"))
