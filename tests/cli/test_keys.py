"""`kawal keys`: a rotation as the operator does it, and the refusals that keep a registry readable."""

from __future__ import annotations

import json
import os

import pytest

from domain.keyring import generate
from runtime.settings import get_settings
from tests.cli.conftest import Kawal

pytestmark = pytest.mark.usefixtures("settings")


def put_in_front(monkeypatch: pytest.MonkeyPatch, variable: str, key_id: str) -> None:
    monkeypatch.setenv(variable, f"{generate(key_id=key_id)},{os.environ[variable]}")
    get_settings.cache_clear()


async def test_a_key_is_retired_when_nothing_is_under_it_any_more(
    kawal: Kawal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await kawal("demo", "seed", "--households-per-village", "2")
    put_in_front(monkeypatch, "KAWAL_FIELD_KEYS", "k2")
    put_in_front(monkeypatch, "KAWAL_INDEX_KEYS", "k2")
    for ring, what in (("field", "households.content"), ("index", "identity_digests.digest")):
        refused = await kawal("keys", "retire", "k1", "--ring", ring)
        assert refused.exit_code == 1
        assert f"k1 is still needed by {what}" in refused.stderr
    mistyped = await kawal("keys", "retire", "k9", "--ring", "field")
    assert (mistyped.exit_code, "holds no key k9" in mistyped.stderr) == (1, True)
    first = await kawal("keys", "retire", "k2", "--ring", "field")
    assert (first.exit_code, "first key" in first.stderr) == (1, True)
    resealed = await kawal("keys", "reseal", "--chunk", "7")
    assert (resealed.exit_code, resealed.stdout) == (0, "Everything is under the first key of its ring.\n")
    for ring in ("field", "index"):
        retired = await kawal("keys", "retire", "k1", "--ring", ring)
        assert (retired.exit_code, "Nothing is under k1" in retired.stdout) == (0, True)
    shown = json.loads((await kawal("keys", "status", "--json")).stdout)
    assert {(one["key_id"], one["standing"]) for one in shown} == {("k2", "active")}
    assert (await kawal("audit", "verify")).exit_code == 0


async def test_a_key_that_was_taken_away_too_early_is_named(kawal: Kawal, monkeypatch: pytest.MonkeyPatch) -> None:
    await kawal("demo", "seed", "--households-per-village", "1")
    monkeypatch.setenv("KAWAL_FIELD_KEYS", generate(key_id="k2"))
    get_settings.cache_clear()
    shown = await kawal("keys", "status")
    assert shown.exit_code == 1
    assert "households.content\tk1" in shown.stdout
    assert "not in the ring" in shown.stdout
    resealed = await kawal("keys", "reseal")
    assert (resealed.exit_code, "no key with the id 'k1'" in resealed.stderr) == (1, True)


async def test_without_the_engine_no_codec_key_is_retired(kawal: Kawal, monkeypatch: pytest.MonkeyPatch) -> None:
    put_in_front(monkeypatch, "KAWAL_CODEC_KEYS", "k2")
    refused = await kawal("keys", "retire", "k1", "--ring", "codec")
    assert (refused.exit_code, "does not answer" in refused.stderr) == (1, True)
