"""The changes that the scenarios submit, and the papers that come with them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from devstack.demo.api import Document
from devstack.demo.people import adults_beside_head, details, paper
from devstack.demo.scene import Scene
from domain.household import Household, Member, Relation, Sex
from domain.vocabulary import Kind

HOUSE_PHOTO: Final = [paper("house_photo", "foto-rumah-depan.jpg")]
COURT_ORDER: Final = [paper("court_order", "Penetapan 84/Pdt.P/2026/PA.Tmk")]
DEATH_CERTIFICATE: Final = [paper("death_certificate", "Akta kematian 3206-KM-2026")]
RELOCATION_LETTER: Final = [paper("relocation_letter", "SKPWNI/3206/2026")]


def household_papers() -> list[Document]:
    """What a new household needs."""
    return [paper("kk", "Kartu Keluarga"), paper("ktp", "KTP-el kepala keluarga"), *HOUSE_PHOTO]


async def arrivals(scene: Scene) -> Document:
    """The change by which such a family has come from Kota Bandung."""
    moved_on = (scene.today - timedelta(days=6)).isoformat()
    family = await newcomers_household(scene)
    return family | {"kind": Kind.MOVE_IN.value, "moved_on": moved_on, "origin_area": "32.73"}


async def newcomers_household(scene: Scene, *, wealthy: bool = False) -> Document:
    """The change that brings in a couple with a child, whom the civil registry is told of."""
    kk_number = scene.newcomers.kk_number()
    family = [
        (await scene.newcomers.person(Sex.MALE, age=34), Relation.HEAD),
        (await scene.newcomers.person(Sex.FEMALE, age=31), Relation.SPOUSE),
        (await scene.newcomers.person(Sex.MALE, age=8), Relation.CHILD),
    ]
    registered = [(person.model_copy(update={"kk_number": kk_number}), relation) for person, relation in family]
    await scene.admin.register(*(person for person, _ in registered))
    plain = {"floor": "cement", "wall": "woven_bamboo", "roof": "tile", "lighting": "grid_metered", "power_va": 450}
    grand = {"floor": "ceramic", "wall": "masonry", "roof": "concrete", "cars": 2, "power_va": 5_500}
    return {
        "kind": Kind.NEW_HOUSEHOLD.value,
        "kk_number": kk_number,
        "address": {"hamlet": "Pasir Kaler", "rt": "002", "rw": "001"},
        "circumstances": grand if wealthy else plain,
        "members": [details(person, relation) for person, relation in registered],
    }


def plainer_house() -> Document:
    """The change after a storm."""
    seen = {"roof": "zinc", "wall": "woven_bamboo", "floor": "earth", "motorcycles": 0}
    return {"kind": Kind.CIRCUMSTANCES.value, "circumstances": seen}


async def court_ordered_name(scene: Scene, village: str) -> tuple[Document, Household]:
    """The change of the head's name to what the civil registry already holds."""
    household = await scene.households.take(village, fit=lambda found: head_documented(scene, found))
    head = head_of(household)
    name = scene.newcomers.name(head.sex, birth_year=head.birth_date.year)
    await scene.admin.amend(scene.households.nik(head), name=name)
    return {"kind": Kind.IDENTITY_CORRECTION.value, "member_id": str(head.id), "name": name}, household


async def mover(scene: Scene, village: str) -> tuple[Document, Household]:
    """The change by which a grown member who is not the head moves to Kota Bandung."""
    household, member = await with_an_adult(scene, village, members=2)
    change = {
        "kind": Kind.MOVE_OUT.value,
        "member_ids": [str(member.id)],
        "moved_on": (scene.today - timedelta(days=5)).isoformat(),
        "destination_area": "32.73",
    }
    return change, household


def death_of(member: Member, died_on: date) -> Document:
    """The change that reports a death."""
    return {"kind": Kind.DEATH.value, "member_id": str(member.id), "died_on": died_on.isoformat()}


def head_documented(scene: Scene, household: Household) -> bool:
    """Whether the head can be matched with the civil registry."""
    return scene.households.documented(head_of(household))


def head_of(household: Household) -> Member:
    """The head, whom `Households.take` has made sure of."""
    head = household.head
    if head is None:
        raise ValueError("a household without a head was taken for a case")
    return head


async def with_an_adult(scene: Scene, village: str, *, members: int) -> tuple[Household, Member]:
    """A household of at least so many, and its eldest grown member beside the head who has a NIK."""

    def fit(household: Household) -> bool:
        return len(household.active_members) >= members and bool(candidates(household))

    def candidates(household: Household) -> list[Member]:
        return [m for m in adults_beside_head(household, today=scene.today) if scene.households.documented(m)]

    household = await scene.households.take(village, fit=fit)
    return household, candidates(household)[0]
