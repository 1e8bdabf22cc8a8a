"""What runs of the embedded stack, and what memory each part takes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from devstack.cluster import Cluster
from devstack.processes import recorded_process
from runtime.settings import data_dir

SUPERVISOR_RECORD = "up"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """One part of the stack with all its processes: memory in MiB, CPU time and age in seconds."""

    name: str
    pid: int
    processes: int
    memory_mib: float
    cpu_seconds: float
    age_seconds: float


def status(data: Path | None = None) -> list[StatusRow]:
    """The running parts of the stack in `data` (the settings' folder when None); empty when nothing runs.

    Memory is the proportional share where the system tells it, so PostgreSQL's shared buffers count once.
    """
    folder = data or data_dir()
    leaders = {record.stem: recorded_process(record) for record in sorted((folder / "run").glob("*.json"))}
    home = folder / "postgres"
    if home.exists():
        leaders["postgres"] = Cluster(home.resolve(), programs=home, user=None).postmaster()
    rows = [_row(name, leader) for name, leader in leaders.items() if leader is not None]
    return [row for row in rows if row is not None]


def _row(name: str, leader: psutil.Process) -> StatusRow | None:
    try:
        # The supervisor's descendants have rows of their own.
        members = [leader] if name == SUPERVISOR_RECORD else [leader, *leader.children(recursive=True)]
        return StatusRow(
            name=name,
            pid=leader.pid,
            processes=len(members),
            memory_mib=round(_memory(members) / 2**20, 1),
            cpu_seconds=round(sum(sum(member.cpu_times()[:2]) for member in members), 1),
            age_seconds=round(time.time() - leader.create_time(), 1),
        )
    except psutil.NoSuchProcess:
        return None


def _memory(processes: Sequence[psutil.Process]) -> int:
    total = 0
    for process in processes:
        try:
            total += getattr(process.memory_full_info(), "pss", 0) or process.memory_info().rss
        except psutil.AccessDenied:
            total += process.memory_info().rss
    return total
