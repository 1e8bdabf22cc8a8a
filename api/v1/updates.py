"""Reading updates: the list, one in full, its story, its change field by field, its trail, its workflow."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.conditional import NOT_MODIFIED, KnownDep
from api.deps import ActorDep, KawalDep, requires
from api.pagination import Page, PageQuery, page_of
from domain.areas import AreaOrNation
from domain.authority import Permission
from domain.contracts import LiveCase
from domain.text import SearchTerm
from domain.vocabulary import Kind, Role, Stage, Status
from services.queries.audit import Trail, read_trail
from services.queries.case import CaseInFull, read_case_in_full
from services.queries.cases import CaseFilter, CaseSummary, list_cases
from services.queries.comparison import Comparison, compare_case
from services.queries.keyset import ByAge
from services.queries.live import ask_live
from services.queries.timeline import Timeline, read_timeline

router = APIRouter(tags=["updates"])


class UpdateQuery(PageQuery):
    """What narrows the list of updates."""

    status: tuple[Status, ...] = ()
    stage: tuple[Stage, ...] = ()
    kind: tuple[Kind, ...] = ()
    area: AreaOrNation | None = Field(default=None, description="This area and all below it")
    overdue: bool | None = Field(default=None, description="Whether the open task is past its deadline")
    level: Annotated[int, Field(ge=0, le=99)] | None = Field(default=None, description="Escalated at least so far")
    holder: Role | None = Field(default=None, description="Open tasks that this role may decide")
    will_miss_cutoff: bool | None = Field(
        default=None, description="Late for the cut-off of the round by the deadlines left on the route"
    )
    q: Annotated[SearchTerm, Field(max_length=40)] | None = Field(
        default=None,
        repr=False,
        json_schema_extra={"pattern": r"^(?:(?:[-. ]*[0-9]){16}[-. ]*|(?:[- ]*[0-9A-TV-Za-tv-z]){16}[- ]*)$"},
        description="A tracking code, or a NIK or KK number: found inside your areas, and not written to any log",
    )

    def filter(self) -> CaseFilter:
        """The same, as the question has it."""
        return CaseFilter(
            status=self.status,
            stage=self.stage,
            kind=self.kind,
            area=self.area,
            overdue=self.overdue,
            level=self.level,
            holder=self.holder,
            will_miss_cutoff=self.will_miss_cutoff,
            term=self.q,
        )


@router.get("/updates", dependencies=[requires(Permission.UPDATES_READ)])
async def list_updates(query: Annotated[UpdateQuery, Query()], actor: ActorDep, kawal: KawalDep) -> Page[CaseSummary]:
    """The updates in your areas, newest first: where each stands, who holds it, since when and until when."""
    return page_of(await list_cases(kawal, actor, query.filter(), query.page(ByAge)))


@router.get(
    "/updates/{update_id}",
    response_model=CaseInFull,
    responses=NOT_MODIFIED,
    dependencies=[requires(Permission.UPDATES_READ)],
)
async def read_update(
    update_id: UUID,
    actor: ActorDep,
    kawal: KawalDep,
    known: KnownDep,
    response: Response,
) -> CaseInFull | Response:
    """One update: what it proposes, who holds it and why, its deadline explained, and what you may do with it.

    Its ETag names the version of the case, which every step of the case raises, and what is shown of it: a claim, or a
    round or a calendar that moves its deadline, changes the tag as well.
    """
    case = await read_case_in_full(kawal, actor, update_id)
    return known.answer(response, case, version=case.version) or case


@router.get("/updates/{update_id}/timeline", dependencies=[requires(Permission.UPDATES_READ)])
async def read_update_timeline(update_id: UUID, actor: ActorDep, kawal: KawalDep) -> Timeline:
    """What happened, by whom; and who held the update from when to when, adding up to its age."""
    return await read_timeline(kawal, actor, update_id)


@router.get("/updates/{update_id}/diff", dependencies=[requires(Permission.UPDATES_READ)])
async def read_update_diff(update_id: UUID, actor: ActorDep, kawal: KawalDep) -> Comparison:
    """Each field that the update changes: before, as proposed, and in the registry now."""
    return await compare_case(kawal, actor, update_id)


@router.get("/updates/{update_id}/audit", dependencies=[requires(Permission.AUDIT_READ)])
async def read_update_audit(update_id: UUID, actor: ActorDep, kawal: KawalDep) -> Trail:
    """The hash chain of the update as it is stored, and whether it is whole."""
    return await read_trail(kawal, actor, update_id)


@router.get("/updates/{update_id}/live", dependencies=[requires(Permission.UPDATES_READ)])
async def ask_workflow(update_id: UUID, actor: ActorDep, kawal: KawalDep) -> LiveCase:
    """The workflow's own answer to where the update stands; 503 while the engine does not answer."""
    return await ask_live(kawal, actor, update_id)
