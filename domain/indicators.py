"""The indicators of an evaluation: what each counts, over what, out of which facts; and what cannot be measured yet.

An indicator is measured from observations: one of each thing that it counts (a case, a task, a decision, a household, a
village), with whether it is a hit, or with a value. A share is hits over observations; a quantile and a mean are of the
values. So every number opens into what it was made of.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.provenance import Bilingual
from domain.vocabulary import Stage

METHOD: Final = 1
"""Which way of measuring it was: raised with every change of what an indicator counts."""


class Indicator(StrEnum):
    """The indicators (indikator), by the names under which they are stored and asked for."""

    DATA_AGE = "data_age"
    DATA_OVER_90_DAYS = "data_over_90_days"
    DATA_OVER_24_MONTHS = "data_over_24_months"
    MATCHED = "matched"
    DUPLICATES = "duplicates"
    COMPLETENESS = "completeness"
    CASE_AGE = "case_age"
    OPEN_AGE = "open_age"
    CUSTODY = "custody"
    WITHIN_DEADLINE = "within_deadline"
    RETURNS = "returns"
    FIRST_PASS = "first_pass"  # noqa: S105  no password: the first pass through the stages
    OVERRIDDEN_ABOVE = "overridden_above"
    OVERRIDDEN_FOR_APPLICANT = "overridden_for_applicant"
    APPEALS_OVERTURNED = "appeals_overturned"
    DEEMED = "deemed"
    ESCALATED = "escalated"
    ESCALATION_RESOLVED = "escalation_resolved"
    MUSDES_HELD = "musdes_held"
    BY_MINUTES = "by_minutes"
    ATTENDED = "attended"
    CUTOFF_KEPT = "cutoff_kept"
    GRADUATED = "graduated"
    REENTERED = "reentered"


class Unmeasured(StrEnum):
    """Indicators for which Kawal holds no facts."""

    EXCLUSION_ERROR = "exclusion_error"
    INCLUSION_ERROR = "inclusion_error"
    PLAN_AGAINST_ACTUAL = "plan_against_actual"
    CITIZEN_TOLD = "citizen_told"
    ANOMALIES = "anomalies"
    DESIL_MOVES = "desil_moves"
    POVERTY = "poverty"


class Measure(StrEnum):
    """How an indicator sums its observations up."""

    SHARE = "share"
    QUANTILES = "quantiles"
    MEAN = "mean"


class Unit(StrEnum):
    """In what the values of an indicator are."""

    SHARE = "share"
    DAYS = "days"
    SECONDS = "seconds"
    PER_CASE = "per_case"
    PER_CENT = "per_cent"


class Subject(StrEnum):
    """What an observation is of."""

    HOUSEHOLD = "household"
    UPDATE = "update"
    TASK = "task"
    DECISION = "decision"
    MINUTES = "minutes"
    VILLAGE = "village"


VILLAGE_TIER: Final = frozenset({Stage.VERIFICATION, Stage.DELIBERATION})
REGENCY_TIER: Final = frozenset({Stage.APPROVAL, Stage.ENDORSEMENT})
WHOLE: Final = ""
"""The part of an indicator that is all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What an indicator is. `numerator` and `denominator` are what a share counts; a quantile or mean is of the first.

    `sums_parts` says that the whole is all parts together: each thing is observed in one of them. `by_area` that the
    whole is told by district and village too. `higher_is_worse` is None where neither is.
    """

    title: Bilingual
    measure: Measure
    unit: Unit
    subject: Subject
    numerator: Bilingual
    denominator: Bilingual
    source: str
    sums_parts: bool = False
    by_area: bool = True
    higher_is_worse: bool | None = None


def _share(
    title: tuple[str, str],
    numerator: tuple[str, str],
    denominator: tuple[str, str],
    *,
    subject: Subject,
    source: str,
    **more: bool | None,
) -> Definition:
    return Definition(
        title=_both(title),
        measure=Measure.SHARE,
        unit=Unit.SHARE,
        subject=subject,
        numerator=_both(numerator),
        denominator=_both(denominator),
        source=source,
        sums_parts=bool(more.get("sums_parts")),
        by_area=more.get("by_area") is not False,
        higher_is_worse=more.get("higher_is_worse"),
    )


def _both(words: tuple[str, str]) -> Bilingual:
    return Bilingual(id=words[0], en=words[1])


_HOUSEHOLDS: Final = ("Keluarga aktif di registri", "Active households of the registry")
_CLOSED: Final = ("Usulan yang selesai dalam periode", "Updates that ended in the period")
_REGISTRY: Final = "households and their versions, as known at the bound"
_TASKS: Final = "tasks, with their deadlines as they stood when they were decided; escalations"

DEFINITIONS: Final[dict[Indicator, Definition]] = {
    Indicator.DATA_AGE: Definition(
        title=_both(("Umur data", "Age of data")),
        measure=Measure.QUANTILES,
        unit=Unit.DAYS,
        subject=Subject.HOUSEHOLD,
        numerator=_both(
            ("Hari sejak data keluarga terakhir diverifikasi", "Days since the data of a household were last verified")
        ),
        denominator=_both(_HOUSEHOLDS),
        source=_REGISTRY,
        higher_is_worse=True,
    ),
    Indicator.DATA_OVER_90_DAYS: _share(
        ("Data lebih dari 90 hari", "Data over 90 days old"),
        ("Data lebih dari 90 hari; untuk ditampilkan, bukan kewajiban", "Older than 90 days: a band, and no duty"),
        _HOUSEHOLDS,
        subject=Subject.HOUSEHOLD,
        source=_REGISTRY,
        higher_is_worse=True,
    ),
    Indicator.DATA_OVER_24_MONTHS: _share(
        ("Data lebih dari 24 bulan", "Data over 24 months old"),
        ("Data lebih dari 730 hari (UU 13/2011)", "Older than 730 days (UU 13/2011)"),
        _HOUSEHOLDS,
        subject=Subject.HOUSEHOLD,
        source=_REGISTRY,
        higher_is_worse=True,
    ),
    Indicator.MATCHED: _share(
        ("Padan dengan Dukcapil", "Matched with the civil registry"),
        ("Semua anggota padan pada pemeriksaan terakhir", "All members matched in the latest check"),
        _HOUSEHOLDS,
        subject=Subject.HOUSEHOLD,
        source="identity_results of the latest check; never checked is not matched",
        higher_is_worse=False,
    ),
    Indicator.DUPLICATES: _share(
        ("Data ganda", "Duplicates"),
        ("Ada NIK yang juga ada di keluarga lain", "A NIK is in use in another household too"),
        _HOUSEHOLDS,
        subject=Subject.HOUSEHOLD,
        source="identity_digests",
        higher_is_worse=True,
    ),
    Indicator.COMPLETENESS: Definition(
        title=_both(("Kelengkapan", "Completeness")),
        measure=Measure.MEAN,
        unit=Unit.PER_CENT,
        subject=Subject.HOUSEHOLD,
        numerator=_both(("Isian yang terisi, dalam persen", "What is there of what is asked, in per cent")),
        denominator=_both(_HOUSEHOLDS),
        source=_REGISTRY,
        higher_is_worse=False,
    ),
    Indicator.CASE_AGE: Definition(
        title=_both(("Lama usulan", "Time from submission to the end")),
        measure=Measure.QUANTILES,
        unit=Unit.SECONDS,
        subject=Subject.UPDATE,
        numerator=_both(("Lama dari diajukan sampai selesai", "From submission to the end, pauses included")),
        denominator=_both(_CLOSED),
        source="updates",
        higher_is_worse=True,
    ),
    Indicator.OPEN_AGE: Definition(
        title=_both(("Lama usulan yang belum selesai", "Age of what is still open")),
        measure=Measure.QUANTILES,
        unit=Unit.SECONDS,
        subject=Subject.UPDATE,
        numerator=_both(("Lama sejak diajukan", "Since submission, at the end of the period")),
        denominator=_both(("Usulan yang belum selesai pada akhir periode", "Updates open at the end of the period")),
        source="updates",
        higher_is_worse=True,
    ),
    Indicator.CUSTODY: Definition(
        title=_both(("Lama di tiap instansi", "Custody of each office")),
        measure=Measure.QUANTILES,
        unit=Unit.SECONDS,
        subject=Subject.UPDATE,
        numerator=_both(
            (
                "Lama usulan di instansi itu; waktu jeda ditampilkan terpisah",
                "How long the office had the update with its clock running; pauses are shown beside it",
            )
        ),
        denominator=_both(
            ("Usulan yang selesai dan pernah di instansi itu", "Updates that ended in the period and were ever there")
        ),
        source="tasks, clock_intervals, memberships; a task is its office's until decided, also after it escalated",
        by_area=False,
        higher_is_worse=True,
    ),
    Indicator.WITHIN_DEADLINE: _share(
        ("Dalam batas waktu", "Within the deadline"),
        ("Diputus sebelum atau pada batas waktunya", "Decided by the deadline"),
        (
            "Tugas yang diputus dalam periode, dan yang lewat batas tanpa keputusan",
            "Tasks decided in the period, and those past their deadline without a decision",
        ),
        subject=Subject.TASK,
        source=_TASKS,
        sums_parts=True,
        higher_is_worse=False,
    ),
    Indicator.RETURNS: Definition(
        title=_both(("Pengembalian per usulan", "Returns per update")),
        measure=Measure.MEAN,
        unit=Unit.PER_CASE,
        subject=Subject.UPDATE,
        numerator=_both(("Berapa kali dikembalikan", "How often it was returned for repair")),
        denominator=_both(_CLOSED),
        source="decisions",
        higher_is_worse=True,
    ),
    Indicator.FIRST_PASS: _share(
        ("Diterima tanpa dikembalikan", "First-pass yield"),
        ("Diterapkan tanpa pernah dikembalikan", "Applied without a single return"),
        ("Usulan yang diterapkan atau ditolak dalam periode", "Updates applied or rejected in the period"),
        subject=Subject.UPDATE,
        source="updates, decisions",
        higher_is_worse=False,
    ),
    Indicator.OVERRIDDEN_ABOVE: _share(
        ("Desa ya, kabupaten tidak", "Village yes, regency no"),
        ("Kabupaten menolak", "The regency rejected it"),
        (
            "Usulan selesai yang diteruskan desa dan diputus kabupaten",
            "Ended updates that the village forwarded and the regency decided on",
        ),
        subject=Subject.UPDATE,
        source="decisions of verification and deliberation against approval and endorsement",
    ),
    Indicator.OVERRIDDEN_FOR_APPLICANT: _share(
        ("Desa tidak, tingkat atas ya", "Village no, a tier above yes"),
        ("Keberatan dikabulkan di atas", "An appeal was granted above"),
        (
            "Usulan selesai yang ditolak desa",
            "Ended updates that the village rejected",
        ),
        subject=Subject.UPDATE,
        source="decisions, and appeals decided by the bound",
    ),
    Indicator.APPEALS_OVERTURNED: _share(
        ("Keberatan dikabulkan", "Appeals overturned"),
        ("Penolakan dibatalkan", "The rejection was overturned"),
        ("Keberatan yang diputus dalam periode", "Appeals decided in the period"),
        subject=Subject.DECISION,
        source="decisions of the stage appeal; by tier and reason of the rejection",
    ),
    Indicator.DEEMED: _share(
        ("Diputus oleh diamnya pejabat", "Deemed decisions"),
        ("Batas waktu lewat dan dianggap diteruskan", "Silence counted as a forward"),
        ("Keputusan pejabat dalam periode", "Decisions of human stages in the period"),
        subject=Subject.DECISION,
        source="decisions",
        higher_is_worse=True,
    ),
    Indicator.ESCALATED: _share(
        ("Tereskalasi", "Escalated"),
        ("Naik ke atasan karena lewat waktu, tanpa pejabat, atau dengan tangan", "Went up the ladder, for any cause"),
        ("Tugas pejabat yang berakhir dalam periode", "Tasks of people that ended in the period"),
        subject=Subject.TASK,
        source="escalations",
        higher_is_worse=True,
    ),
    Indicator.ESCALATION_RESOLVED: Definition(
        title=_both(("Lama dari eskalasi sampai putusan", "From escalation to decision")),
        measure=Measure.QUANTILES,
        unit=Unit.SECONDS,
        subject=Subject.TASK,
        numerator=_both(("Lama dari naik ke tingkat itu sampai putusan", "From reaching the level to the decision")),
        denominator=_both(
            ("Tugas yang naik ke tingkat itu dan diputus dalam periode", "Tasks of that level decided in the period")
        ),
        source="escalations, tasks",
        by_area=False,
        higher_is_worse=True,
    ),
    Indicator.MUSDES_HELD: _share(
        ("Musdes diadakan", "Musdes held"),
        ("Ada berita acara musdes", "Minutes of a musdes were recorded"),
        ("Desa di wilayah ini", "Villages of the area"),
        subject=Subject.VILLAGE,
        source="minutes recorded in the period and not superseded",
        higher_is_worse=False,
    ),
    Indicator.BY_MINUTES: _share(
        ("Berita acara, bukan SPTJM", "Minutes, not SPTJM"),
        ("Berita acara musdes", "Minutes of a musdes"),
        ("Berita acara dan SPTJM dalam periode", "Minutes and SPTJM of the period"),
        subject=Subject.MINUTES,
        source="minutes",
        higher_is_worse=False,
    ),
    Indicator.ATTENDED: _share(
        ("Unsur yang hadir", "Who attended"),
        ("Unsur itu hadir", "Somebody of the group attended"),
        ("Musdes dalam periode", "Musdes of the period"),
        subject=Subject.MINUTES,
        source="attendance of minutes",
        by_area=False,
    ),
    Indicator.CUTOFF_KEPT: _share(
        ("Mencapai batas periode", "Made the cut-off"),
        ("Disetujui untuk periode ini", "Approved for the round"),
        ("Disetujui untuknya atau melewati batasnya", "Approved for it, or missed its cut-off"),
        subject=Subject.UPDATE,
        source="updates, round_rolls",
        higher_is_worse=False,
    ),
    Indicator.GRADUATED: _share(
        ("Graduasi", "Graduations"),
        ("Graduasi", "Graduations"),
        ("Usulan yang diterapkan dalam periode", "Updates applied in the period"),
        subject=Subject.UPDATE,
        source="updates",
    ),
    Indicator.REENTERED: _share(
        ("Diusulkan lagi dalam 12 bulan", "Proposed again within 12 months"),
        (
            "Diusulkan lagi untuk program, diterapkan dalam 12 bulan",
            "A programme proposal was applied within 12 months",
        ),
        (
            "Graduasi dalam 12 bulan sebelum akhir periode",
            "Graduations in the 12 months before the end of the period",
        ),
        subject=Subject.UPDATE,
        source="updates; descriptive and not causal, and the latest graduations had little time",
    ),
}

_NO_SAMPLE: Final = _both(
    (
        "Belum ada pemeriksaan ulang acak yang dibutakan; tanpanya tidak diketahui siapa yang sungguh berhak.",
        "There is no blinded random re-check; without one nobody knows who is truly eligible.",
    )
)
NOT_MEASURED: Final[dict[Unmeasured, Bilingual]] = {
    Unmeasured.EXCLUSION_ERROR: _NO_SAMPLE,
    Unmeasured.INCLUSION_ERROR: _NO_SAMPLE,
    Unmeasured.PLAN_AGAINST_ACTUAL: _both(
        ("Target desa belum dicatat.", "Targets of villages are not among the facts that this measures.")
    ),
    Unmeasured.CITIZEN_TOLD: _both(
        (
            "Halaman status selalu terbuka, tetapi tidak dicatat kapan warga diberi tahu.",
            "The status page is always open, but nobody records when a citizen was told.",
        )
    ),
    Unmeasured.ANOMALIES: _both(
        (
            "Pertanyaan tentang kejanggalan bukan angka, dan belum diajukan di sini.",
            "Anomalies are questions and no numbers, and are not asked here yet.",
        )
    ),
    Unmeasured.DESIL_MOVES: _both(
        (
            "Desil adalah peringkat milik BPS; perubahannya per periode tidak dihitung di sini.",
            "Desil is the statistics office's rank; its moves in a period are not counted here.",
        )
    ),
    Unmeasured.POVERTY: _both(
        (
            "P0, P1, P2 hanya dapat dihitung dari data pengeluaran, tidak pernah dari desil.",
            "P0, P1 and P2 come from expenditure data alone, never from desil.",
        )
    ),
}
"""Why each of these is not measured. Nothing is put in its place."""

SUMMED: Final = frozenset(name for name, what in DEFINITIONS.items() if what.sums_parts)
"""Indicators whose whole is all of their parts."""


def by_measure(measure: Measure) -> Iterable[Indicator]:
    """The indicators that are summed up like this."""
    return (name for name, what in DEFINITIONS.items() if what.measure is measure)
