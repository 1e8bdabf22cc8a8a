"""A PostgreSQL data folder on disk: where it lies, how it is made, and whose postmaster runs on it."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import psutil

from devstack.binaries import shared_state
from devstack.service_user import ServiceUser, run_as

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""PostgreSQL's programs get nothing of ours: no secrets, no locale, no PGDATA."""


class PostgresError(Exception):
    """PostgreSQL could not be made, started or stopped; the text ends with what it said itself."""


@dataclass(frozen=True, slots=True)
class Passwords:
    """The generated passwords of one cluster, one for each account that can log in."""

    postgres: str
    kawal_migrator: str
    kawal_app: str
    kawal_worker: str

    @classmethod
    def generate(cls) -> Passwords:
        """Four independent passwords of 192 bits."""
        return cls(*(secrets.token_urlsafe(24) for _ in range(4)))

    def __repr__(self) -> str:
        return "Passwords(...)"


def cluster_home(data_dir: Path, user: ServiceUser | None) -> Path:
    """The folder that holds a cluster's data and passwords, made when it is missing.

    For an ordinary user it is `data_dir/postgres`. Root's own folders are closed to the service user and stay
    closed: there `data_dir/postgres` is a link to a folder under `/var/lib/kawal`. The link is the only record of
    which one, so a tree that is moved takes its cluster along.
    """
    place = data_dir / "postgres"
    if place.exists():
        return place.resolve()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.unlink(missing_ok=True)  # a link whose folder is gone
    if user is None:
        place.mkdir(mode=0o700)
        return place.resolve()
    home = Path(tempfile.mkdtemp(prefix="postgres-", dir=shared_state()))
    home.chmod(0o711)  # entered by the service user, listed by root alone
    place.symlink_to(home)
    return home


class Cluster:
    """The files of one cluster under `home`; starts and stops nothing."""

    def __init__(self, home: Path, *, programs: Path, user: ServiceUser | None) -> None:
        self.home = home
        self.data = home / "data"
        self.programs = programs
        self.user = user

    async def ensure(self) -> Passwords:
        """Make the cluster if there is none, whole or not at all; its passwords in any case."""
        file = self.home / "passwords.json"
        if (self.data / "PG_VERSION").exists():
            try:
                return Passwords(**json.loads(file.read_text()))
            except FileNotFoundError:
                raise PostgresError(
                    f"the passwords of the cluster are gone: put {file} back, or remove {self.home} and its data",
                ) from None
        passwords = Passwords.generate()
        write_private(file, json.dumps(asdict(passwords)))
        await self._initialise(passwords.postgres)
        return passwords

    async def _initialise(self, password: str) -> None:
        partial = self.home / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        password_file = self.home / "initdb.password"
        write_private(password_file, password)
        if self.user is not None:
            os.chown(partial, self.user.uid, self.user.gid)
            os.chown(password_file, self.user.uid, self.user.gid)
        try:
            await self.run(
                "initdb",
                *("--pgdata", str(partial), "--username", "postgres", "--pwfile", str(password_file)),
                *("--auth-host", "scram-sha-256", "--auth-local", "scram-sha-256"),
                *("--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin"),
                *("--builtin-locale", "C.UTF-8", "--no-instructions", "--no-sync"),
            )
        finally:
            password_file.unlink()
        partial.rename(self.data)

    async def run(self, program: str, *arguments: str, output: BinaryIO | None = None) -> None:
        """Run one of the wheel's programs as the service user, its words going to `output` if given.

        Raises PostgresError, with those words otherwise.
        """
        process = await asyncio.create_subprocess_exec(
            str(self.programs / program),
            *arguments,
            cwd=self.home,
            env=ENVIRONMENT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if output is None else output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is for us, not for PostgreSQL
            **run_as(self.user),
        )
        said, _ = await process.communicate()
        if process.returncode != 0:
            raise PostgresError(f"{program} failed: {(said or b'').decode(errors='replace').strip()}")

    def postmaster(self) -> psutil.Process | None:
        """The running postmaster of this cluster, if there is one."""
        pid = self._pid_file_line(0)
        return None if pid is None else self._ours(pid)

    def port(self) -> int | None:
        """The port that the running postmaster wrote down."""
        return self._pid_file_line(3)

    async def settle(self, *, patience: float = 15) -> None:
        """After an unclean end, wait for the dead postmaster's children and drop a pid file that names a stranger.

        PostgreSQL sees by itself that a pid is gone, but not that it now belongs to another process, or to a
        zombie that nobody collects, as happens after a reboot and in containers.
        """
        end = time.monotonic() + patience
        while self._children_left():
            if time.monotonic() > end:
                raise PostgresError(f"processes of an earlier server still work in {self.data}")
            await asyncio.sleep(0.1)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _children_left(self) -> bool:
        return any(self._ours(process.pid) is not None for process in psutil.process_iter(["pid"]))

    def _ours(self, pid: int) -> psutil.Process | None:
        """The live PostgreSQL process under this pid that works in our data folder."""
        try:
            process = psutil.Process(pid)
            ours = process.name().startswith("postgres") and Path(process.cwd()) == self.data
        except psutil.Error:
            return None
        return process if ours else None

    def _pid_file_line(self, number: int) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text().splitlines()[number])
        except (FileNotFoundError, IndexError, ValueError):
            return None


def write_private(file: Path, text: str) -> None:
    """Write a file that its owner alone can read, whole or not at all."""
    partial = file.with_name(f"{file.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    partial.replace(file)
