"""What is said on paper of groups, roles and decisions, in Indonesian; docs/glossary.md has the same words."""

from __future__ import annotations

from datetime import date
from typing import Final

from domain.vocabulary import AttendanceGroup, Outcome, Role

GROUPS: Final = {
    AttendanceGroup.VILLAGE_HEAD: "Kepala desa atau lurah",
    AttendanceGroup.VILLAGE_OPERATOR: "Operator desa",
    AttendanceGroup.VILLAGE_COUNCIL: "BPD",
    AttendanceGroup.NEIGHBOURHOODS: "Ketua RT dan RW",
    AttendanceGroup.FAMILIES: "Perwakilan keluarga yang diusulkan",
    AttendanceGroup.BABINSA: "Babinsa",
    AttendanceGroup.PUSKESOS: "Petugas PUSKESOS",
    AttendanceGroup.COMMUNITY: "Tokoh masyarakat",
}
OUTCOMES: Final = {Outcome.FORWARD: "Setuju", Outcome.RETURN: "Perbaiki", Outcome.REJECT: "Tolak"}
ROLES: Final = {
    Role.VILLAGE_HEAD: "Kepala Desa / Lurah",
    Role.VILLAGE_OPERATOR: "Operator Desa",
    Role.VILLAGE_COUNCIL: "Ketua BPD",
    Role.PUSKESOS_OFFICER: "Petugas PUSKESOS",
}
"""Those who sign; another role is printed by its code."""
_WEEKDAYS: Final = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_MONTHS: Final = (
    *("Januari", "Februari", "Maret", "April", "Mei", "Juni"),
    *("Juli", "Agustus", "September", "Oktober", "November", "Desember"),
)


def day_in_words(day: date) -> str:
    """Such as `Senin, 5 Januari 2026`."""
    return f"{_WEEKDAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]} {day.year}"
