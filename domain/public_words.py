"""What anybody may read of a case: its kind and status in plain words, Indonesian first."""

from __future__ import annotations

from typing import Final

from domain.provenance import Bilingual
from domain.vocabulary import Kind, Status


def _text(indonesian: str, english: str) -> Bilingual:
    return Bilingual(id=indonesian, en=english)


KIND_LABELS: Final = {
    Kind.NEW_HOUSEHOLD: _text("Usulan keluarga baru", "New household"),
    Kind.CIRCUMSTANCES: _text("Perubahan kondisi sosial-ekonomi", "Change of circumstances"),
    Kind.IDENTITY_CORRECTION: _text("Perbaikan data kependudukan", "Correction of identity data"),
    Kind.ADD_MEMBER: _text("Penambahan anggota keluarga", "New member of a household"),
    Kind.DEATH: _text("Anggota keluarga meninggal", "Death of a member"),
    Kind.MOVE_OUT: _text("Pindah keluar", "Moving away"),
    Kind.MOVE_IN: _text("Pindah masuk", "Moving in"),
    Kind.SPLIT_HOUSEHOLD: _text("Pecah Kartu Keluarga", "Split of a household"),
    Kind.CHANGE_HEAD: _text("Ganti kepala keluarga", "New head of a household"),
    Kind.MERGE_DUPLICATES: _text("Penyelesaian data ganda", "Merging of a double entry"),
    Kind.GRADUATION: _text("Graduasi dari program", "Graduation from programmes"),
    Kind.SELF_WITHDRAWAL: _text("Pengunduran diri dari program", "Withdrawal from programmes"),
    Kind.PROGRAMME_PROPOSAL: _text("Usulan program bantuan", "Proposal for programmes"),
    Kind.PBI_REACTIVATION: _text("Reaktivasi PBI-JK", "Reactivation of health insurance"),
    Kind.OBJECTION: _text("Sanggahan", "Objection"),
}

_APPROVED: Final = _text(
    "Data disetujui; belum berarti menerima bantuan.",
    "The data are approved; this does not mean that aid is granted.",
)
"""Three facts stay three: the data decision, the rank, and the enrolment in a programme."""

APPEAL_UPHELD: Final = _text(
    "Keberatan ditolak; penolakan tetap berlaku.", "The appeal was turned down; the rejection stands."
)
"""The end of an appeal that was upheld."""

LAPSES: Final = _text(
    "Bila tidak diperbaiki, usulan berakhir pada {day}; hubungi operator desa.",
    "Unless it is mended, the update ends on {day}; contact the village operator.",
)
"""What is said of a case that will lapse."""

LOOKED_AT: Final = _text(
    "Menunggu verifikasi lapangan; petugas akan datang ke rumah.",
    "Waiting for a ground check; somebody will come to the house.",
)
"""While somebody is to look in the field, whichever stage waits for it."""

STATUS_TEXTS: Final = {
    Status.RECEIVED: _text("Usulan diterima.", "The update has been received."),
    Status.CHECKING: _text(
        "Data sedang dipadankan dengan Dukcapil.",
        "The data are being compared with the civil registry.",
    ),
    Status.IN_VERIFICATION: _text("Sedang diverifikasi oleh PUSKESOS.", "PUSKESOS is verifying the update."),
    Status.IN_DELIBERATION: _text(
        "Menunggu musyawarah desa.",
        "Waiting for the deliberation of the village.",
    ),
    Status.IN_APPROVAL: _text("Sedang diperiksa Dinas Sosial.", "The social affairs office is examining the update."),
    Status.IN_ENDORSEMENT: _text(
        "Menunggu pengesahan Dinas Sosial.",
        "Waiting for the endorsement of the social affairs office.",
    ),
    Status.IN_DELIVERY: _APPROVED,
    Status.APPROVED_LOCAL: _APPROVED,
    Status.RETURNED: _text("Dikembalikan ke desa untuk diperbaiki.", "Returned to the village to be repaired."),
    Status.WAITING_DOCUMENT: _text("Menunggu kelengkapan dokumen.", "Waiting for a document."),
    Status.IN_CONFLICT: _text(
        "Sedang dibahas bersama oleh desa dan Dinas Sosial.",
        "The village and the social affairs office are settling a difference.",
    ),
    Status.IN_APPEAL: _text("Keberatan atas penolakan sedang diperiksa.", "An appeal is being examined."),
    Status.APPLIED: _APPROVED,
    Status.REJECTED: _text("Usulan ditolak.", "The update has been rejected."),
    Status.WITHDRAWN: _text("Usulan ditarik kembali.", "The update has been withdrawn."),
    Status.LAPSED: _text(
        "Usulan berakhir karena lewat waktu; operator desa dapat membukanya kembali.",
        "The update has lapsed; the village operator can have it reopened.",
    ),
    Status.SUPERSEDED: _text("Digantikan oleh usulan lain.", "Another update has taken its place."),
}
