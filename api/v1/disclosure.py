"""Clear values: of one thing for a purpose, of many after a second person has agreed; and who has read what."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.deps import ActorDep, IdempotencyKey, KawalDep, requires
from api.pagination import Page, PageQuery, page_of
from domain.areas import AreaOrNation
from domain.authority import Permission
from domain.disclosure import DisclosureInput, Purpose
from services import bulk_unmasking
from services.bulk_unmasking import BulkAnswer, BulkInput, BulkRequest, BulkRows, RowsInput
from services.keyed import Call
from services.queries.keyset import ByAge
from services.queries.read_log import ReadingMade, ReadLogFilter, list_readings
from services.unmasking import CaseUnmasked, HouseholdUnmasked, unmask_case, unmask_household

router = APIRouter(tags=["disclosure"])


class ReadLogQuery(PageQuery):
    """What narrows the read log."""

    area: AreaOrNation | None = Field(default=None, description="This area and all below it")
    reader: UUID | None = None
    household_id: UUID | None = None
    update_id: UUID | None = None
    batch_id: UUID | None = None
    purpose: Purpose | None = None

    def filter(self) -> ReadLogFilter:
        """The same, as the question has it."""
        return ReadLogFilter(
            area=self.area,
            reader=self.reader,
            household=self.household_id,
            update=self.update_id,
            batch=self.batch_id,
            purpose=self.purpose,
        )


@router.post("/updates/{update_id}/unmask", dependencies=[requires(Permission.PERSONS_UNMASK)])
async def unmask_update(
    update_id: UUID,
    request: DisclosureInput,
    actor: ActorDep,
    kawal: KawalDep,
) -> CaseUnmasked:
    """What an update proposes, with nothing masked. Each answer is a reading of its own in the read log."""
    return await unmask_case(kawal, actor, update_id, request)


@router.post("/households/{household_id}/unmask", dependencies=[requires(Permission.PERSONS_UNMASK)])
async def unmask_one_household(
    household_id: UUID,
    request: DisclosureInput,
    actor: ActorDep,
    kawal: KawalDep,
) -> HouseholdUnmasked:
    """A household with nothing masked. Each answer is a reading of its own in the read log."""
    return await unmask_household(kawal, actor, household_id, request)


@router.get("/read-log", dependencies=[requires(Permission.READ_LOG_READ)])
async def list_read_log(
    query: Annotated[ReadLogQuery, Query()],
    actor: ActorDep,
    kawal: KawalDep,
) -> Page[ReadingMade]:
    """Who saw clear values in your areas, the newest first; with `household_id`, all that a person is to be told."""
    return page_of(await list_readings(kawal, actor, query.filter(), query.page(ByAge)))


@router.post("/unmask-requests", status_code=201, dependencies=[requires(Permission.UNMASKING_REQUEST)])
async def request_unmasking(
    request: BulkInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> BulkRequest:
    """Ask to see many households in the clear. Nothing is shown before another person has approved it."""
    made = await bulk_unmasking.request_bulk(kawal, Call(actor=actor, key=key, at=kawal.now()), request)
    response.headers["Location"] = f"/v1/unmask-requests/{made.id}"
    return made


@router.get("/unmask-requests", dependencies=[requires(Permission.UNMASKING_READ)])
async def list_unmask_requests(
    query: Annotated[PageQuery, Query()],
    actor: ActorDep,
    kawal: KawalDep,
) -> Page[BulkRequest]:
    """The requests in your areas, the newest first."""
    return page_of(await bulk_unmasking.list_requests(kawal, actor, query.page(ByAge)))


@router.get("/unmask-requests/{request_id}", dependencies=[requires(Permission.UNMASKING_READ)])
async def read_unmask_request(request_id: UUID, actor: ActorDep, kawal: KawalDep) -> BulkRequest:
    """One request, and where it stands."""
    return await bulk_unmasking.read_request(kawal, actor, request_id)


@router.post("/unmask-requests/{request_id}/answer", dependencies=[requires(Permission.UNMASKING_APPROVE)])
async def answer_unmask_request(
    request_id: UUID,
    answer: BulkAnswer,
    actor: ActorDep,
    kawal: KawalDep,
) -> BulkRequest:
    """Approve or refuse a request that somebody else made. An approval is good for the hours and rows asked for."""
    return await bulk_unmasking.answer_request(kawal, actor, request_id, answer)


@router.post("/unmask-requests/{request_id}/rows", dependencies=[requires(Permission.UNMASKING_REQUEST)])
async def read_unmasked_rows(
    request_id: UUID,
    wanted: RowsInput,
    actor: ActorDep,
    kawal: KawalDep,
) -> BulkRows:
    """Read some of the rows that were approved. Each row shown is written to the read log, and counts, every time."""
    return await bulk_unmasking.read_rows(kawal, actor, request_id, wanted)
