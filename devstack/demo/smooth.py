"""Scenarios in which everybody does their part: one for each kind of change."""

from __future__ import annotations

from datetime import timedelta

from devstack.demo.case import EXPRESS, Case
from devstack.demo.changes import (
    COURT_ORDER,
    DEATH_CERTIFICATE,
    HOUSE_PHOTO,
    RELOCATION_LETTER,
    arrivals,
    court_ordered_name,
    death_of,
    head_documented,
    head_of,
    household_papers,
    mover,
    newcomers_household,
    plainer_house,
    with_an_adult,
)
from devstack.demo.musdes import Spoken, hold_musdes
from devstack.demo.people import paper
from devstack.demo.scene import Scene
from devstack.demo_people import CIKUBANG, TARAJU
from domain.household import Relation, Sex
from domain.vocabulary import HUMAN_STAGES, Kind, Outcome, ReasonCode, Stage


async def new_household(scene: Scene) -> Case:
    """A couple with a child, registered in the civil registry and new to Kawal."""
    change = await newcomers_household(scene)
    case = await scene.submit(TARAJU, change, household_papers())
    await case.forward(*HUMAN_STAGES)
    case.tell("verified, deliberated in a musdes, approved, endorsed, accepted by the Ministry")
    return case


async def circumstances(scene: Scene) -> Case:
    """A household whose house has become plainer than the registry believes."""
    household = await scene.households.take(CIKUBANG, fit=lambda found: head_documented(scene, found))
    case = await scene.submit(CIKUBANG, plainer_house(), HOUSE_PHOTO, household=household)
    await case.forward(*HUMAN_STAGES)
    case.tell("the village's deliberation and the regency agreed")
    return case


async def musdes(scene: Scene) -> Case:
    """Three cases wait for one musdes: it agrees to one, sends one back and turns one down, all by one paper."""
    cases: list[Case] = []
    for _ in range(3):
        household = await scene.households.take(TARAJU, fit=lambda found: head_documented(scene, found))
        cases.append(await scene.submit(TARAJU, plainer_house(), HOUSE_PHOTO, household=household))
    for case in cases:
        await case.forward(Stage.VERIFICATION)
        await case.stage(Stage.DELIBERATION)
    agreed, returned, rejected = cases
    minutes = await hold_musdes(
        scene.api,
        TARAJU,
        [
            Spoken(agreed.id),
            Spoken(returned.id, Outcome.RETURN, ReasonCode.UNCLEAR_PHOTO),
            Spoken(rejected.id, Outcome.REJECT, ReasonCode.NOT_ELIGIBLE_MEANS),
        ],
        scanned=True,
    )
    await returned.stage(Stage.REPAIR)
    await returned.withdraw("Foto tidak dapat diulang; keluarga menarik usulannya.")
    agreed.tell(f"one paper decided {minutes['progress']['decided']} cases: one forwarded, one returned, one rejected")
    await agreed.forward(Stage.APPROVAL, Stage.ENDORSEMENT)
    return agreed


async def identity_correction(scene: Scene) -> Case:
    """A court has changed a name; the verifier asks Disdukcapil about the new family card before approving."""
    change, household = await court_ordered_name(scene, TARAJU)
    case = await scene.submit(TARAJU, change, COURT_ORDER, household=household)
    await case.forward(Stage.VERIFICATION)
    question = await case.ask_civil_registry_office("Apakah Kartu Keluarga dengan nama baru sudah terbit?")
    case.tell("matched under the proposed name; the verifier asks Disdukcapil, the clock stands")
    await case.answer("dukcapil", question, "Sudah terbit dan diambil keluarga.")
    await case.forward(Stage.APPROVAL)
    case.tell("answered by Disdukcapil itself")
    return case


async def death(scene: Scene) -> Case:
    """A death that Disdukcapil has registered."""
    household, member = await with_an_adult(scene, TARAJU, members=2)
    died_on = scene.today - timedelta(days=2)
    await scene.admin.amend(scene.households.nik(member), deceased_on=died_on.isoformat())
    case = await scene.submit(TARAJU, death_of(member, died_on), DEATH_CERTIFICATE, household=household)
    await case.forward(*EXPRESS)
    case.tell("the civil registry knows of the death; express route")
    return case


async def newborn(scene: Scene) -> Case:
    """A child of ten days that has no NIK yet."""
    household = await scene.households.take(TARAJU, fit=lambda found: len(found.active_members) > 1)
    child = {
        "no_nik_reason": "newborn",
        "name": scene.newcomers.name(Sex.FEMALE, birth_year=scene.today.year),
        "sex": Sex.FEMALE.value,
        "birth_date": (scene.today - timedelta(days=10)).isoformat(),
        "relation": Relation.CHILD.value,
    }
    change = {"kind": Kind.ADD_MEMBER.value, "member": child}
    case = await scene.submit(TARAJU, change, [paper("birth_statement", "SKL/117/2026")], household=household)
    await case.forward(*HUMAN_STAGES)
    case.tell("went on without a NIK: a newborn is referred to Disdukcapil")
    return case


async def move_out(scene: Scene) -> Case:
    """Somebody who has moved to the city."""
    change, household = await mover(scene, CIKUBANG)
    case = await scene.submit(CIKUBANG, change, RELOCATION_LETTER, household=household)
    await case.forward(*EXPRESS)
    case.tell("moved to Kota Bandung; express route")
    return case


async def split(scene: Scene) -> Case:
    """A grown member who founds a household under a family card of their own."""
    household, member = await with_an_adult(scene, TARAJU, members=3)
    kk_number = scene.newcomers.kk_number()
    await scene.admin.amend(scene.households.nik(member), kk_number=kk_number)
    staying = [{"member_id": str(other.id)} for other in household.active_members if other.id != member.id]
    change = {
        "kind": Kind.SPLIT_HOUSEHOLD.value,
        "kk_number": kk_number,
        "staying": staying,
        "leaving": [{"member_id": str(member.id), "relation": Relation.HEAD.value}],
    }
    case = await scene.submit(TARAJU, change, [paper("kk", "KK baru")], household=household)
    await case.forward(*HUMAN_STAGES)
    case.tell("two households now, nobody in both")
    return case


async def move_in(scene: Scene) -> Case:
    """A family that has come from the city."""
    change = await arrivals(scene)
    case = await scene.submit(CIKUBANG, change, [paper("kk", "KK pindahan"), *RELOCATION_LETTER, *HOUSE_PHOTO])
    await case.forward(*HUMAN_STAGES)
    case.tell("registered, with where they came from")
    return case


async def graduation(scene: Scene) -> Case:
    """A household that no longer needs PKH, assessed with what has changed."""
    household = await scene.households.take(CIKUBANG, fit=lambda found: head_documented(scene, found))
    change = {
        "kind": Kind.GRADUATION.value,
        "programmes": ["pkh"],
        "cause": "empowerment",
        "assessed_on": scene.today.isoformat(),
        "circumstances": {"motorcycles": 2, "refrigerators": 1},
    }
    papers = [paper("graduation_statement", "SK graduasi PKH 2026"), *HOUSE_PHOTO]
    case = await scene.submit(CIKUBANG, change, papers, household=household)
    await case.forward(*HUMAN_STAGES)
    case.tell("graduated; the facts that it rests on are in the registry")
    return case


async def self_withdrawal(scene: Scene) -> Case:
    """A head who gives Sembako up, and has signed for it."""
    household = await scene.households.take(TARAJU, fit=lambda found: head_documented(scene, found))
    change = {
        "kind": Kind.SELF_WITHDRAWAL.value,
        "programmes": ["sembako"],
        "confirmed_by": str(head_of(household).id),
        "confirmed_on": scene.today.isoformat(),
    }
    papers = [paper("withdrawal_statement", "Surat pernyataan"), paper("ktp", "KTP-el kepala keluarga")]
    case = await scene.submit(TARAJU, change, papers, household=household)
    await case.look()
    await case.forward(*EXPRESS)
    case.tell("confirmed by the person first, then by two offices")
    return case


async def pbi_reactivation(scene: Scene) -> Case:
    """A member whose insurance was ended, and who has to be treated."""
    household, member = await with_an_adult(scene, CIKUBANG, members=2)
    change = {"kind": Kind.PBI_REACTIVATION.value, "member_ids": [str(member.id)], "need": "chronic"}
    papers = [paper("ktp", "KTP-el"), paper("health_letter", "Surat keterangan Puskesmas")]
    case = await scene.submit(CIKUBANG, change, papers, household=household)
    await case.forward(*HUMAN_STAGES)
    case.tell("proposed anew for the insurance")
    return case


async def new_head(scene: Scene) -> Case:
    """A grown member becomes head, and the former head stays."""
    household, member = await with_an_adult(scene, CIKUBANG, members=2)
    change = {
        "kind": Kind.CHANGE_HEAD.value,
        "new_head_id": str(member.id),
        "relations": [{"member_id": str(head_of(household).id), "relation": Relation.OTHER_RELATIVE.value}],
    }
    case = await scene.submit(CIKUBANG, change, [paper("kk", "KK dengan kepala keluarga baru")], household=household)
    await case.forward(*EXPRESS)
    case.tell("the same people under another head")
    return case


async def programme(scene: Scene) -> Case:
    """A household of the registry that is proposed for two programmes."""
    household = await scene.households.take(TARAJU, fit=lambda found: head_documented(scene, found))
    change = {"kind": Kind.PROGRAMME_PROPOSAL.value, "programmes": ["pkh", "sembako"]}
    papers = [paper("kk", "Kartu Keluarga"), *HOUSE_PHOTO]
    case = await scene.submit(TARAJU, change, papers, household=household)
    await case.forward(*HUMAN_STAGES)
    case.tell("the proposal stands; whether aid follows is the programme's to say")
    return case


async def double_entry(scene: Scene) -> Case:
    """A household that was written down twice: the people of the second entry join the first."""
    kept = await scene.households.take(TARAJU, fit=lambda found: head_documented(scene, found))
    other = await scene.households.take(TARAJU, fit=lambda found: found.head is not None)
    joining = [{"member_id": str(m.id), "relation": Relation.OTHER_RELATIVE.value} for m in other.active_members]
    change = {
        "kind": Kind.MERGE_DUPLICATES.value,
        "duplicate_id": str(other.id),
        "duplicate_version": other.version,
        "members": joining,
    }
    case = await scene.submit(TARAJU, change, [paper("kk", "KK yang berlaku")], household=kept)
    await case.forward(*EXPRESS)
    case.tell("one household, and the history of both")
    return case


async def objection(scene: Scene) -> Case:
    """A neighbour says that a household is better off than the registry believes, and is right."""
    household = await scene.households.take(CIKUBANG, fit=lambda found: head_documented(scene, found))
    change = {
        "kind": Kind.OBJECTION.value,
        "ground": "better_off",
        "statement": "Rumahnya sudah berlantai keramik dan ada mobil.",
        "objector": {"name": "Tetangga Sebelah", "contact": "Ketua RT 003"},
        "circumstances": {"floor": "ceramic", "cars": 1},
    }
    case = await scene.submit(CIKUBANG, change, HOUSE_PHOTO, household=household)
    await case.look()
    await case.forward(*EXPRESS)
    case.tell("upheld; who objected is known to the regency alone")
    return case
