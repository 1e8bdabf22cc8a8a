"""Where bytes are kept by name: a folder of this machine, or a bucket of any S3-compatible store.

Neither knows what it holds: content arrives sealed. A name is written whole or not at all.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError as StoreError
from obstore.store import S3Store

from domain.errors import EvidenceUnavailable

if TYPE_CHECKING:
    from obstore.store import S3Config  # a type alone: the library has none of it at run time

_Result = TypeVar("_Result")

_UNAVAILABLE: Final = "The store of files does not answer."
_PATIENCE: Final = timedelta(seconds=20)
_TRIES: Final = 5


class MissingObjectError(Exception):
    """There is nothing under this name."""


class ObjectInfo(NamedTuple):
    """One name of the store, how many bytes are under it, and when they were written."""

    name: str
    size: int
    written_at: datetime


class Objects(Protocol):
    """Bytes by name. Every call raises EvidenceUnavailable while the store does not answer."""

    async def put(self, name: str, content: bytes) -> None:
        """Keep `content` under `name` for good, whatever was there before."""
        ...

    async def get(self, name: str) -> bytes:
        """All that is under `name`. Raises MissingObjectError."""
        ...

    async def get_range(self, name: str, start: int, stop: int) -> bytes:
        """The bytes from `start` to before `stop`, fewer at the end. Raises MissingObjectError."""
        ...

    async def exists(self, name: str) -> bool:
        """Whether anything is under `name`."""
        ...

    async def delete(self, name: str) -> None:
        """Remove `name`; that it was not there is no fault."""
        ...

    def walk(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Every name below the folder `prefix`."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class FolderObjects:
    """A folder: written beside, synced, and renamed, so that a crash leaves the old content or the new one."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, name: str, content: bytes) -> None:
        """Keep it for good, whatever was there before."""
        await _on_disk(partial(_write, self._root / name, content))

    async def get(self, name: str) -> bytes:
        """All that is there."""
        return await _on_disk((self._root / name).read_bytes)

    async def get_range(self, name: str, start: int, stop: int) -> bytes:
        """A part of it."""
        return await _on_disk(partial(_read, self._root / name, start, stop))

    async def exists(self, name: str) -> bool:
        """Whether anything is there."""
        return await _on_disk((self._root / name).is_file)

    async def delete(self, name: str) -> None:
        """Remove it."""
        await _on_disk(partial(_remove, self._root / name))

    async def walk(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Every name below a folder."""
        for info in await _on_disk(partial(_walk, self._root, prefix)):
            yield info

    async def close(self) -> None:
        """Nothing is held open."""


class S3Objects:
    """A bucket, under a prefix of it; calls are signed (SigV4) and repeated a few times by the library."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    async def put(self, name: str, content: bytes) -> None:
        """Keep it for good, whatever was there before."""
        with _s3_faults():
            await obstore.put_async(self._store, name, content)

    async def get(self, name: str) -> bytes:
        """All that is there."""
        with _s3_faults():
            found = await obstore.get_async(self._store, name)
            return bytes(await found.bytes_async())

    async def get_range(self, name: str, start: int, stop: int) -> bytes:
        """A part of it."""
        with _s3_faults():
            return bytes(await obstore.get_range_async(self._store, name, start=start, end=stop))

    async def exists(self, name: str) -> bool:
        """Whether anything is there."""
        try:
            with _s3_faults():
                await obstore.head_async(self._store, name)
        except MissingObjectError:
            return False
        return True

    async def delete(self, name: str) -> None:
        """Remove it."""
        with suppress(MissingObjectError), _s3_faults():
            await obstore.delete_async(self._store, name)

    async def walk(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Every name below a folder."""
        with _s3_faults():
            # The overload of the library for Arrow is untyped.
            async for batch in self._store.list(prefix=prefix):  # pyright: ignore[reportUnknownMemberType]
                for meta in batch:
                    yield ObjectInfo(meta["path"], meta["size"], meta["last_modified"])

    async def close(self) -> None:
        """The library's threads may abort the interpreter when it ends in the same instant as their last call."""
        await asyncio.sleep(0.3)


class S3Access(NamedTuple):
    """How a bucket is reached; without keys, by what the machine is given (instance or web identity)."""

    endpoint: str | None = None
    region: str = "us-east-1"
    access_key_id: str | None = None
    secret_access_key: str | None = None


def open_objects(place: str, access: S3Access) -> Objects:
    """The store that a setting names: `s3://bucket/prefix`, or a folder."""
    parts = urlsplit(place)
    if parts.scheme != "s3":
        return FolderObjects(Path(place.removeprefix("file://")))
    config: S3Config = {"region": access.region}
    if access.endpoint is not None:
        config["endpoint"] = access.endpoint
    if access.access_key_id is not None and access.secret_access_key is not None:
        config["access_key_id"] = access.access_key_id
        config["secret_access_key"] = access.secret_access_key
    store = S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        config=config,
        client_options={
            "allow_http": (access.endpoint or "").startswith("http://"),
            "timeout": _PATIENCE,
            "connect_timeout": timedelta(seconds=5),
        },
        retry_config={"max_retries": 3, "retry_timeout": _PATIENCE},
    )
    return S3Objects(store)


class _s3_faults:  # noqa: N801  used as a function; a class costs no generator where every call passes
    """Say what the library's faults mean: nothing there, or a store that does not answer."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        if isinstance(fault, FileNotFoundError):
            raise MissingObjectError from fault
        if isinstance(fault, StoreError):
            raise EvidenceUnavailable(_UNAVAILABLE, data={"fault": type(fault).__name__}) from fault


async def _on_disk(call: Callable[[], _Result]) -> _Result:
    try:
        return await asyncio.to_thread(call)
    except FileNotFoundError as fault:
        raise MissingObjectError from fault
    except OSError as fault:
        raise EvidenceUnavailable(_UNAVAILABLE, data={"fault": type(fault).__name__}) from fault


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{token_hex(8)}")
    try:
        with os.fdopen(_create(beside), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _create(path: Path) -> int:
    """A handle on a new file. Its folder may be removed, being empty, between the two steps: then both again."""
    for _ in range(_TRIES):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileNotFoundError):
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    raise EvidenceUnavailable(_UNAVAILABLE, data={"fault": "FileNotFoundError"})


def _sync(folder: Path) -> None:
    """Make a rename survive a crash of the machine."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path, start: int, stop: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(stop - start)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    with suppress(OSError):  # others are in it
        path.parent.rmdir()


def _walk(root: Path, prefix: str) -> list[ObjectInfo]:
    return list(_files(root, root / prefix))


def _files(root: Path, folder: Path) -> Iterator[ObjectInfo]:
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # removed meanwhile
            facts = path.stat()
            if path.is_file():
                written_at = datetime.fromtimestamp(facts.st_mtime, UTC)
                yield ObjectInfo(path.relative_to(root).as_posix(), facts.st_size, written_at)
