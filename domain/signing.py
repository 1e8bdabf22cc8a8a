"""Ed25519 keys (RFC 8032) under names: those that sign, and the public ones by which anybody checks.

The ring of those that sign is written like every other, `k2:BASE64,k1:BASE64`, the active key first. A public key is
written `k1:BASE64` too; it opens nothing and may be given to everybody.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final, NamedTuple, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.keyring import KEY_ID, parse_keys

PUBLIC_BYTES: Final = 32


class PublicKey(NamedTuple):
    """A key by which signatures are checked: its name and its 32 bytes."""

    key_id: str
    raw: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `id:BASE64`. Raises `ValueError` that says what is wrong."""
        key_id, _, encoded = text.strip().partition(":")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if not KEY_ID.fullmatch(key_id) or len(raw) != PUBLIC_BYTES:
            raise ValueError(f"a public key is written id:BASE64 with {PUBLIC_BYTES} bytes")
        return cls(key_id, raw)

    def __str__(self) -> str:
        return f"{self.key_id}:{base64.b64encode(self.raw).decode()}"

    def fits(self, signature: bytes, message: bytes) -> bool:
        """Whether the private half of this key signed `message`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class SigningRing:
    """Private keys by name; the first signs, the others vouch for it once and are then of no use."""

    __slots__ = ("_active_id", "_keys")

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {key_id: Ed25519PrivateKey.from_private_bytes(raw) for key_id, raw in keys.items()}
        self._active_id = next(iter(keys))

    @classmethod
    def parse(cls, text: str, *, setting: str) -> Self:
        """Read `k2:BASE64,k1:BASE64`, the active key first; raises `KeyRingError` that names `setting`."""
        return cls(parse_keys(text, setting=setting))

    @property
    def active(self) -> PublicKey:
        """The public half of the key that signs."""
        return self._public(self._active_id)

    @property
    def public_keys(self) -> tuple[PublicKey, ...]:
        """The public halves of all, that of the active key first."""
        return tuple(self._public(key_id) for key_id in self._keys)

    def sign(self, message: bytes, *, key_id: str | None = None) -> bytes:
        """The 64 bytes of a signature under the active key, or under another one of this ring."""
        return self._keys[key_id or self._active_id].sign(message)

    def __repr__(self) -> str:
        return f"SigningRing(key_ids={tuple(self._keys)!r})"

    def _public(self, key_id: str) -> PublicKey:
        return PublicKey(key_id, self._keys[key_id].public_key().public_bytes_raw())
