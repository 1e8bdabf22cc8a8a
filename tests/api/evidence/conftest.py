"""The API with a folder for files, a clamd on loopback, and village operators who upload."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from devstack.temporal import TemporalServer
from duties.evidence_sweep import EvidenceSweep
from runtime.evidence.archive import Archive
from runtime.evidence.objects import FolderObjects
from runtime.settings import Settings
from tests.api.conftest import Office, opened, settings_for, staffed_settings, working
from tests.evidence.clamd import FakeClamd, running_clamd
from tests.scene import SYSTEM, VAULT, Scene

UPLOADS = "/v1/evidence/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {**TUS, "Content-Type": "application/offset+octet-stream"}
TARAJU = "32.06.13.2001"
MOST_BYTES, MOST_UPLOADS = 2 * 1024 * 1024, 5


def metadata(**values: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def checksum(content: bytes, algorithm: str = "sha256") -> dict[str, str]:
    digest = hashlib.new(algorithm, content).digest()
    return {"Upload-Checksum": f"{algorithm} {base64.b64encode(digest).decode()}"}


@dataclass(frozen=True, slots=True)
class Desk:
    """An operator's client, in the steps of the protocol."""

    client: httpx2.AsyncClient

    async def begin(self, length: int, *, key: str | None = None, **told: str) -> httpx2.Response:
        told = {"area_code": TARAJU, "type": "house_photo"} | told
        headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata(**told)}
        return await self.client.post(UPLOADS, headers=headers | ({"Idempotency-Key": key} if key else {}))

    async def begun(self, length: int, **told: str) -> str:
        response = await self.begin(length, **told)
        assert response.status_code == 201, response.text
        return response.headers["Location"]

    async def add(self, place: str, offset: int, content: Any, **headers: str) -> httpx2.Response:
        return await self.client.patch(
            place,
            headers={**BYTES, "Upload-Offset": str(offset), **{k.replace("_", "-"): v for k, v in headers.items()}},
            content=content,
        )

    async def offset(self, place: str) -> int:
        response = await self.client.head(place, headers=TUS)
        assert response.status_code == 200, response.status_code
        return int(response.headers["Upload-Offset"])

    async def state(self, place: str) -> Any:
        return (await self.client.get(place)).json()

    async def uploaded(self, content: bytes, **told: str) -> str:
        """The id of a file that is kept."""
        place = await self.begun(len(content), **told)
        response = await self.add(place, 0, content)
        assert response.status_code == 204, response.text
        return place.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Counter:
    """The office with what lies behind it."""

    office: Office
    folder: Path
    clamd: FakeClamd

    async def desk_of(self, username: str) -> Desk:
        return Desk(await self.office.desk_of(username))

    @property
    def archive(self) -> Archive:
        return Archive(FolderObjects(self.folder), VAULT.fields)

    def files(self, below: str = ".") -> list[str]:
        root = self.folder / below
        return sorted(path.relative_to(self.folder).as_posix() for path in root.rglob("*") if path.is_file())

    def sweep(self, *, orphan_ttl: timedelta = timedelta(days=14)) -> EvidenceSweep:
        scene = self.office.scene
        return EvidenceSweep(
            begin=lambda: scene.worker.transaction(SYSTEM),
            archive=self.archive,
            orphan_ttl=orphan_ttl,
        )


@pytest.fixture
async def counter(scene: Scene, tmp_path: Path) -> AsyncIterator[Counter]:
    async with running_clamd() as clamd, opened(scene, _told(settings_for(scene), tmp_path, clamd)) as office:
        yield Counter(office, tmp_path / "files", clamd)


@pytest.fixture
async def staffed_counter(scene: Scene, tmp_path: Path, temporal_server: TemporalServer) -> AsyncIterator[Counter]:
    """The same, with a real engine and a worker that carries cases."""
    async with running_clamd() as clamd:
        settings = _told(staffed_settings(scene, temporal_server), tmp_path, clamd)
        async with working(scene, settings), opened(scene, settings) as office:
            yield Counter(office, tmp_path / "files", clamd)


def _told(settings: Settings, folder: Path, clamd: FakeClamd) -> Settings:
    return settings.model_copy(
        update={
            "evidence_store": str(folder / "files"),
            "evidence_scanner": f"tcp://127.0.0.1:{clamd.port}",
            "evidence_max_bytes": MOST_BYTES,
            "evidence_max_uploads": MOST_UPLOADS,
        },
    )


@pytest.fixture
async def desk(counter: Counter) -> Desk:
    """The operator of Taraju."""
    return await counter.desk_of("operator.taraju")
