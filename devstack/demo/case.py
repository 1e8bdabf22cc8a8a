"""One case as the demonstration follows it: what its people do in turn, and waiting for what comes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from devstack.demo.api import Api, DemoError, Document
from devstack.demo.field import look
from devstack.demo.musdes import Spoken, hold_musdes
from devstack.demo_people import VILLAGES, demo_id
from domain.vocabulary import GroundCheckReason, GroundOutcome, Outcome, ReasonCode, Stage, Status

POLL: Final = 0.4
PATIENCE: Final = 60.0
"""Seconds that any one thing may take to come about."""

EXPRESS: Final = (Stage.VERIFICATION, Stage.APPROVAL)
"""The human stages of the express route."""

Watch = Callable[[str], None]
"""Told in a few words whenever something has happened to the case."""

_OF_VILLAGE: Final = {Stage.VERIFICATION: "puskesos", Stage.DELIBERATION: "kades"}
_OF_REGENCY: Final = {
    Stage.APPROVAL: "verifikator",
    Stage.ENDORSEMENT: "kadis",
    Stage.CONFLICT: "asisten",
    Stage.APPEAL: "asisten",
}


class Case:
    """A submitted update; `story` is what happened to it so far, `began` when it was submitted (monotonic seconds)."""

    def __init__(self, api: Api, *, receipt: Document, village: str, operator: str, watch: Watch) -> None:
        self.id: str = receipt["id"]
        self.tracking_code: str = receipt["tracking_code"]
        self.story: list[str] = []
        self.began = time.monotonic()
        self._api = api
        self._path = f"/v1/updates/{self.id}"
        self._village = village
        self._operator = operator
        self._watch = watch
        self._status = ""

    def tell(self, what: str) -> None:
        """Add to the story."""
        self.story.append(what)
        self._watch(what)

    async def read(self) -> Document:
        """The case as the district's supervisor sees it now."""
        document = await self._api.get("slrt.taraju", self._path)
        if document["status"] != self._status:
            self._status = document["status"]
            self._watch(self._status)
        return document

    async def until(self, holds: Callable[[Document], bool], *, what: str) -> Document:
        """The case once something holds of it. Raises DemoError when it takes too long, or can no longer come."""
        give_up_at = asyncio.get_running_loop().time() + PATIENCE
        while not holds(document := await self.read()):
            if document["closed_at"] is not None:
                raise DemoError(f"waited for {what}, but the case is {document['status']}")
            if asyncio.get_running_loop().time() > give_up_at:
                raise DemoError(f"waited {PATIENCE:g} s for {what}; the case is {document['status']}")
            await asyncio.sleep(POLL)
        return document

    async def status(self, wanted: Status) -> Document:
        """The case once it has that status."""
        return await self.until(lambda case: case["status"] == wanted.value, what=wanted.value)

    async def ended(self, wanted: Status) -> Document:
        """The case once it has ended so."""
        give_up_at = asyncio.get_running_loop().time() + PATIENCE
        while (document := await self.read())["status"] != wanted.value:
            if asyncio.get_running_loop().time() > give_up_at:
                raise DemoError(f"waited {PATIENCE:g} s for {wanted.value}; the case is {document['status']}")
            await asyncio.sleep(POLL)
        return document

    async def stage(self, wanted: Stage) -> Document:
        """The case once it stands in that stage with an open task."""
        return await self.until(lambda case: case["stage"] == wanted.value and case["task"] is not None, what=wanted)

    async def decide(
        self,
        stage: Stage,
        outcome: Outcome = Outcome.FORWARD,
        *,
        by: str | None = None,
        reason: ReasonCode | None = None,
        note: str | None = None,
    ) -> None:
        """Wait for the stage and decide in it; by the officer whose stage it is, unless somebody else is named.

        The village decides by the minutes of a musdes.
        """
        task = (await self.stage(stage))["task"]
        if stage is Stage.DELIBERATION:
            minutes = await hold_musdes(self._api, self._village, [Spoken(self.id, outcome, reason)])
            if minutes["progress"]["decided"] != 1:
                raise DemoError(f"the minutes did not decide the case: {minutes['cases']}")
            return
        body: Document = {"outcome": outcome.value}
        if reason is not None:
            body["reason"] = reason.value
        if note is not None:
            body["note"] = note
        await self._api.post(by or self._officer(stage), f"/v1/tasks/{task['id']}/decision", body)

    async def forward(self, *stages: Stage) -> None:
        """Each of these stages, one after the other, forwarded by its own officer."""
        for stage in stages:
            await self.decide(stage)

    async def look(
        self, outcome: GroundOutcome = GroundOutcome.FOUND_AS_REPORTED, *, observed: Document | None = None
    ) -> None:
        """Wait until somebody is asked to look in the field, and report what they found."""
        task = (await self.stage(Stage.GROUND_CHECK))["task"]
        await look(self._api, task["id"], village=self._village, outcome=outcome, observed=observed)
        self.tell(f"looked at in the field: {outcome.value.replace('_', ' ')}")

    async def ask_to_look(self, stage: Stage, note: str) -> None:
        """Ask as the officer of a stage for somebody to look in the field before it is decided."""
        task = (await self.stage(stage))["task"]
        body = {"reason": GroundCheckReason.FACTS_DOUBTED.value, "note": note}
        await self._api.post(self._officer(stage), f"/v1/tasks/{task['id']}/ground-check", body)

    async def resubmit(self, change: Document, evidence: list[Document]) -> None:
        """Send the returned case in again."""
        await self._api.post(self._operator, f"{self._path}/resubmission", {"change": change, "evidence": evidence})

    async def await_document(self, body: Document) -> Document:
        """Let the repair wait for a paper; the case then."""
        await self._api.post(self._operator, f"{self._path}/document-wait", body)
        return await self.status(Status.WAITING_DOCUMENT)

    async def end_document_wait(self) -> None:
        """The paper lies on the operator's desk, and will be sent with the repair."""
        await self._api.post(self._operator, f"{self._path}/document-wait/end", {})

    async def ask_civil_registry_office(self, question: str) -> str:
        """Ask the office of the civil registry before the case is approved; the id of the question."""
        task = (await self.stage(Stage.APPROVAL))["task"]
        body = {
            "office": "civil_registry_office",
            "office_id": str(demo_id("office", "disdukcapil")),
            "question": question,
        }
        path = f"/v1/tasks/{task['id']}/information-requests"
        asked = await self._api.post(self._officer(Stage.APPROVAL), path, body)
        return str(asked["id"])

    async def answer(self, by: str, question: str, text: str) -> None:
        """Answer a question as somebody of the office that was asked."""
        await self._api.post(by, f"/v1/information-requests/{question}/answer", {"text": text})

    async def give_opinion(self, by: str, *, advises: Outcome, text: str, reason: ReasonCode | None = None) -> None:
        """Say in a conflict what an office holds to be right."""
        await self.stage(Stage.OPINION)
        body: Document = {"advises": advises.value, "text": text}
        if reason is not None:
            body["reason"] = reason.value
        await self._api.post(by, f"{self._path}/opinion", body)

    async def appeal(self, text: str) -> Case:
        """Appeal against the rejection; the case that the appeal is."""
        body = {"ground": "facts_wrong", "text": text}
        receipt = await self._api.post(self._operator, f"{self._path}/appeal", body)
        appeal = Case(self._api, receipt=receipt, village=self._village, operator=self._operator, watch=self._watch)
        appeal.story = self.story
        return appeal

    async def reopen(self, text: str) -> Case:
        """Have the lapsed case reopened; the case that carries it on."""
        body = {"reason": "household_away", "text": text}
        receipt = await self._api.post(self._operator, f"{self._path}/reopening", body)
        again = Case(self._api, receipt=receipt, village=self._village, operator=self._operator, watch=self._watch)
        again.story = self.story
        return again

    async def withdraw(self, note: str) -> None:
        """Take the case back."""
        await self._api.post(self._operator, f"{self._path}/withdrawal", {"note": note})

    def _officer(self, stage: Stage) -> str:
        if stage in _OF_REGENCY:
            return _OF_REGENCY[stage]
        return f"{_OF_VILLAGE[stage]}.{VILLAGES[self._village].lower()}"
