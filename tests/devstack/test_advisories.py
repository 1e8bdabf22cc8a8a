"""Whether published advisories about locked libraries are found: asked of a server that speaks as OSV does."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from devstack import advisories

ADVISORY = {
    "id": "PYSEC-2026-1",
    "summary": "A query may be read by others.",
    "affected": [
        {
            "package": {"name": "sqlalchemy", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}],
        }
    ],
}


@contextmanager
def osv(about: dict[str, Any], asked: set[str]) -> Generator[str]:
    """A server of advisories, by the name of the library."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
            asked.add(name)
            body = json.dumps({"vulns": [about[name]]} if name in about else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002  named by the base class
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query"
        finally:
            server.shutdown()
            serving.join()


def test_an_advisory_about_a_locked_library_is_named_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    asked = set[str]()
    with osv({"sqlalchemy": ADVISORY}, asked) as url:
        assert advisories.main(url) == 1
    told = capsys.readouterr().err
    assert "PYSEC-2026-1, mended in 99.1. A query may be read by others." in told
    assert {"sqlalchemy", "temporalio", "fastapi", "asyncpg", "pytest"} <= asked


def test_without_advisories_all_is_well_and_the_libraries_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    asked = set[str]()
    with osv({}, asked) as url:
        assert advisories.main(url) == 0
    assert capsys.readouterr().out == f"Advisories: 0 about {len(asked)} libraries.\n"
    assert len(asked) > 100


@pytest.mark.parametrize("required", [False, True])
def test_a_line_that_is_down_is_said_and_fails_only_where_advisories_are_required(
    capsys: pytest.CaptureFixture[str], *, required: bool
) -> None:
    assert advisories.main("http://127.0.0.1:9/v1/query", required=required) == int(required)
    assert "OSV cannot be reached" in capsys.readouterr().err
