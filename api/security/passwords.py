"""Passwords of the local issuer: argon2id, off the event loop, as slow for a stranger as for an account."""

from __future__ import annotations

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

# OWASP's Password Storage Cheat Sheet, first choice for argon2id: 19 MiB, two passes, one lane.
MEMORY_KIB: Final = 19 * 1024
PASSES: Final = 2
LANES: Final = 1


class PasswordHasher:
    """Hashes and verifies passwords in threads of its own.

    `at_once` bounds how many run together: each takes `memory_kib`, and a storm of log-ins must fill neither
    the memory nor the threads that others wait for. Tests pass a `memory_kib` of 8 and one pass.
    """

    def __init__(
        self,
        *,
        memory_kib: int = MEMORY_KIB,
        passes: int = PASSES,
        lanes: int = LANES,
        at_once: int = 2,
    ) -> None:
        self._hasher = PasswordHash(
            (Argon2Hasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes),),
        )
        self._threads = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="password")
        self._nobodys_hash = self._hasher.hash("nobody's password")

    async def hash_password(self, plain: str) -> str:
        """The hash to store: argon2id in PHC form, with its own salt and parameters."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._hash, plain)

    async def verify_password(self, plain: str, stored: str | None) -> tuple[bool, str | None]:
        """Whether the password is right, and a new hash to store when the stored one's parameters are old.

        `stored` is None where there is no such account: it takes as long as a wrong password, and is never right.
        Raises `ValueError`, as late, if what is stored is no argon2 hash; the message does not quote it.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._verify, plain, stored)

    def close(self) -> None:
        """End the threads; those that are hashing finish first."""
        self._threads.shutdown()

    def _hash(self, plain: str) -> str:
        return self._hasher.hash(_normal(plain))

    def _verify(self, plain: str, stored: str | None) -> tuple[bool, str | None]:
        if stored is None:
            self._hasher.verify(_normal(plain), self._nobodys_hash)
            return False, None
        try:
            return self._hasher.verify_and_update(_normal(plain), stored)
        except (UnknownHashError, UnicodeEncodeError):
            self._hasher.verify(_normal(plain), self._nobodys_hash)
            # The library's error carries what is stored, which may be a password in plain text.
            raise ValueError("what is stored as a password hash is no argon2 hash") from None


def _normal(plain: str) -> bytes:
    """The same bytes for the same characters, whichever keyboard composed them (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", plain).encode("utf-8", "surrogatepass")
