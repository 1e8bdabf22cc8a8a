"""Scenarios in which something goes otherwise: refusals, repairs, silence, an outage."""

from __future__ import annotations

from datetime import timedelta

from devstack.demo.api import Document
from devstack.demo.case import EXPRESS, Case
from devstack.demo.changes import (
    COURT_ORDER,
    DEATH_CERTIFICATE,
    HOUSE_PHOTO,
    RELOCATION_LETTER,
    court_ordered_name,
    death_of,
    head_documented,
    household_papers,
    mover,
    newcomers_household,
    plainer_house,
    with_an_adult,
)
from devstack.demo.people import details, paper
from devstack.demo.scene import Scene
from devstack.demo_people import CIKUBANG, DEUDEUL, TARAJU
from domain.household import Relation, Sex
from domain.vocabulary import HUMAN_STAGES, GroundOutcome, Kind, Outcome, ReasonCode, Stage, Status

TOP = 3
"""The level that the ladder of verification leads to."""

OUTAGE_SECONDS = 5.0


async def death_of_the_living(scene: Scene) -> Case:
    """A death is reported of somebody who, as the civil registry has it, lives; and it was a mistake."""
    household, member = await with_an_adult(scene, TARAJU, members=2)
    change = death_of(member, scene.today - timedelta(days=1))
    case = await scene.submit(TARAJU, change, DEATH_CERTIFICATE, household=household)
    returned = await case.status(Status.RETURNED)
    case.tell(f"returned ({returned['reason']['code']}): the civil registry says {returned['identity'][0]['result']}")
    await case.withdraw("Salah lapor: yang bersangkutan masih hidup.")
    case.tell("reported by mistake, taken back")
    return case


async def misspelt(scene: Scene) -> Case:
    """A relative taken in under a misspelt name: returned, waiting for the family card, repaired, applied."""
    household = await scene.households.take(TARAJU, fit=lambda found: len(found.active_members) > 1)
    person = await scene.newcomers.person(Sex.MALE, age=16)
    person = person.model_copy(update={"kk_number": scene.households.kk_number(household)})
    await scene.admin.register(person)
    right = details(person, Relation.OTHER_RELATIVE)
    evidence = [paper("kk", "Kartu Keluarga terbaru")]
    wrong = {**right, "name": f"{person.name}h"}
    case = await scene.submit(TARAJU, _added(wrong), evidence, household=household)
    returned = await case.status(Status.RETURNED)
    fields = ", ".join(returned["identity"][0]["fields"])
    case.tell(f"returned ({returned['reason']['code']}): {fields} differs")
    await case.await_document({"document": "kk", "office": "civil_registry_office", "reason": "being_corrected"})
    case.tell("waits for the corrected family card, the clock of the repair stands")
    await case.end_document_wait()
    await case.resubmit(_added(right), evidence)
    case.tell("repaired from the family card")
    await case.forward(*HUMAN_STAGES)
    return case


async def rejected(scene: Scene) -> Case:
    """A household of means: the village says yes, the regency no, and somebody outside both decides."""
    change = await newcomers_household(scene, wealthy=True)
    case = await scene.submit(CIKUBANG, change, household_papers())
    await case.look()
    await case.forward(Stage.VERIFICATION, Stage.DELIBERATION)
    await case.decide(
        Stage.APPROVAL,
        Outcome.REJECT,
        reason=ReasonCode.NOT_ELIGIBLE_MEANS,
        note="Dua mobil dan daya 5.500 VA menurut foto.",
    )
    opened = (await case.stage(Stage.OPINION))["conflict"]
    case.tell(f"village and Dinas disagree: a conflict, to be decided by the {opened['decider']}")
    await case.give_opinion("kades.cikubang", advises=Outcome.FORWARD, text="Musdes menilai keluarga ini layak.")
    await case.give_opinion(
        "verifikator2",
        advises=Outcome.REJECT,
        reason=ReasonCode.NOT_ELIGIBLE_MEANS,
        text="Foto menunjukkan dua mobil.",
    )
    await case.decide(Stage.CONFLICT, Outcome.REJECT, reason=ReasonCode.NOT_ELIGIBLE_MEANS)
    case.tell("both heard; rejected out of the conflict (not_eligible_means), open to appeal")
    return case


async def looked_at(scene: Scene) -> Case:
    """PUSKESOS doubts the photo and sends somebody who does not know the household: one wall is another."""
    household = await scene.households.take(TARAJU, fit=lambda found: head_documented(scene, found))
    case = await scene.submit(TARAJU, plainer_house(), HOUSE_PHOTO, household=household)
    await case.ask_to_look(Stage.VERIFICATION, "Fotonya tampak seperti rumah lain.")
    case.tell("PUSKESOS asks for a ground check")
    await case.look(GroundOutcome.DIFFERS, observed={"circumstances": {"wall": "bamboo"}})
    await case.decide(Stage.VERIFICATION, Outcome.RETURN, reason=ReasonCode.UNCLEAR_PHOTO)
    await case.status(Status.RETURNED)
    change = plainer_house()
    change["circumstances"] = {**change["circumstances"], "wall": "bamboo"}
    await case.resubmit(change, HOUSE_PHOTO)
    case.tell("repaired as it was seen")
    await case.forward(*HUMAN_STAGES)
    return case


async def appealed(scene: Scene) -> Case:
    """Rejected for want of quota; the appeal is granted by the tier above and takes the change on."""
    change = await newcomers_household(scene)
    case = await scene.submit(CIKUBANG, change, household_papers())
    await case.forward(Stage.VERIFICATION, Stage.DELIBERATION)
    await case.decide(Stage.APPROVAL, Outcome.REJECT, reason=ReasonCode.QUOTA)
    rejection = (await case.ended(Status.REJECTED))["appealable"]
    case.tell(f"rejected at approval (quota), open to appeal until {rejection['last_day']}")
    appeal = await case.appeal("Kuota desa belum terpakai menurut daftar bulan ini.")
    await appeal.decide(Stage.APPEAL, Outcome.OVERTURN)
    superseded = await case.ended(Status.SUPERSEDED)
    appeal.tell(f"appeal granted by the assistant; the rejected case is {superseded['status']}")
    await appeal.forward(Stage.ENDORSEMENT)
    return appeal


async def withdrawn(scene: Scene) -> Case:
    """The applicant changes their mind while PUSKESOS has the case."""
    household = await scene.households.take(CIKUBANG, fit=lambda found: head_documented(scene, found))
    case = await scene.submit(CIKUBANG, plainer_house(), HOUSE_PHOTO, household=household)
    await case.stage(Stage.VERIFICATION)
    await case.withdraw("Keluarga menarik usulannya.")
    case.tell("withdrawn during verification")
    return case


async def lapsed(scene: Scene) -> Case:
    """Nobody mends a returned case: it lapses after notice, and another carries it on when the household is back."""
    household = await scene.households.take(CIKUBANG, fit=lambda found: head_documented(scene, found))
    case = await scene.submit(CIKUBANG, plainer_house(), HOUSE_PHOTO, household=household)
    await case.decide(Stage.VERIFICATION, Outcome.RETURN, reason=ReasonCode.UNCLEAR_PHOTO)
    notice = (await case.until(lambda found: found["lapse"] is not None, what="the notice"))["lapse"]
    case.tell(f"returned, mended by nobody; the applicant is told that it lapses at {notice['lapses_at'][11:19]} UTC")
    await case.ended(Status.LAPSED)
    case.tell("lapsed")
    again = await case.reopen("Keluarga baru pulang dari kota.")
    await again.status(Status.RETURNED)
    again.tell("reopened")
    await again.resubmit(plainer_house(), HOUSE_PHOTO)
    again.tell("mended with a sharper photo")
    await again.forward(*HUMAN_STAGES)
    return again


async def one_person_office(scene: Scene) -> Case:
    """Operator and PUSKESOS officer are one person, who may not verify what they submitted."""
    change, household = await mover(scene, DEUDEUL)
    case = await scene.submit(
        DEUDEUL,
        change,
        RELOCATION_LETTER,
        household=household,
        operator="serba.deudeul",
    )
    escalated = await case.stage(Stage.VERIFICATION)
    case.tell(f"escalated at once ({escalated['cause']}); the district supervisor verifies")
    await case.decide(Stage.VERIFICATION, by="slrt.taraju")
    await case.forward(Stage.APPROVAL)
    return case


async def silence(scene: Scene) -> Case:
    """Nobody touches the case until it has climbed its whole ladder."""
    household = await scene.households.take(CIKUBANG, fit=lambda found: head_documented(scene, found))
    case = await scene.submit(CIKUBANG, plainer_house(), HOUSE_PHOTO, household=household)
    climbed = await case.until(lambda found: found["level"] >= TOP, what=f"level {TOP}")
    rungs = " → ".join(str(rung["to"]) for rung in climbed["escalations"] if rung["action"] == "escalate")
    case.tell(f"nobody acted: {rungs}; the district supervisor decides")
    await case.decide(Stage.VERIFICATION, by="slrt.taraju")
    await case.forward(*HUMAN_STAGES[1:])
    return case


async def registry_down(scene: Scene) -> Case:
    """The civil registry is down when the case arrives; that is no mismatch, the case waits and goes on."""
    try:
        change, household = await court_ordered_name(scene, CIKUBANG)
        await scene.admin.take_registry_down(OUTAGE_SECONDS)
        case = await scene.submit_now(CIKUBANG, change, COURT_ORDER, household=household)
        await case.until(_clock_stands, what="the clock to stand")
        case.tell("civil registry down: not a mismatch, the clock stands")
        await case.stage(Stage.VERIFICATION)
    finally:
        await scene.admin.bring_registry_back()
        scene.registry_is_up.set()
    case.tell("matched when it was back")
    await case.forward(*EXPRESS)
    return case


async def ministry_returns(scene: Scene) -> Case:
    """The Ministry gives an endorsed case back to the regency once, and accepts it the second time."""
    household = await scene.households.take(TARAJU, fit=lambda found: head_documented(scene, found))
    case = await scene.submit(TARAJU, plainer_house(), HOUSE_PHOTO, household=household)
    await scene.admin.ministry_answers(case.id, {"answer": "returned", "reason": "incomplete_documents"})
    await case.forward(*HUMAN_STAGES)
    await case.until(_answered_by_ministry, what="the Ministry's answer")
    await scene.admin.ministry_answers(case.id, {"answer": "accepted"})
    case.tell("returned by the Ministry to approval, approved and endorsed again")
    await case.forward(Stage.APPROVAL, Stage.ENDORSEMENT)
    return case


def _added(member: Document) -> Document:
    return {"kind": Kind.ADD_MEMBER.value, "member": member}


def _clock_stands(document: Document) -> bool:
    task = document["task"]
    return task is not None and any(pause["to"] is None for pause in task["pauses"])


def _answered_by_ministry(document: Document) -> bool:
    return any(decision["decided_by"] == "partner" for decision in document["decisions"])
