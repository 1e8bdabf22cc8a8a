"""Demo accounts: one for every role around Desa Taraju, the offices they sit in, and what they are there.

Invented people named for their seat. All have the same password and belong on no machine but one's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

from domain.authority import NATION
from domain.vocabulary import Role, Tier

PASSWORD: Final = "kawal-demo"  # noqa: S105  printed by `kawal up`: it opens invented data on this machine
REGENCY: Final = "32.06"
DISTRICT: Final = "32.06.13"
TARAJU: Final = "32.06.13.2001"
CIKUBANG: Final = "32.06.13.2002"
DEUDEUL: Final = "32.06.13.2003"

_NAMESPACE: Final = UUID("6b0b6f0e-1f4b-5f0e-9a52-0d6b8f1c3a2d")


def demo_id(kind: str, name: str) -> UUID:
    """The id of a demo row: the same on every machine and in every run."""
    return uuid5(_NAMESPACE, f"{kind}:{name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOffice:
    """An office; `key` is what the accounts below call it."""

    key: str
    name: str
    tier: Tier
    area_code: str

    @property
    def id(self) -> UUID:
        """The id of its row."""
        return demo_id("office", self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSeat:
    """A role in an office; over the office's area unless another is named."""

    role: Role
    office: str
    area_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAccount:
    """A person with an account and one or more seats."""

    username: str
    display_name: str
    seats: tuple[DemoSeat, ...]

    @property
    def id(self) -> UUID:
        """The id of its row."""
        return demo_id("user", self.username)

    @property
    def area_code(self) -> str:
        """Where the account is administered: the widest area in which it is something."""
        return min((seat.area_code for seat in self.seats), key=len)


def _village_offices(code: str, name: str) -> tuple[DemoOffice, DemoOffice]:
    return (
        DemoOffice(key=f"desa/{code}", name=f"Pemerintah Desa {name}", tier=Tier.VILLAGE, area_code=code),
        DemoOffice(key=f"puskesos/{code}", name=f"PUSKESOS Desa {name}", tier=Tier.VILLAGE, area_code=code),
    )


VILLAGES: Final = {
    TARAJU: "Taraju",
    CIKUBANG: "Cikubang",
    DEUDEUL: "Deudeul",
    "32.06.13.2004": "Purwarahayu",
    "32.06.13.2005": "Singasari",
    "32.06.13.2006": "Banyuasih",
    "32.06.13.2007": "Raksasari",
    "32.06.13.2008": "Kertaraharja",
    "32.06.13.2009": "Pageralam",
}
"""The nine villages of Kecamatan Taraju."""

OFFICES: Final = (
    *(office for code, name in VILLAGES.items() for office in _village_offices(code, name)),
    DemoOffice(key="slrt", name="SLRT Kecamatan Taraju", tier=Tier.DISTRICT, area_code=DISTRICT),
    DemoOffice(key="kecamatan", name="Kecamatan Taraju", tier=Tier.DISTRICT, area_code=DISTRICT),
    DemoOffice(key="dinsos", name="Dinas Sosial PPKBP3A Kabupaten Tasikmalaya", tier=Tier.REGENCY, area_code=REGENCY),
    DemoOffice(key="setda", name="Sekretariat Daerah Kabupaten Tasikmalaya", tier=Tier.REGENCY, area_code=REGENCY),
    DemoOffice(key="disdukcapil", name="Disdukcapil Kabupaten Tasikmalaya", tier=Tier.REGENCY, area_code=REGENCY),
    DemoOffice(key="inspektorat", name="Inspektorat Kabupaten Tasikmalaya", tier=Tier.REGENCY, area_code=REGENCY),
    DemoOffice(key="provinsi", name="Dinas Sosial Provinsi Jawa Barat", tier=Tier.PROVINCE, area_code="32"),
    DemoOffice(key="kemensos", name="Kementerian Sosial", tier=Tier.NATION, area_code=NATION),
)


def _one(username: str, display_name: str, role: Role, office: str, area_code: str) -> DemoAccount:
    return DemoAccount(
        username=username,
        display_name=display_name,
        seats=(DemoSeat(role=role, office=office, area_code=area_code),),
    )


def _of_village(code: str) -> tuple[DemoAccount, ...]:
    name, office = VILLAGES[code], f"desa/{code}"
    key = name.lower()
    return (
        _one(f"operator.{key}", f"Operator Desa {name}", Role.VILLAGE_OPERATOR, office, code),
        _one(f"puskesos.{key}", f"Petugas PUSKESOS {name}", Role.PUSKESOS_OFFICER, f"puskesos/{code}", code),
        _one(f"kades.{key}", f"Kepala Desa {name}", Role.VILLAGE_HEAD, office, code),
    )


ACCOUNTS: Final = (
    *_of_village(TARAJU),
    _one("bpd.taraju", "Ketua BPD Taraju", Role.VILLAGE_COUNCIL, f"desa/{TARAJU}", TARAJU),
    _one("pkh.taraju", "Pendamping PKH Taraju", Role.GROUND_CHECKER, "slrt", DISTRICT),
    *_of_village(CIKUBANG),
    DemoAccount(
        username="serba.deudeul",
        display_name="Operator dan Petugas PUSKESOS Deudeul",
        seats=(
            DemoSeat(role=Role.VILLAGE_OPERATOR, office=f"desa/{DEUDEUL}", area_code=DEUDEUL),
            DemoSeat(role=Role.PUSKESOS_OFFICER, office=f"puskesos/{DEUDEUL}", area_code=DEUDEUL),
        ),
    ),
    _one("kades.deudeul", "Kepala Desa Deudeul", Role.VILLAGE_HEAD, f"desa/{DEUDEUL}", DEUDEUL),
    _one("slrt.taraju", "Supervisor SLRT Taraju", Role.DISTRICT_SUPERVISOR, "slrt", DISTRICT),
    _one("camat.taraju", "Camat Taraju", Role.SUBDISTRICT_HEAD, "kecamatan", DISTRICT),
    _one("verifikator", "Verifikator Dinas Sosial", Role.REGENCY_VERIFIER, "dinsos", REGENCY),
    _one("verifikator2", "Verifikator Kedua Dinas Sosial", Role.REGENCY_VERIFIER, "dinsos", REGENCY),
    _one("kabid", "Kepala Bidang Dinas Sosial", Role.REGENCY_SUPERVISOR, "dinsos", REGENCY),
    _one("kadis", "Kepala Dinas Sosial", Role.REGENCY_HEAD, "dinsos", REGENCY),
    _one("perencana", "Perencana Dinas Sosial", Role.PLANNER, "dinsos", REGENCY),
    _one("evaluator", "Evaluator Dinas Sosial", Role.EVALUATOR, "dinsos", REGENCY),
    _one("asisten", "Asisten Kesejahteraan Rakyat", Role.REGENCY_ASSISTANT, "setda", REGENCY),
    _one("sekda", "Sekretaris Daerah", Role.REGENCY_SECRETARY, "setda", REGENCY),
    _one("bupati", "Bupati Tasikmalaya", Role.REGENT, "setda", REGENCY),
    _one("dukcapil", "Petugas Disdukcapil", Role.PEER_OFFICER, "disdukcapil", REGENCY),
    _one("inspektorat", "Inspektur Kabupaten", Role.INSPECTORATE, "inspektorat", REGENCY),
    _one("ppdp", "Pejabat Pelindungan Data Pribadi", Role.DATA_PROTECTION_OFFICER, "setda", REGENCY),
    _one("provinsi", "Pengamat Provinsi Jawa Barat", Role.PROVINCE_OBSERVER, "provinsi", "32"),
    _one("kemensos", "Petugas Kementerian Sosial", Role.MINISTRY_OFFICER, "kemensos", NATION),
    DemoAccount(
        username="admin",
        display_name="Administrator Kawal",
        seats=(
            DemoSeat(role=Role.ADMINISTRATOR, office="dinsos", area_code=REGENCY),
            DemoSeat(role=Role.ADMINISTRATOR, office="kemensos", area_code=NATION),
        ),
    ),
)
"""In Deudeul one person is operator and PUSKESOS officer: what they submit they cannot verify, and it escalates."""
