"""What happened, in words for officers, by the type of the audit event."""

from __future__ import annotations

from typing import Final

from domain.audit import AuditType
from services.queries.view import Text

_UNKNOWN: Final = Text(id="Kejadian lain", en="Something else")

WORDS: Final[dict[AuditType, Text]] = {
    AuditType.UPDATE_SUBMITTED: Text(id="Usulan diajukan", en="Update submitted"),
    AuditType.UPDATE_ENGINE_STARTED: Text(id="Usulan mulai diproses", en="Update taken up by the system"),
    AuditType.UPDATE_RESTARTED: Text(
        id="Usulan dilanjutkan oleh pengelola sistem", en="Update taken up again by whoever runs the system"
    ),
    AuditType.UPDATE_STAGE_ENTERED: Text(id="Usulan masuk tahap", en="Update entered a stage"),
    AuditType.UPDATE_IDENTITY_CHECKED: Text(id="Data dipadankan dengan Dukcapil", en="Checked with the civil registry"),
    AuditType.UPDATE_RETURNED: Text(id="Usulan dikembalikan", en="Update returned"),
    AuditType.UPDATE_RESUBMITTED: Text(
        id="Usulan diperbaiki dan diajukan kembali", en="Update repaired and resubmitted"
    ),
    AuditType.UPDATE_WITHDRAWN: Text(id="Usulan ditarik kembali", en="Update withdrawn"),
    AuditType.UPDATE_COMMENTED: Text(id="Catatan ditulis", en="Comment written"),
    AuditType.UPDATE_PUSHED: Text(id="Usulan dikirim ke Kementerian", en="Update sent to the Ministry"),
    AuditType.UPDATE_MINISTRY_ANSWERED: Text(id="Kementerian menjawab", en="The Ministry answered"),
    AuditType.UPDATE_DATA_CONFLICT_FOUND: Text(
        id="Data sudah diubah pihak lain", en="Somebody else had changed the same data"
    ),
    AuditType.UPDATE_SENT_BACK: Text(id="Dikembalikan ke tahap sebelumnya", en="Sent back to a stage"),
    AuditType.UPDATE_DOCUMENT_AWAITED: Text(
        id="Perbaikan menunggu dokumen dari instansi lain", en="The repair waits for a paper of another office"
    ),
    AuditType.UPDATE_DOCUMENT_WAIT_ENDED: Text(
        id="Perbaikan tidak lagi menunggu dokumen", en="The repair waits for a paper no longer"
    ),
    AuditType.UPDATE_ROLLED_OVER: Text(
        id="Lewat batas periode; dihitung untuk periode berikutnya",
        en="After the cut-off of the round; counts for the next one",
    ),
    AuditType.UPDATE_LAPSE_TOLD: Text(
        id="Pemohon diberi tahu bahwa usulan akan berakhir", en="Applicant told that the update will lapse"
    ),
    AuditType.UPDATE_LAPSED: Text(id="Usulan berakhir karena lewat waktu", en="Update lapsed"),
    AuditType.UPDATE_REOPENED: Text(id="Usulan dibuka kembali", en="Update reopened"),
    AuditType.UPDATE_INFORMATION_REQUESTED: Text(
        id="Keterangan diminta dari instansi lain", en="Another office was asked"
    ),
    AuditType.UPDATE_INFORMATION_REMINDED: Text(
        id="Instansi lain diingatkan akan pertanyaan", en="Another office reminded of a question"
    ),
    AuditType.UPDATE_INFORMATION_ESCALATED: Text(
        id="Pertanyaan kepada instansi lain dieskalasi", en="A question to another office escalated"
    ),
    AuditType.UPDATE_INFORMATION_UNANSWERED: Text(
        id="Instansi lain belum menjawab; waktu berjalan lagi",
        en="No answer of another office yet; clock running again",
    ),
    AuditType.UPDATE_INFORMATION_ANSWERED: Text(id="Instansi lain menjawab", en="Another office answered"),
    AuditType.UPDATE_INFORMATION_WITHDRAWN: Text(
        id="Pertanyaan kepada instansi lain ditarik", en="A question to another office withdrawn"
    ),
    AuditType.UPDATE_INFORMATION_DROPPED: Text(
        id="Tugas selesai tanpa jawaban instansi lain", en="The task ended without the answer of another office"
    ),
    AuditType.UPDATE_APPLIED: Text(id="Perubahan masuk ke registri", en="Change applied to the registry"),
    AuditType.UPDATE_CLOSED: Text(id="Usulan selesai", en="Update closed"),
    AuditType.UPDATE_READ_UNMASKED: Text(id="Data pribadi dibuka", en="Personal data shown in the clear"),
    AuditType.UPDATE_HOLD_PLACED: Text(id="Penghapusan data ditahan", en="Erasure put on hold"),
    AuditType.UPDATE_HOLD_LIFTED: Text(id="Penahanan penghapusan dicabut", en="Hold on erasure lifted"),
    AuditType.UPDATE_ERASED: Text(
        id="Isi usulan dihapus setelah masa simpan", en="Content erased after its period of retention"
    ),
    AuditType.TASK_OPENED: Text(id="Tugas dibuka", en="Task opened"),
    AuditType.UPDATE_APPEALED: Text(id="Keberatan diajukan", en="Appealed against"),
    AuditType.UPDATE_APPEAL_ANSWERED: Text(id="Keberatan diputus", en="Appeal answered"),
    AuditType.UPDATE_SUPERSEDED: Text(id="Digantikan oleh keberatan yang dikabulkan", en="Superseded by its appeal"),
    AuditType.UPDATE_CONFLICT_OPENED: Text(id="Sengketa kewenangan dibuka", en="Authority conflict opened"),
    AuditType.UPDATE_OPINIONS_HEARD: Text(id="Pendapat kedua instansi dihimpun", en="Both offices heard"),
    AuditType.UPDATE_GROUND_CHECK_DRAWN: Text(
        id="Undian verifikasi lapangan dilakukan", en="Drawn whether somebody looks in the field"
    ),
    AuditType.UPDATE_GROUND_CHECK_ASKED: Text(id="Verifikasi lapangan diminta", en="Ground check asked for"),
    AuditType.UPDATE_GROUND_CHECKED: Text(id="Hasil verifikasi lapangan dilaporkan", en="Reported from the field"),
    AuditType.UPDATE_GROUND_REPORT_CORRECTED: Text(
        id="Laporan verifikasi lapangan diperbaiki", en="Report from the field corrected"
    ),
    AuditType.TASK_CLAIMED: Text(id="Tugas diambil", en="Task claimed"),
    AuditType.TASK_RELEASED: Text(id="Tugas dilepas", en="Task released"),
    AuditType.TASK_REASSIGNED: Text(id="Tugas dialihkan", en="Task reassigned"),
    AuditType.TASK_EXTENDED: Text(id="Batas waktu diperpanjang", en="Deadline extended"),
    AuditType.TASK_DEADLINE_MOVED: Text(
        id="Batas waktu bergeser karena perintah wilayah atau kalender",
        en="Deadline moved by an order over the area or a calendar",
    ),
    AuditType.TASK_CLOCK_PAUSED: Text(id="Waktu dihentikan", en="Clock stopped"),
    AuditType.TASK_CLOCK_RESUMED: Text(id="Waktu berjalan lagi", en="Clock running again"),
    AuditType.TASK_REMINDED: Text(id="Pemegang tugas diingatkan", en="Holder reminded"),
    AuditType.TASK_ESCALATED: Text(id="Tugas dieskalasi", en="Task escalated"),
    AuditType.TASK_ESCALATION_ORDERED: Text(id="Eskalasi diminta", en="Escalation ordered"),
    AuditType.TASK_AGREED: Text(id="Disetujui; menunggu yang lain", en="Agreed to; waits for others"),
    AuditType.TASK_DECIDED: Text(id="Tugas diputuskan", en="Task decided"),
    AuditType.TASK_CANCELLED: Text(id="Tugas dibatalkan", en="Task cancelled"),
}
"""Every event of a case's own stream."""


def words_of(event_type: str) -> Text:
    """The words of an event; a type that is not known, as after tampering, has words that say so."""
    try:
        return WORDS[AuditType(event_type)]
    except (KeyError, ValueError):
        return _UNKNOWN
