"""What I was told: by name, as one who holds a role over the area, or as one who works where a policy is to hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from db.models import Area, Notification, Update
from db.repositories.people import ancestry
from db.session import Viewer
from domain.authority import Actor
from domain.vocabulary import Kind, Role
from services.kawal import Kawal
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.scope import areas_by_role, within
from services.queries.view import AreaRef, Text, View

WORDS: Final[dict[str, Text]] = {
    "reminder": Text(id="Tugas menunggu keputusan Anda.", en="A task waits for your decision."),
    "escalation": Text(id="Tugas terlambat dan telah dieskalasi.", en="A task is late and has escalated."),
    "returned": Text(id="Usulan dikembalikan untuk diperbaiki.", en="An update was returned to be repaired."),
    "closed": Text(id="Usulan selesai.", en="An update has ended."),
    "handed_over": Text(id="Tugas dialihkan kepada Anda.", en="A task was handed over to you."),
    "extended": Text(id="Batas waktu tugas Anda diperpanjang.", en="The deadline of your task was extended."),
    "comment": Text(id="Ada catatan baru pada usulan.", en="Somebody commented on an update."),
    "deemed": Text(
        id="Tugas dianggap disetujui karena tidak ada yang memutuskan.",
        en="A task counts as forwarded, since nobody decided it.",
    ),
    "conflict": Text(
        id="Instansi berbeda pendapat tentang usulan; pendapat dan keputusan diminta.",
        en="Offices disagree about an update; their opinions and a decision are asked for.",
    ),
    "conflict_decided": Text(
        id="Sengketa tentang usulan telah diputus.", en="The conflict about an update was decided."
    ),
    "appealed": Text(id="Penolakan usulan diajukan keberatan.", en="The rejection of an update was appealed."),
    "appeal_answered": Text(id="Keberatan atas penolakan telah diputus.", en="An appeal was answered."),
    "document_awaited": Text(
        id="Perbaikan usulan menunggu dokumen dari instansi lain.",
        en="The repair of an update waits for a paper of another office.",
    ),
    "document_wait_ended": Text(
        id="Perbaikan usulan tidak lagi menunggu dokumen; batas waktunya berjalan lagi.",
        en="The repair of an update waits for a paper no longer; its clock runs again.",
    ),
    "lapse_told": Text(
        id="Usulan akan berakhir karena tidak diperbaiki; sampaikan kepada pemohon.",
        en="An update will lapse since nobody has mended it; tell the applicant.",
    ),
    "lapsed": Text(
        id="Usulan berakhir karena lewat waktu; masih dapat dibuka kembali.",
        en="An update has lapsed; it can be reopened.",
    ),
    "reopened": Text(
        id="Usulan yang berakhir dibuka kembali dan menunggu perbaikan.",
        en="A lapsed update was reopened and waits to be repaired.",
    ),
    "information_requested": Text(
        id="Keterangan diminta dari instansi Anda tentang sebuah usulan.", en="Your office is asked about an update."
    ),
    "information_reminder": Text(
        id="Pertanyaan kepada instansi lain belum dijawab.", en="A question to another office has no answer yet."
    ),
    "information_escalation": Text(
        id="Instansi lain terlambat menjawab pertanyaan tentang usulan.",
        en="Another office is late to answer a question about an update.",
    ),
    "information_answered": Text(
        id="Instansi lain menjawab pertanyaan tentang usulan.", en="Another office answered a question about an update."
    ),
    "information_unanswered": Text(
        id="Instansi lain belum menjawab; batas waktu tugas berjalan lagi.",
        en="Another office has not answered; the clock of the task runs again.",
    ),
    "ground_check": Text(id="Verifikasi lapangan diminta kepada Anda.", en="You are asked to look in the field."),
    "ground_checked": Text(
        id="Hasil verifikasi lapangan telah dilaporkan; usulan menunggu keputusan.",
        en="What was found in the field is reported; the update waits for a decision.",
    ),
    "ground_report_corrected": Text(
        id="Laporan verifikasi lapangan diperbaiki.", en="A report from the field was corrected."
    ),
    "sent_back": Text(
        id="Usulan dikembalikan ke tahap sebelumnya oleh administrator.",
        en="An administrator sent an update back to a stage.",
    ),
    "clock_order_entered": Text(
        id="Pelayanan ditangguhkan atau gangguan dicatat; batas waktu ikut bergeser.",
        en="Service is suspended, or an outage was recorded; deadlines move along.",
    ),
    "clock_order_corrected": Text(
        id="Catatan penangguhan atau gangguan diperbaiki.", en="A suspension or an outage was corrected."
    ),
    "clock_order_lifted": Text(
        id="Penangguhan atau gangguan berakhir; waktu berjalan lagi.",
        en="A suspension or an outage has ended; clocks run again.",
    ),
    "round_planned": Text(id="Periode pemutakhiran direncanakan.", en="An update round was planned."),
    "round_rescheduled": Text(id="Jadwal periode pemutakhiran berubah.", en="An update round was rescheduled."),
    "round_closed": Text(id="Periode pemutakhiran ditutup.", en="An update round was closed."),
    "round_proposal_asked": Text(
        id="Desa diminta mengusulkan sasaran dan tanggal musdes.", en="The village is asked for its target and musdes."
    ),
    "round_puskesos_asked": Text(
        id="Usulan sasaran desa menunggu persetujuan PUSKESOS.", en="The plan of a village waits for PUSKESOS."
    ),
    "round_dinas_asked": Text(
        id="Usulan sasaran desa menunggu persetujuan Dinas Sosial.", en="The plan of a village waits for Dinas Sosial."
    ),
    "round_answer_asked": Text(
        id="Ada keberatan atas usulan sasaran desa; tanggapan diminta.",
        en="Somebody objects to the plan of the village; its answer is asked for.",
    ),
    "round_ruling_asked": Text(
        id="Keberatan atas usulan sasaran desa menunggu keputusan.",
        en="An objection to the plan of a village waits for a decision.",
    ),
    "round_plan_determined": Text(id="Sasaran desa telah ditetapkan.", en="The plan of the village is determined."),
    "round_signoff_reminder": Text(
        id="Rencana desa menunggu tanda tangan Anda.", en="The plan of a village waits for you."
    ),
    "round_signoff_escalation": Text(
        id="Tanda tangan atas rencana desa terlambat dan telah dieskalasi.",
        en="A signature under the plan of a village is late and has escalated.",
    ),
    "round_signoff_digest": Text(
        id="Rencana desa masih belum ditandatangani.", en="The plan of a village is still not signed."
    ),
    "rolled_over": Text(
        id="Usulan lewat batas periode dan dihitung untuk periode berikutnya; tidak ditolak.",
        en="An update missed the cut-off of the round and counts for the next one; it is not rejected.",
    ),
    "digest": Text(id="Tugas masih belum diputuskan.", en="A task is still undecided."),
    "policy_consultation": Text(
        id="Rancangan kebijakan terbuka untuk ditanggapi.", en="A draft policy awaits comments."
    ),
    "policy_amended": Text(
        id="Rancangan kebijakan diubah dan kembali terbuka untuk ditanggapi.",
        en="A draft policy was amended and awaits comments anew.",
    ),
    "policy_commented": Text(id="Rancangan kebijakan Anda ditanggapi.", en="Somebody commented on your draft policy."),
    "policy_comment_answered": Text(id="Tanggapan Anda dijawab.", en="Your comment was answered."),
    "policy_withdrawn": Text(id="Rancangan kebijakan ditarik kembali.", en="A draft policy was withdrawn."),
    "policy_published": Text(id="Kebijakan baru diterbitkan.", en="A new policy was published."),
    "policy_emergency": Text(
        id="Kebijakan darurat berlaku untuk sementara dan terbuka untuk ditanggapi.",
        en="A policy is in force for a time in an emergency, and awaits comments.",
    ),
    "policy_revoked": Text(
        id="Kebijakan dicabut; yang sebelumnya berlaku.", en="A policy was revoked; the former holds."
    ),
    "policy_took_effect": Text(id="Kebijakan baru mulai berlaku.", en="A new policy has taken effect."),
    "policy_lapsed": Text(
        id="Kebijakan darurat berakhir; yang sebelumnya berlaku kembali.",
        en="A policy of an emergency has lapsed; the former is in force again.",
    ),
}
"""What each subject says."""

_ANY_OTHER: Final = Text(id="Ada kabar tentang usulan.", en="There is news of an update.")


class Told(View):
    """A notification."""

    id: UUID
    subject: str
    words: Text
    update_id: UUID | None = Field(description="Null when it is about something else")
    policy_draft_id: UUID | None
    clock_order_id: UUID | None = Field(description="The suspension or the outage that it is about")
    round_id: UUID | None = Field(description="The update round that it is about")
    tracking_code: str | None = Field(description="Null when the case is no longer in your areas")
    kind: Kind | None
    task_id: UUID | None
    area: AreaRef
    to_role: Role | None = Field(description="The role it was sent to; null when it was sent to you by name")
    created_at: datetime


async def list_notifications(kawal: Kawal, actor: Actor, page: PageOf[ByAge]) -> Slice[Told, ByAge]:
    """What the actor was told, the newest first. One statement."""
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        rows = (await connection.execute(notification_list(actor, page=page))).all()
    shown, after = cut(rows, page.limit, lambda row: ByAge(row.id))
    return Slice([_told(row) for row in shown], after)


def notification_list(actor: Actor, *, page: PageOf[ByAge]) -> Select[*tuple[Any, ...]]:
    """The statement of the list."""
    columns = (
        *(Notification.id, Notification.subject, Notification.update_id, Notification.task_id),
        *(Notification.policy_draft_id, Notification.clock_order_id, Notification.round_id),
        *(Notification.area_code, Notification.to_role, Notification.created_at),
    )
    statement = (
        select(
            *columns,
            func.coalesce(Area.name, Notification.area_code).label("area_name"),
            Update.tracking_code,
            Update.kind,
        )
        .outerjoin(Area, Area.code == Notification.area_code)
        .outerjoin(Update, Update.id == Notification.update_id)
        .where(_to(actor))
        .order_by(Notification.id.desc())
        .limit(page.limit + 1)
    )
    return statement if page.after is None else statement.where(Notification.id < page.after.id)


def _to(actor: Actor) -> ColumnElement[bool]:
    """By name, by role, to all who work in an area, or to somebody whom they stand in for, about work they now have."""
    by_role = (
        and_(Notification.to_role == role.value, within(Notification.area_code, areas))
        for role, areas in areas_by_role(actor.seats).items()
    )
    for_another = (
        and_(
            Notification.to_user_id == seat.on_behalf_of,
            Notification.task_id.is_not(None),
            within(Notification.area_code, (seat.area_code,)),
        )
        for seat in actor.seats
        if seat.lent_by is not None
    )
    to_everybody = and_(
        Notification.update_id.is_(None),
        Notification.to_role.is_(None),
        Notification.to_user_id.is_(None),
        or_(Notification.area_code.in_(_over(actor)), within(Notification.area_code, actor.areas)),
    )
    return or_(Notification.to_user_id == actor.user_id, to_everybody, *by_role, *for_another)


def _over(actor: Actor) -> list[str]:
    """The areas that lie over the actor's: what is told to everybody there is told to them."""
    return sorted({above for area in actor.areas for above in ancestry(area)})


def _told(row: Row[*tuple[Any, ...]]) -> Told:
    return Told(
        id=row.id,
        subject=row.subject,
        words=WORDS.get(row.subject, _ANY_OTHER),
        update_id=row.update_id,
        policy_draft_id=row.policy_draft_id,
        clock_order_id=row.clock_order_id,
        round_id=row.round_id,
        tracking_code=row.tracking_code,
        kind=row.kind,
        task_id=row.task_id,
        area=AreaRef.of(row),
        to_role=row.to_role,
        created_at=row.created_at,
    )
