"""Tokens that must be taken, tokens that must not and why; passwords; and that neither waits on the event loop."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey
from pwdlib.hashers.argon2 import Argon2Hasher

from api.security.passwords import PasswordHasher
from api.security.tokens import TokenFault, TokenIssuer
from domain.errors import Unauthenticated

KEY = bytes(range(32))
NOW = datetime(2026, 3, 2, 1, 15, tzinfo=UTC)
TTL = timedelta(hours=8)
USER, SESSION = uuid4(), uuid4()


def an_issuer(
    key: bytes = KEY,
    *,
    issuer: str = "http://kawal",
    audience: str = "kawal",
    remember: int = 100,
) -> TokenIssuer:
    return TokenIssuer(key, issuer=issuer, audience=audience, ttl=TTL, remember=remember)


def a_token() -> str:
    return an_issuer().issue(USER, now=NOW, session_id=SESSION)


def signed(header: dict[str, str], **changes: Any) -> str:
    """A token under the right key with what we say in it."""
    claims: dict[str, Any] = {
        "iss": "http://kawal",
        "aud": "kawal",
        "sub": str(USER),
        "sid": str(SESSION),
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + TTL).timestamp()),
    }
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode({"typ": "at+jwt", **header}, claims, OctKey.import_key(KEY), ["HS256", "HS384", "HS512"])


def unsigned(header: dict[str, Any]) -> str:
    parts = [json.dumps(header).encode(), base64.urlsafe_b64decode(a_token().split(".")[1] + "==")]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


def why(token: str, *, now: datetime = NOW, issuer: TokenIssuer | None = None) -> TokenFault:
    with pytest.raises(Unauthenticated) as refusal:
        (issuer or an_issuer()).verify(token, now=now)
    return TokenFault(refusal.value.data["reason"])


def test_a_token_says_who_logged_in_in_which_session_and_until_when() -> None:
    claims = an_issuer().verify(a_token(), now=NOW + timedelta(hours=1))
    assert (claims.user_id, claims.session_id) == (USER, SESSION)
    assert (claims.issued_at, claims.expires_at) == (NOW, NOW + TTL)


@pytest.mark.parametrize("remembered", [True, False])
def test_a_token_lives_thirty_seconds_longer_and_not_one_more(remembered: bool) -> None:  # noqa: FBT001 - pytest's way
    issuer, token = an_issuer(), a_token()
    if remembered:
        issuer.verify(token, now=NOW)
    assert issuer.verify(token, now=NOW + TTL + timedelta(seconds=29)).user_id == USER
    assert why(token, now=NOW + TTL + timedelta(seconds=30), issuer=issuer) is TokenFault.EXPIRED


def test_a_token_from_a_clock_that_goes_ahead_is_taken_within_thirty_seconds() -> None:
    assert an_issuer().verify(a_token(), now=NOW - timedelta(seconds=30)).user_id == USER
    assert why(a_token(), now=NOW - timedelta(seconds=31)) is TokenFault.NOT_YET_VALID


def test_a_refusal_quotes_nothing_of_the_token() -> None:
    token = a_token()
    with pytest.raises(Unauthenticated) as refusal:
        an_issuer().verify(token, now=NOW + timedelta(days=1))
    said = refusal.value.detail + refusal.value.remedy + str(refusal.value.data)
    assert not any(part in said for part in token.split("."))
    assert str(USER) not in said


def test_an_expired_token_is_not_remembered_as_good() -> None:
    issuer, token = an_issuer(), a_token()
    assert why(token, now=NOW + timedelta(days=1), issuer=issuer) is TokenFault.EXPIRED
    assert issuer.remembered == 0


def test_another_key_another_issuer_another_audience_are_told_apart() -> None:
    assert why(a_token(), issuer=an_issuer(bytes(range(1, 33)))) is TokenFault.WRONG_SIGNATURE
    assert why(a_token(), issuer=an_issuer(issuer="http://other")) is TokenFault.WRONG_ISSUER
    assert why(a_token(), issuer=an_issuer(audience="registry")) is TokenFault.WRONG_AUDIENCE


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "RS256", "EdDSA", "HS1"])
def test_an_unsigned_or_strangely_signed_token_is_refused(algorithm: str) -> None:
    assert why(unsigned({"alg": algorithm, "typ": "at+jwt"})) is TokenFault.WRONG_ALGORITHM


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_even_the_right_key_does_not_excuse_another_algorithm(algorithm: str) -> None:
    assert why(signed({"alg": algorithm})) is TokenFault.WRONG_ALGORITHM


@pytest.mark.parametrize("algorithm", [None, 256, ["HS256"], {"HS256": 1}], ids=str)
def test_an_algorithm_that_is_no_text_is_refused(algorithm: Any) -> None:
    assert why(unsigned({"alg": algorithm, "typ": "at+jwt"})) in {TokenFault.MALFORMED, TokenFault.WRONG_ALGORITHM}


def test_a_token_without_an_algorithm_is_refused() -> None:
    assert why(unsigned({"typ": "at+jwt"})) is TokenFault.WRONG_ALGORITHM


def test_another_kind_of_jwt_under_the_same_key_is_no_access_token() -> None:
    assert an_issuer().verify(signed({"alg": "HS256"}), now=NOW).user_id == USER
    assert why(signed({"alg": "HS256", "typ": "JWT"})) is TokenFault.MALFORMED


@pytest.mark.parametrize(
    "changes",
    [{"sub": "admin"}, {"sub": None}, {"sid": None}, {"exp": None}, {"exp": "soon"}, {"iat": None}, {"aud": ["kawal"]}],
    ids=str,
)
def test_a_token_with_other_claims_than_ours_is_malformed(changes: dict[str, Any]) -> None:
    assert why(signed({"alg": "HS256"}, **changes)) is TokenFault.MALFORMED


@pytest.mark.parametrize("token", ["", "x", "..", "a.b", "a.b.c.d", "é.é.é", "\ud800", "e30.e30.e30", "a" * 3000])
def test_what_is_no_token_is_malformed(token: str) -> None:
    assert why(token) in {TokenFault.MALFORMED, TokenFault.WRONG_ALGORITHM}


@given(data=st.data())
def test_no_altered_character_is_accepted(data: st.DataObject) -> None:
    token = a_token()
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda character: character != token[place]))
    assert why(token[:place] + other + token[place + 1 :]) in set(TokenFault)


@given(token=st.text(max_size=200))
def test_any_text_gives_a_refusal_and_no_other_error(token: str) -> None:
    assert why(token) in set(TokenFault)


def test_only_so_many_tokens_are_remembered_and_the_latest_used_stay() -> None:
    issuer = an_issuer(remember=2)
    first, second, third = (issuer.issue(uuid4(), now=NOW, session_id=SESSION) for _ in range(3))
    issuer.verify(first, now=NOW)
    issuer.verify(second, now=NOW)
    forgotten, kept = issuer.verify(second, now=NOW), issuer.verify(first, now=NOW)
    issuer.verify(third, now=NOW)
    assert issuer.remembered == 2
    assert issuer.verify(first, now=NOW) is kept
    assert issuer.verify(second, now=NOW) == forgotten
    assert issuer.verify(second, now=NOW) is not forgotten


def test_a_short_signing_key_is_refused_and_no_key_is_shown() -> None:
    with pytest.raises(ValueError, match="token_signing_key: at least 32 bytes"):
        an_issuer(b"short")
    assert repr(KEY) not in repr(an_issuer())


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    cheap = PasswordHasher(memory_kib=8, passes=1)
    yield cheap
    cheap.close()


async def test_a_right_password_is_right_and_a_wrong_one_wrong(hasher: PasswordHasher) -> None:
    stored = await hasher.hash_password("rahasia")
    assert stored.startswith("$argon2id$")
    assert await hasher.verify_password("rahasia", stored) == (True, None)
    assert await hasher.verify_password("Rahasia", stored) == (False, None)
    assert await hasher.hash_password("rahasia") != stored


async def test_letters_composed_by_another_keyboard_are_the_same_password(hasher: PasswordHasher) -> None:
    stored = await hasher.hash_password("caf\u00e9")
    assert (await hasher.verify_password("cafe\u0301", stored))[0]


async def test_a_password_no_text_could_hold_is_wrong_and_no_error(hasher: PasswordHasher) -> None:
    stored = await hasher.hash_password("rahasia")
    assert await hasher.verify_password("\ud800", stored) == (False, None)


async def test_a_hash_of_old_parameters_is_renewed_by_a_right_password_only(hasher: PasswordHasher) -> None:
    stronger = PasswordHasher(memory_kib=16, passes=2)
    stored = await hasher.hash_password("rahasia")
    assert await stronger.verify_password("wrong", stored) == (False, None)
    right, renewed = await stronger.verify_password("rahasia", stored)
    assert right
    assert renewed is not None
    assert await stronger.verify_password("rahasia", renewed) == (True, None)
    stronger.close()


async def test_no_password_is_right_for_an_account_that_does_not_exist(hasher: PasswordHasher) -> None:
    for guess in ("rahasia", "nobody's password", ""):
        assert await hasher.verify_password(guess, None) == (False, None)


async def test_an_unknown_account_costs_a_whole_verification(
    hasher: PasswordHasher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verified: list[str] = []
    real = Argon2Hasher.verify

    def counting(self: Argon2Hasher, password: str | bytes, stored: str | bytes) -> bool:
        verified.append(str(stored))
        return real(self, password, stored)

    monkeypatch.setattr(Argon2Hasher, "verify", counting)
    await hasher.verify_password("rahasia", None)
    stored = await hasher.hash_password("rahasia")
    assert [entry.rsplit("$", 2)[0] for entry in verified] == [stored.rsplit("$", 2)[0]]


@pytest.mark.parametrize("stored", ["in-plain-text", "", "$argon2id$v=19$m=8,t=1,p=1$\u00e9$YWE"])
async def test_something_stored_that_is_no_hash_is_a_defect_and_not_shown(hasher: PasswordHasher, stored: str) -> None:
    with pytest.raises(ValueError, match=r"no argon2 hash$") as defect:
        await hasher.verify_password("rahasia", stored)
    assert "in-plain-text" not in str(defect.value)


async def test_the_event_loop_goes_on_while_passwords_are_hashed() -> None:
    slow = PasswordHasher(memory_kib=64 * 1024, passes=4)
    hashing = asyncio.create_task(slow.hash_password("rahasia"))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
    slow.close()
