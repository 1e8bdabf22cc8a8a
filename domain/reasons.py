"""Why a case is returned or rejected: the shape of a coded reason, and the reasons a policy starts from.

The codes are fixed (`ReasonCode`); everything said about a code is policy, and a regency may word it anew.
`DEFAULT_REASONS` gives every code its words, and names the place where it was found in use.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, assert_never

from domain.durations import CalendarDays, Duration, WindowClose, WorkingDays
from domain.provenance import Bilingual, Provenance
from domain.vocabulary import Outcome, ReasonCode, Role, Strength


class ReasonUse(StrEnum):
    """What a reason may be given for. ROLL_OVER is the calendar's: no officer returns or rejects with it."""

    RETURN = "return"
    REJECT = "reject"
    BOTH = "both"
    ROLL_OVER = "roll_over"

    def allows(self, outcome: Outcome) -> bool:
        """Whether a decision with this outcome may carry the reason; a forward never carries one."""
        match self:
            case ReasonUse.RETURN:
                return outcome is Outcome.RETURN
            case ReasonUse.REJECT:
                return outcome is Outcome.REJECT
            case ReasonUse.BOTH:
                return outcome in {Outcome.RETURN, Outcome.REJECT}
            case ReasonUse.ROLL_OVER:
                return False
            case _:
                assert_never(self)


Mender = Role | Literal["applicant", "nobody"]
"""Who can put right what a reason names; `nobody` where only an appeal is left."""


class ReasonRule(Provenance):
    """What a reason code means here: its words, who mends it with what until when, and how it is counted.

    `within` replaces the policy's repair deadline; None keeps that one.
    `public_text` is what the tracking page shows to anyone who holds the code, so it says nothing sensitive.
    `substantive` reasons count towards an authority conflict between village and regency.
    `fault_of_data` is false for reasons that say nothing about the household (quota, cut-off), counted apart.
    """

    code: ReasonCode
    label: Bilingual
    use: ReasonUse
    who_mends: Mender
    paper: Bilingual | None = None
    within: Duration | None = None
    public_text: Bilingual
    substantive: bool
    fault_of_data: bool = True


def _text(indonesian: str, english: str) -> Bilingual:
    return Bilingual(id=indonesian, en=english)


_ASK_PUSKESOS = _text("Hubungi PUSKESOS.", "Contact your PUSKESOS.")

DEFAULT_REASONS: tuple[ReasonRule, ...] = (
    ReasonRule(
        code=ReasonCode.IDENTITY_MISMATCH,
        label=_text("Data kependudukan tidak padan", "Identity does not match the civil registry"),
        use=ReasonUse.RETURN,
        who_mends=Role.VILLAGE_OPERATOR,
        paper=_text("KTP-el dan Kartu Keluarga terbaru", "Current identity card and family card"),
        public_text=_text(
            "Data KTP/KK belum sesuai dengan data Dukcapil; desa sedang memperbaiki.",
            "Identity card or family card data differ from the civil registry; the village is mending them.",
        ),
        substantive=False,
        source="Kemensos verval 2020-21, 'Tidak Padan'; civil registry matching is exact to the letter",
        strength=Strength.PRACTICE,
    ),
    ReasonRule(
        code=ReasonCode.IDENTITY_NO_DOCUMENT,
        label=_text("Tidak memiliki dokumen kependudukan", "No identity document"),
        use=ReasonUse.RETURN,
        who_mends="applicant",
        paper=_text(
            "KTP-el, KK, akta lahir, atau surat keterangan Disdukcapil",
            "Identity card, family card, birth certificate or a statement of the civil registry office",
        ),
        within=CalendarDays(calendar_days=60),
        public_text=_text(
            "Dokumen kependudukan perlu diurus di Disdukcapil; operator desa dapat membantu.",
            "An identity document is needed from the civil registry office; the village operator can help.",
        ),
        substantive=False,
        source="Kemensos verval 2020-21, 'Tidak Memiliki Dokumen Kependudukan'",
        strength=Strength.PRACTICE,
    ),
    ReasonRule(
        code=ReasonCode.IDENTITY_NOT_FOUND,
        label=_text("NIK tidak ditemukan atau tidak aktif", "Identity number not found or not active"),
        use=ReasonUse.RETURN,
        who_mends="applicant",
        paper=_text("Bukti konsolidasi NIK dari Disdukcapil", "Proof of activation from the civil registry office"),
        within=WorkingDays(working_days=10),
        public_text=_text(
            "NIK perlu diaktifkan di Disdukcapil; tanyakan operator desa.",
            "The identity number has to be activated at the civil registry office; ask the village operator.",
        ),
        substantive=False,
        source="Reports on matching, 2024-25: the NIK is not in the database or not active",
        strength=Strength.PRACTICE,
    ),
    ReasonRule(
        code=ReasonCode.DUPLICATE,
        label=_text("Data ganda", "Duplicate record"),
        use=ReasonUse.BOTH,
        who_mends=Role.VILLAGE_OPERATOR,
        paper=_text("Kartu Keluarga terbaru", "Current family card"),
        public_text=_text(
            "Data tercatat lebih dari satu kali; desa sedang memeriksa.",
            "The data are recorded more than once; the village is checking.",
        ),
        substantive=True,
        source="Kemensos verval 2020-21, 'Ganda'",
        strength=Strength.PRACTICE,
    ),
    ReasonRule(
        code=ReasonCode.DECEASED,
        label=_text("Tercatat meninggal", "Recorded as deceased"),
        use=ReasonUse.BOTH,
        who_mends=Role.VILLAGE_OPERATOR,
        paper=_text(
            "Akta kematian, atau surat keterangan hidup dari desa bila keliru",
            "Death certificate, or the village's statement that the person is alive if the record is wrong",
        ),
        public_text=_ASK_PUSKESOS,
        substantive=False,
        source="Kemensos verval 2020-21, 'Meninggal'; the civil registry answers it by itself",
        strength=Strength.PRACTICE,
    ),
    ReasonRule(
        code=ReasonCode.MOVED,
        label=_text("Sudah pindah", "Has moved away"),
        use=ReasonUse.BOTH,
        who_mends=Role.VILLAGE_OPERATOR,
        paper=_text("Surat keterangan pindah atau domisili", "Statement of removal or of residence"),
        public_text=_text(
            "Alamat perlu dipastikan; bawa surat domisili ke kantor desa.",
            "The address has to be confirmed; bring a statement of residence to the village office.",
        ),
        substantive=True,
        source="BPS Regsosek 2022, family status 'pindah'",
        strength=Strength.PRACTICE,
    ),
    ReasonRule(
        code=ReasonCode.NOT_FOUND_IN_FIELD,
        label=_text("Tidak ditemukan di lapangan", "Not found in the field"),
        use=ReasonUse.BOTH,
        who_mends=Role.VILLAGE_OPERATOR,
        paper=_text("Alamat lengkap dan foto rumah", "Full address and a photo of the house"),
        public_text=_text(
            "Petugas belum menemukan keluarga di alamat ini; hubungi operator desa.",
            "The officer did not find the family at this address; contact the village operator.",
        ),
        substantive=True,
        source="BPS Regsosek 2022, 'tidak ditemukan'; Kemensos verval 2020-21, 'Tidak Terkonfirmasi'",
        strength=Strength.PRACTICE,
    ),
    ReasonRule(
        code=ReasonCode.REFUSED_SURVEY,
        label=_text("Menolak didata", "Refused to be surveyed"),
        use=ReasonUse.BOTH,
        who_mends="applicant",
        public_text=_text(
            "Pendataan belum dapat dilakukan; sampaikan kesediaan ke PUSKESOS.",
            "The survey could not be held; tell PUSKESOS when it may be.",
        ),
        substantive=True,
        source="BPS Regsosek 2022, interview result 'menolak'",
        strength=Strength.PRACTICE,
    ),
    ReasonRule(
        code=ReasonCode.NOT_ELIGIBLE_MEANS,
        label=_text("Tidak layak: dinilai mampu", "Not eligible: judged to have sufficient means"),
        use=ReasonUse.REJECT,
        who_mends="nobody",
        public_text=_text(
            "Hasil pemeriksaan belum memenuhi kriteria; keberatan dapat diajukan dalam 30 hari.",
            "The check did not meet the criteria; an appeal is open for 30 days.",
        ),
        substantive=True,
        source="Press on field surveys, 'Tidak layak'",
        strength=Strength.PRACTICE,
    ),
    ReasonRule(
        code=ReasonCode.EXCLUDED_OCCUPATION,
        label=_text("Pekerjaan yang dikecualikan", "Excluded occupation"),
        use=ReasonUse.REJECT,
        who_mends="applicant",
        paper=_text("Surat keterangan pekerjaan, untuk keberatan", "Statement of occupation, for an appeal"),
        public_text=_text(
            "Hasil pemeriksaan belum memenuhi kriteria; keberatan dapat diajukan dalam 30 hari.",
            "The check did not meet the criteria; an appeal is open for 30 days.",
        ),
        substantive=True,
        source="Proposal; the excluded occupations could not be read in a regulation",
        strength=Strength.PROPOSAL,
    ),
    ReasonRule(
        code=ReasonCode.ALREADY_RECEIVING,
        label=_text("Sudah menerima bantuan sejenis", "Already receives the same kind of aid"),
        use=ReasonUse.BOTH,
        who_mends=Role.VILLAGE_OPERATOR,
        paper=_text(
            "Pernyataan penerima tentang bantuan yang diterima",
            "The recipient's statement of the aid received",
        ),
        public_text=_text(
            "Tercatat menerima bantuan sejenis; hubungi operator desa bila tidak benar.",
            "Recorded as receiving the same kind of aid; contact the village operator if this is wrong.",
        ),
        substantive=True,
        source="Surabaya, rejections by the system, 'pernah dapat bantuan'",
        strength=Strength.PRACTICE,
    ),
    ReasonRule(
        code=ReasonCode.NO_DELIBERATION,
        label=_text("Tanpa musyawarah desa", "No village deliberation"),
        use=ReasonUse.RETURN,
        who_mends=Role.VILLAGE_HEAD,
        paper=_text(
            "Berita acara musyawarah dengan daftar hadir, atau SPTJM kepala desa",
            "Minutes of the deliberation with the attendance list, or the head's statement of responsibility",
        ),
        within=WindowClose(window_close="musdes", at_least=WorkingDays(working_days=3)),
        public_text=_text(
            "Menunggu musyawarah desa.",
            "Waiting for the village deliberation.",
        ),
        substantive=True,
        source="Press, 2024: proposals without a musdes record are rejected by the Dinas Sosial",
        strength=Strength.PRACTICE,
    ),
    ReasonRule(
        code=ReasonCode.INCOMPLETE_DOCUMENTS,
        label=_text("Dokumen tidak lengkap", "Incomplete documents"),
        use=ReasonUse.RETURN,
        who_mends=Role.VILLAGE_OPERATOR,
        paper=_text("Dokumen yang disebut dalam catatan", "The documents named in the note"),
        public_text=_text(
            "Ada dokumen yang perlu dilengkapi; hubungi operator desa.",
            "A document is missing; contact the village operator.",
        ),
        substantive=True,
        source="Kabupaten Garut, service standard for proposals: required papers",
        strength=Strength.LOCAL,
    ),
    ReasonRule(
        code=ReasonCode.UNCLEAR_PHOTO,
        label=_text("Foto tidak jelas", "Unclear photo"),
        use=ReasonUse.RETURN,
        who_mends=Role.VILLAGE_OPERATOR,
        paper=_text("Foto rumah bagian depan di siang hari", "Photo of the front of the house by daylight"),
        public_text=_text(
            "Foto rumah perlu diambil ulang oleh operator desa.",
            "The photo of the house has to be taken again by the village operator.",
        ),
        substantive=False,
        source="Kabupaten Garut, service standard for proposals: photo of the house front in clear daylight",
        strength=Strength.LOCAL,
    ),
    ReasonRule(
        code=ReasonCode.OUTSIDE_AREA,
        label=_text("Di luar wilayah", "Outside the area"),
        use=ReasonUse.BOTH,
        who_mends=Role.VILLAGE_OPERATOR,
        paper=_text("Surat keterangan domisili", "Statement of residence"),
        public_text=_text(
            "Domisili tercatat di luar wilayah; bawa surat domisili ke kantor desa.",
            "The recorded residence is outside the area; bring a statement of residence to the village office.",
        ),
        substantive=True,
        source="Kabupaten Garut, service standard for proposals: residents of the regency",
        strength=Strength.LOCAL,
    ),
    ReasonRule(
        code=ReasonCode.SOURCE_CONFLICT,
        label=_text("Berbeda dengan data sumber lain", "Conflicts with another source"),
        use=ReasonUse.RETURN,
        who_mends=Role.VILLAGE_OPERATOR,
        paper=_text("Bukti dari instansi pemilik data", "Proof from the office that owns the data"),
        public_text=_text(
            "Data berbeda dengan sumber lain; desa sedang memastikan.",
            "The data differ from another source; the village is making sure.",
        ),
        substantive=True,
        source="Press, 2025: data that differ from school and other registers",
        strength=Strength.PRACTICE,
    ),
    ReasonRule(
        code=ReasonCode.QUOTA,
        label=_text("Kuota program belum tersedia", "No place in the programme's quota"),
        use=ReasonUse.REJECT,
        who_mends="nobody",
        public_text=_text(
            "Data diterima; kuota program belum tersedia.",
            "The data are in order; the programme has no place yet.",
        ),
        substantive=False,
        fault_of_data=False,
        source="Press: registered, but no quota; not a fault of the data",
        strength=Strength.PRACTICE,
    ),
    ReasonRule(
        code=ReasonCode.AFTER_CUTOFF,
        label=_text("Setelah batas periode", "After the cut-off of the round"),
        use=ReasonUse.ROLL_OVER,
        who_mends="nobody",
        public_text=_text(
            "Diproses pada periode berikutnya.",
            "Goes on in the next round.",
        ),
        substantive=False,
        fault_of_data=False,
        source="Proposal: what comes after the cut-off counts for the next round and is never rejected",
        strength=Strength.PROPOSAL,
    ),
    ReasonRule(
        code=ReasonCode.SUSPECTED_FALSE_STATEMENT,
        label=_text("Dugaan keterangan palsu", "Suspected false statement"),
        use=ReasonUse.REJECT,
        who_mends="nobody",
        public_text=_ASK_PUSKESOS,
        substantive=True,
        source="Proposal: a human confirms it, evaluator and inspectorate see it, the public does not",
        strength=Strength.PROPOSAL,
    ),
)
"""Every code of `ReasonCode` once, in its order."""
