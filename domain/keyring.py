"""Rings of secret keys: one seals what only the registry may read, the other finds it again by its digest.

A ring is written `k2:BASE64,k1:BASE64` in a setting. The first key is active: it alone seals new values; the
others stay until everything under them has been sealed anew. Rotation is therefore: put a new key in front,
backfill (`needs_rotation`), take the old one away.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
import unicodedata
from typing import Final, NamedTuple, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16

_VERSION: Final = 1
KEY_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_FEWEST_DISTINCT_BYTES: Final = 8  # a random key of 32 bytes has fewer about once in 10**32


class KeyRingError(ValueError):
    """A key setting that cannot be used. Names the setting and the key id, never key material."""


class SealError(Exception):
    """An envelope does not open: altered, of another context, or none at all. No refusal: it stays loud."""


class UnknownKeyError(SealError):
    """The envelope names a key that this ring does not hold: retired too early, or a wrong ring."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"no key with the id {key_id!r} in this ring")
        self.key_id = key_id


class BlindIndex(NamedTuple):
    """One row of a blind index: which key made the digest, and the 32 bytes."""

    key_id: str
    digest: bytes


class KeyRing:
    """Seals bytes with AES-256-GCM under named keys.

    An envelope describes itself: version byte, length of the key id, key id, 12-byte nonce, ciphertext,
    16-byte tag. All of it is authenticated, and so is the `context`, which is not stored: an envelope moved
    to another row or column does not open. Nonces are random, so one key may seal 2**32 values at most (NIST
    SP 800-38D, 8.3): with a million cases a month of a hundred payloads each, a new key is due every 3 years.
    """

    __slots__ = ("_active_id", "_ciphers", "_headers")

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._headers = {key_id: _header(key_id) for key_id in keys}
        self._active_id = next(iter(keys))

    @classmethod
    def parse(cls, text: str, *, setting: str) -> Self:
        """Read `k2:BASE64,k1:BASE64`, the active key first; raises `KeyRingError` that names `setting`."""
        return cls(parse_keys(text, setting=setting))

    @property
    def active_key_id(self) -> str:
        """The id of the key that seals new values."""
        return self._active_id

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of all keys, the active one first."""
        return tuple(self._ciphers)

    def seal(self, plaintext: bytes, *, context: str) -> bytes:
        """Encrypt under the active key; `context` says where: `household_members.identity:<uuid>`."""
        header = self._headers[self._active_id]
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self._active_id].encrypt(nonce, plaintext, header + context.encode())
        return header + nonce + sealed

    def open(self, envelope: bytes, *, context: str) -> bytes:
        """Decrypt with whichever key sealed it; raises `SealError`, of which `UnknownKeyError` is one."""
        key_id = key_id_of(envelope)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise UnknownKeyError(key_id)
        header = self._headers[key_id]
        start = len(header) + NONCE_BYTES
        try:
            return cipher.decrypt(envelope[len(header) : start], envelope[start:], header + context.encode())
        except InvalidTag:
            raise SealError(f"the envelope under key {key_id!r} was altered or belongs elsewhere") from None

    def needs_rotation(self, envelope: bytes) -> bool:
        """Whether another key than the active one sealed it, so that a backfill has to seal it anew."""
        return key_id_of(envelope) != self._active_id

    def __repr__(self) -> str:
        return f"KeyRing(key_ids={self.key_ids!r})"


class IndexRing:
    """Keyed digests by which a sealed value (a NIK, a KK number) is found without being opened.

    HMAC-SHA256, so that whoever holds the table but not the key cannot try all sixteen-digit numbers. Its
    keys are never those of a `KeyRing`. The purpose is part of the digest: equal numbers of different meaning
    do not match.
    """

    __slots__ = ("_keys",)

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = keys

    @classmethod
    def parse(cls, text: str, *, setting: str) -> Self:
        """Read `k2:BASE64,k1:BASE64`, the active key first; raises `KeyRingError` that names `setting`."""
        return cls(parse_keys(text, setting=setting))

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of all keys, the active one first."""
        return tuple(self._keys)

    def digest(self, value: str, *, purpose: str) -> BlindIndex:
        """The digest under the active key: what a new row stores. Only NFC is applied to the value."""
        return self.digests(value, purpose=purpose)[0]

    def digests(self, value: str, *, purpose: str) -> list[BlindIndex]:
        """The digests under every key, the active one first: what a look-up tries while keys are rotated."""
        message = _message(value, purpose=purpose)
        return [BlindIndex(key_id, hmac.digest(key, message, "sha256")) for key_id, key in self._keys.items()]

    def __repr__(self) -> str:
        return f"IndexRing(key_ids={self.key_ids!r})"


def key_id_of(envelope: bytes) -> str:
    """The id of the key that sealed it, from the envelope alone; raises `SealError` if it is no envelope."""
    if len(envelope) < 2 or envelope[0] != _VERSION:  # noqa: PLR2004 - the version byte and the length byte
        raise SealError("not an envelope of a known version")
    end = 2 + envelope[1]
    if len(envelope) < end + NONCE_BYTES + TAG_BYTES:
        raise SealError("the envelope is cut short")
    try:
        key_id = envelope[2:end].decode("ascii")
    except UnicodeDecodeError:
        raise SealError("the envelope names no key") from None
    if not KEY_ID.fullmatch(key_id):
        raise SealError("the envelope names no key")
    return key_id


def generate(*, key_id: str = "k1") -> str:
    """A fresh random key as a ring's text, for the settings of a new installation or the front of a ring."""
    return f"{key_id}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"


def _header(key_id: str) -> bytes:
    return bytes((_VERSION, len(key_id))) + key_id.encode("ascii")


def _message(value: str, *, purpose: str) -> bytes:
    """Purpose and value with the purpose's length in front, so that no other pair spells the same bytes."""
    purpose_bytes = purpose.encode()
    return len(purpose_bytes).to_bytes(2) + purpose_bytes + unicodedata.normalize("NFC", value).encode()


def parse_keys(text: str, *, setting: str) -> dict[str, bytes]:
    """The 32 bytes of each key by its id, in the order of the text; raises `KeyRingError` that names `setting`."""
    keys: dict[str, bytes] = {}
    for position, entry in enumerate(text.split(","), start=1):
        key_id, _, encoded = entry.strip().partition(":")
        if not encoded or not KEY_ID.fullmatch(key_id):
            # The entry is not quoted: a key pasted without an id would end up in a log.
            raise KeyRingError(f"{setting}: entry {position} is not of the form key_id:BASE64")
        if key_id in keys:
            raise KeyRingError(f"{setting}: the key id {key_id!r} stands there twice")
        key = _key(encoded, key_id=key_id, setting=setting)
        if key in keys.values():
            raise KeyRingError(f"{setting}: key {key_id!r} is the same key as another one")
        keys[key_id] = key
    return keys


def _key(encoded: str, *, key_id: str, setting: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise KeyRingError(f"{setting}: key {key_id!r} is not standard base64") from None
    if len(key) != KEY_BYTES:
        raise KeyRingError(f"{setting}: key {key_id!r} has {len(key)} bytes, not {KEY_BYTES}")
    if len(set(key)) < _FEWEST_DISTINCT_BYTES:
        raise KeyRingError(f"{setting}: key {key_id!r} is a placeholder, not a random key")
    return key
