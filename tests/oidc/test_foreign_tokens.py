"""What is taken of a token that another issuer signed, and what is not, whatever it says of itself."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey, import_key
from pydantic import ValidationError

from api.security.foreign_tokens import ForeignTokens
from domain.errors import IssuerUnavailable, Unauthenticated
from runtime.oidc.provider import PAUSE_SECONDS, Provider
from runtime.oidc.settings import IssuerSettings
from tests.oidc.conftest import parts, trusted
from tests.oidc.provider import AUDIENCE, CLIENT, OpenIdProvider, provider_at

NOT_LONG = timedelta(seconds=29)
TOO_LONG = timedelta(seconds=32)
HOUR = timedelta(hours=1)
FRESH = IssuerSettings.model_fields["keys_fresh_for"].default
GOOD = IssuerSettings.model_fields["keys_good_for"].default


class Trust:
    """Kawal's part: one issuer that is trusted, and the clocks by which tokens and questions are judged."""

    def __init__(self, settings: IssuerSettings) -> None:
        self.seconds = 0.0
        self.provider = Provider(settings, clock=lambda: self.seconds)
        self.tokens = ForeignTokens([self.provider])

    async def subject(self, token: str, *, after: timedelta = timedelta(0)) -> str:
        assert self.tokens.provider_of(token) is self.provider, "it names the issuer"
        return (await self.tokens.verify_access(self.provider, token, now=datetime.now(UTC) + after)).subject

    async def refused(self, token: str, *, after: timedelta = timedelta(0)) -> str:
        with pytest.raises(Unauthenticated) as refusal:
            await self.tokens.verify_access(self.provider, token, now=datetime.now(UTC) + after)
        return refusal.value.data["reason"]


@pytest.fixture
async def trust(issuer: OpenIdProvider) -> AsyncIterator[Trust]:
    held = Trust(trusted(issuer))
    yield held
    await held.tokens.close()


async def issued(issuer: OpenIdProvider, name: str = "siti", *, kind: str = "access_token") -> str:
    return await asyncio.to_thread(issuer.token_of, name, kind=kind)


def written(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def encoded(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """What a signature is over, as a forger writes it."""
    return ".".join(written(json.dumps(part).encode()) for part in (header, claims))


def questions(issuer: OpenIdProvider) -> int:
    return issuer.asked.count("/jwks.json")


async def test_access_token_says_who_somebody_is(issuer: OpenIdProvider, trust: Trust) -> None:
    token = await issued(issuer)
    assert await trust.subject(token) == parts(token)[1]["sub"]
    assert await trust.subject(await issued(issuer)) == parts(token)[1]["sub"]
    assert questions(issuer) == 1, "keys are asked for once"


async def test_clock_that_is_off_by_less_than_the_skew_does_no_harm(issuer: OpenIdProvider, trust: Trust) -> None:
    token = await issued(issuer)
    for after in (-NOT_LONG, HOUR + NOT_LONG - timedelta(seconds=2)):
        assert await trust.subject(token, after=after)
    assert await trust.refused(token, after=HOUR + TOO_LONG) == "token_expired"
    assert await trust.refused(token, after=-TOO_LONG) == "token_not_yet_valid"


async def test_token_that_is_good_from_later_on_is_refused_until_then(issuer: OpenIdProvider) -> None:
    exact = Trust(trusted(issuer, skew="PT0S"))
    issuer.more_claims["nbf"] = int((datetime.now(UTC) + timedelta(seconds=10)).timestamp())
    token = await issued(issuer)
    assert await exact.refused(token) == "token_not_yet_valid"
    assert await exact.subject(token, after=timedelta(seconds=10))
    await exact.tokens.close()


async def test_token_for_another_service_is_refused(issuer: OpenIdProvider, trust: Trust) -> None:
    for audience in ("https://another.example.go.id", AUDIENCE + "/", CLIENT):
        issuer.audience = audience
        assert await trust.refused(await issued(issuer)) == "token_wrong_audience"


async def test_id_token_is_no_access_token(issuer: OpenIdProvider, trust: Trust) -> None:
    assert await trust.refused(await issued(issuer, kind="id_token")) == "token_wrong_audience"
    signs: tuple[dict[str, Any], ...] = ({"at_hash": "x"}, {"typ": "ID"}, {"typ": "Refresh"}, {"events": {}})
    for sign in signs:
        issuer.more_claims = sign
        assert await trust.refused(await issued(issuer)) == "token_malformed", sign


async def test_token_of_an_issuer_that_is_not_trusted_is_nobodys(
    issuer: OpenIdProvider, other_issuer: OpenIdProvider, trust: Trust
) -> None:
    token = await issued(other_issuer)
    assert trust.tokens.provider_of(token) is None
    assert await trust.refused(token) == "token_wrong_signature"
    # One that is trusted too signs for itself alone: its keys open nothing that names the other.
    second = Trust(trusted(other_issuer, name="second"))
    assert await second.subject(token)
    assert await second.refused(await issued(issuer)) == "token_wrong_signature"
    await second.tokens.close()


async def test_whoever_knows_the_public_key_cannot_sign_with_it(issuer: OpenIdProvider, trust: Trust) -> None:
    """Algorithm confusion: the public key taken for the secret of an HMAC, and no signature at all."""
    header, claims = parts(await issued(issuer))
    public = import_key(next(key for key in issuer.public_keys() if key["kid"] == header["kid"]))
    assert isinstance(public, RSAKey)
    for secret in (public.as_pem(private=False), public.as_der(private=False), json.dumps(public.as_dict()).encode()):
        confused = encoded({"alg": "HS256", "kid": header["kid"]}, claims)
        signature = hmac.digest(secret, confused.encode(), "sha256")
        assert await trust.refused(f"{confused}.{written(signature)}") == "token_wrong_algorithm"
    for algorithm in ("none", "None", "NONE", ""):
        token = encoded({"alg": algorithm, "kid": header["kid"]}, claims) + "."
        assert await trust.refused(token) in {"token_wrong_algorithm", "token_malformed"}


async def test_key_that_the_token_brings_itself_is_not_believed(issuer: OpenIdProvider, trust: Trust) -> None:
    header, claims = parts(await issued(issuer))
    mine = RSAKey.generate_key(2048, {"kid": header["kid"]})
    for more in ({}, {"jwk": mine.as_dict(private=False)}, {"jku": "https://evil.example/jwks.json"}):
        forged = jwt.encode({"alg": "RS256", "kid": header["kid"], **more}, claims, mine)
        assert await trust.refused(forged) in {"token_wrong_signature", "token_malformed"}


async def test_claims_that_were_changed_are_refused(issuer: OpenIdProvider, trust: Trust) -> None:
    token = await issued(issuer)
    claims = parts(token)[1] | {"sub": "somebody else"}
    header, _, signature = token.split(".")
    payload = written(json.dumps(claims).encode())
    assert await trust.refused(f"{header}.{payload}.{signature}") == "token_wrong_signature"


async def test_signature_that_is_not_on_the_list_is_refused(tmp_path: Path) -> None:
    with provider_at(tmp_path, algorithm="ES256") as issuer:
        strict, wide = Trust(trusted(issuer)), Trust(trusted(issuer, algorithms=["RS256", "ES256"]))
        token = await issued(issuer)
        assert await strict.refused(token) == "token_wrong_algorithm"
        assert await wide.subject(token)
        for held in (strict, wide):
            await held.tokens.close()


async def test_keys_that_change_are_asked_for_and_old_ones_are_good_no_more(
    issuer: OpenIdProvider, trust: Trust
) -> None:
    before = await issued(issuer)
    assert await trust.subject(before)
    await asyncio.to_thread(issuer.rotate)
    after = await issued(issuer)
    assert await trust.refused(after) == "token_wrong_signature", "asked a moment ago"
    trust.seconds += PAUSE_SECONDS
    assert await trust.subject(after)
    assert await trust.refused(before) == "token_wrong_signature"


async def test_made_up_key_ids_do_not_turn_into_questions(issuer: OpenIdProvider, trust: Trust) -> None:
    _, claims = parts(await issued(issuer))
    mine = RSAKey.generate_key(2048)
    forged = [jwt.encode({"alg": "RS256", "kid": f"made up {n}"}, claims, mine) for n in range(20)]
    for _ in range(3):
        reasons = await asyncio.gather(*(trust.refused(token) for token in forged))
        assert set(reasons) == {"token_wrong_signature"}
        trust.seconds += PAUSE_SECONDS
    assert questions(issuer) == 3


async def test_issuer_that_is_down_is_believed_by_the_keys_that_are_known_for_a_while(
    issuer: OpenIdProvider, trust: Trust
) -> None:
    token = await issued(issuer)
    assert await trust.subject(token)
    issuer.stop()
    for _ in range(3):
        trust.seconds += FRESH.total_seconds() + 1
        assert await trust.subject(token)
    trust.seconds = GOOD.total_seconds() + 1
    with pytest.raises(IssuerUnavailable):
        await trust.subject(token)
    issuer.start()
    await asyncio.to_thread(issuer.rotate)
    trust.seconds += PAUSE_SECONDS
    assert await trust.subject(await issued(issuer)), "and asked again when it is back"


async def test_issuer_that_never_answered_is_said_to_be_away(issuer: OpenIdProvider, trust: Trust) -> None:
    token = await issued(issuer)
    issuer.stop()
    with pytest.raises(IssuerUnavailable):
        await trust.subject(token)
    issuer.start()
    with pytest.raises(IssuerUnavailable):
        await trust.subject(token)
    trust.seconds += PAUSE_SECONDS
    assert await trust.subject(token)


async def test_key_that_was_withdrawn_is_good_no_longer_than_keys_are_fresh(
    issuer: OpenIdProvider, trust: Trust
) -> None:
    token = await issued(issuer)
    assert await trust.subject(token)
    await asyncio.to_thread(issuer.rotate)
    trust.seconds += FRESH.total_seconds()
    assert await trust.subject(token)
    trust.seconds += 1
    reasons = await asyncio.gather(*(trust.refused(token) for _ in range(5)))
    assert set(reasons) == {"token_wrong_signature"}
    assert questions(issuer) == 2, "whoever comes meanwhile waits for the same answer"


async def test_how_long_keys_are_taken_is_set_by_issuer(issuer: OpenIdProvider) -> None:
    hasty = Trust(trusted(issuer, keys_fresh_for="PT10S", keys_good_for="PT1M"))
    token = await issued(issuer)
    assert await hasty.subject(token)
    issuer.stop()
    hasty.seconds += 60
    assert await hasty.subject(token)
    hasty.seconds += 1
    with pytest.raises(IssuerUnavailable):
        await hasty.subject(token)
    await hasty.tokens.close()
    with pytest.raises(ValidationError, match="must not be shorter"):
        trusted(issuer, keys_fresh_for="PT1H", keys_good_for="PT59M")


async def test_metadata_of_another_issuer_is_not_taken(issuer: OpenIdProvider) -> None:
    alias = Trust(trusted(issuer, issuer=issuer.url.replace("127.0.0.1", "localhost")))
    with pytest.raises(IssuerUnavailable):
        await alias.provider.keys_for(None)
    await alias.tokens.close()


@pytest.mark.parametrize(
    "token",
    ["", "a.b", "a.b.c", "..", "é.é.é", "x" * 20_000, "eyJhbGciOiJSUzI1NiJ9.W10.x", "eyJhbGciOiJSUzI1NiJ9.e30."],
)
async def test_what_is_no_token_is_nobodys(issuer: OpenIdProvider, trust: Trust, token: str) -> None:
    assert trust.tokens.provider_of(token) is None
    assert issuer.asked == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://sso.example.go.id"},
        {"issuer": "https://sso.example.go.id?x=1"},
        {"algorithms": ["HS256"]},
        {"algorithms": ["none"]},
        {"algorithms": []},
        {"audience": "kawal", "client_id": "kawal"},
        {"audience": None},
        {"skew": "PT1H"},
        {"name": "SSO"},
        {"scopes": "profile"},
        {"unknown": 1},
    ],
)
def test_settings_that_would_open_a_door_are_refused(wrong: dict[str, Any]) -> None:
    right = {"name": "sso", "issuer": "https://sso.example.go.id/realms/kabupaten", "audience": "kawal"}
    assert IssuerSettings.model_validate(right)
    with pytest.raises(ValidationError):
        IssuerSettings.model_validate(right | wrong)
