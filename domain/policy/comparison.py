"""What differs between two policies, value by value, in words; and where in a policy somebody points at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal, TypeAlias, assert_never

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter

from domain.durations import After, CalendarDays, Duration, Elapsed, Share, WindowClose, WorkingDays
from domain.errors import InvalidInput, Violation
from domain.provenance import Bilingual

Language: TypeAlias = Literal["id", "en"]

_NAMES: Final = ("stage", "code", "name", "remoteness", "subject", "group")
"""What an entry of a policy's list is called by."""
_NAMED_LISTS: Final = frozenset({"stages", "reasons", "routes", "remoteness_credits", "retention"})
_FORMS: Final = frozenset({"working_days", "calendar_days", "elapsed", "window_close", "share"})
_TIME: Final[TypeAdapter[Duration | After]] = TypeAdapter(Duration | After)
_LONGEST_WORDS: Final = 200

LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "action": ("tindakan", "action"),
    "after": ("waktu", "when"),
    "after_return": ("setelah pengembalian", "after a return"),
    "answer_deadline": ("batas waktu jawaban Kementerian", "deadline of the Ministry's answer"),
    "appeals": ("keberatan", "appeals"),
    "area_code": ("wilayah", "area"),
    "at_least": ("paling sedikit", "at least"),
    "at_most": ("paling banyak", "at most"),
    "at_random": ("secara acak", "at random"),
    "by_kind": ("menurut jenis usulan", "by kind of update"),
    "by_value": ("menurut nilai", "by value"),
    "code": ("kode", "code"),
    "conflicts": ("sengketa kewenangan", "authority conflicts"),
    "consultation": ("masa tanggapan", "consultation"),
    "deadline": ("batas waktu", "deadline"),
    "decider": ("yang memutus sengketa", "who decides the conflict"),
    "deciders": ("yang memutuskan", "who decides"),
    "delivery": ("pengiriman", "delivery"),
    "digest_every": ("selang ringkasan", "time between digests"),
    "digest_to": ("penerima ringkasan", "who gets digests"),
    "disputes": ("sengketa", "dispute"),
    "document_wait": ("menunggu dokumen", "wait for a paper"),
    "emergency": ("masa berlaku darurat", "time an emergency lasts"),
    "en": ("bahasa Inggris", "in English"),
    "enabled": ("berlaku", "in use"),
    "extension_limit": ("batas perpanjangan", "limit of extensions"),
    "far_m": ("jarak peringatan dalam meter", "warning distance in metres"),
    "fault_of_data": ("kesalahan data", "fault of the data"),
    "field": ("isian", "field"),
    "gates": ("sebelum tahap", "before the stage"),
    "grants": ("wewenang yang diberikan", "powers granted"),
    "ground_checks": ("verifikasi lapangan", "ground checks"),
    "group": ("unsur", "group"),
    "hears": ("keberatan atas penolakan di", "hears rejections in"),
    "id": ("bahasa Indonesia", "in Indonesian"),
    "identity": ("pemadanan identitas", "identity check"),
    "incomplete_below": ("tidak lengkap di bawah persen", "incomplete below per cent"),
    "information": ("keterangan instansi lain", "questions to other offices"),
    "kinds": ("jenis usulan", "kinds of update"),
    "label": ("sebutan", "label"),
    "ladder": ("jenjang eskalasi, anak tangga", "ladder, rung"),
    "lapse": ("berakhir karena lewat waktu", "lapse"),
    "longest": ("paling lama", "at most"),
    "ministry": ("dikirim ke Kementerian", "sent to the Ministry"),
    "minutes": ("berita acara", "minutes"),
    "name": ("nama", "name"),
    "needs_minutes": ("perlu berita acara", "minutes needed"),
    "notice": ("masa pemberitahuan", "notice"),
    "notify": ("yang diberi tahu", "who is told"),
    "objecting": ("tahap yang menolak", "stages that say no"),
    "old_after_months": ("lama setelah bulan", "old after months"),
    "on_exhausted": ("setelah jenjang habis", "past the last rung"),
    "on_rejection": ("dibuka oleh penolakan", "opened by a rejection"),
    "on_request": ("atas permintaan tahap", "on request of"),
    "opinion": ("pendapat", "opinion"),
    "outcomes": ("keputusan yang mungkin", "possible outcomes"),
    "paper": ("dokumen", "paper"),
    "patience": ("lama menunggu", "patience"),
    "pauses": ("sebab jeda", "causes of a pause"),
    "per_operator_day": ("keluarga per operator per hari", "households an operator a day"),
    "period": ("masa", "period"),
    "photos": ("foto paling sedikit", "photos at least"),
    "points": ("bobot", "points"),
    "public_text": ("teks untuk warga", "text for the public"),
    "publication": ("penerbitan kebijakan", "publication of policies"),
    "push_deadline": ("batas waktu pengiriman", "deadline of the push"),
    "quorum": ("kuorum", "quorum"),
    "reasons": ("alasan", "reason"),
    "remoteness": ("kelas keterpencilan", "class of remoteness"),
    "remoteness_credits": ("tambahan waktu daerah terpencil kelas", "credit of remote areas, class"),
    "reopen_within": ("dapat dibuka kembali selama", "can be reopened for"),
    "repair": ("perbaikan", "repair"),
    "resumes_at": ("dilanjutkan dari", "goes on from"),
    "retention": ("masa simpan", "retention of"),
    "return_count": ("dibuka oleh pengembalian ke-", "opened by the n-th return"),
    "returned_by": ("dikembalikan oleh", "returned by"),
    "reverification": ("verifikasi ulang", "re-verification"),
    "reason": ("alasan", "reason"),
    "risks": ("alasan verifikasi ulang", "reasons to verify again"),
    "routes": ("alur", "route"),
    "scan_required": ("pindaian wajib", "scan required"),
    "share": ("bagian", "share"),
    "signers": ("yang menandatangani", "who signs"),
    "answer": ("tanggapan desa", "answer of the village"),
    "dinas": ("persetujuan Dinas Sosial", "signature of Dinas Sosial"),
    "proposal": ("usulan desa", "proposal of the village"),
    "puskesos": ("persetujuan PUSKESOS", "signature of PUSKESOS"),
    "ruling": ("keputusan atas keberatan", "decision on the objection"),
    "signoffs": ("penetapan dari bawah", "plans from below"),
    "source": ("dasar", "source"),
    "speaks_against": ("yang mewakili pihak menolak", "who speaks for the no"),
    "speaks_for": ("yang mewakili pihak setuju", "who speaks for the yes"),
    "sptjm": ("SPTJM", "SPTJM"),
    "stage": ("tahap", "stage"),
    "stages": ("tahap", "stage"),
    "strength": ("kekuatan hukum", "legal strength"),
    "subject": ("yang disimpan", "what is kept"),
    "substantive": ("substantif", "substantive"),
    "tiers": ("tingkat keberatan", "tier of appeals"),
    "times": ("berapa kali", "how often"),
    "title": ("judul", "title"),
    "to": ("kepada", "to"),
    "use": ("penggunaan", "use"),
    "waiver_role": ("yang boleh meneruskan", "who may let it go on"),
    "who_mends": ("yang memperbaiki", "who mends"),
    "within": ("dalam waktu", "within"),
    "working_days": ("hari kerja", "working days"),
}
"""What each field of a policy is called, in Indonesian and in English."""


class Difference(BaseModel):
    """One value that differs. Entries of named lists stand under their name: `/stages/approval/deadline`."""

    model_config = ConfigDict(frozen=True)

    pointer: str
    before: JsonValue
    after: JsonValue
    words: Bilingual


def compare(before: JsonValue, after: JsonValue) -> list[Difference]:
    """What differs between two policies as JSON, in the order of the first; a time is one value, whatever its form."""
    old, new = dict(leaves(before)), dict(leaves(after))
    return [
        Difference(
            pointer=pointer,
            before=old.get(pointer),
            after=new.get(pointer),
            words=Bilingual.model_construct(
                id=_sentence(pointer, old.get(pointer), new.get(pointer), language="id"),
                en=_sentence(pointer, old.get(pointer), new.get(pointer), language="en"),
            ),
        )
        for pointer in dict.fromkeys([*old, *new])
        if old.get(pointer) != new.get(pointer)
    ]


def leaves(value: JsonValue, pointer: str = "") -> Iterator[tuple[str, JsonValue]]:
    """Every value that holds no further one, by its place; times and lists of plain values are taken whole."""
    match value:
        case dict() if not _is_time(value):
            for name, inner in value.items():
                yield from leaves(inner, f"{pointer}/{name}")
        case list() if any(isinstance(item, dict) for item in value):
            for position, item in enumerate(value):
                yield from leaves(item, f"{pointer}/{_name_of(item) or position}")
        case _:
            yield pointer, value


def place_of(document: JsonValue, pointer: str) -> str:
    """A place in a policy as `compare` names it, from a JSON Pointer by numbers or by names. Raises InvalidInput."""
    steps: list[str] = []
    here = document
    for step in pointer.split("/")[1:] if pointer else ():
        found = _inner(here, step)
        if found is None or not pointer.startswith("/"):
            raise InvalidInput([_no_such_place()])
        name, here = found
        steps.append(name)
    if pointer and not steps:
        raise InvalidInput([_no_such_place()])
    return "".join(f"/{step}" for step in steps)


def _no_such_place() -> Violation:
    return Violation(
        pointer="/pointer",
        code="no_such_place",
        detail="The draft has no such place in the revision that is named.",
        remedy="Point at one that reading or comparing the draft shows, such as `/stages/approval/deadline`.",
    )


def _inner(here: JsonValue, step: str) -> tuple[str, JsonValue] | None:
    """One step further: what it is called there, and what stands there."""
    match here:
        case dict():
            return (step, here[step]) if step in here else None
        case list():
            for position, item in enumerate(here):
                name = _name_of(item) or str(position)
                if step in {name, str(position)}:
                    return name, item
            return None
        case _:
            return None


def _name_of(item: JsonValue) -> str | None:
    if not isinstance(item, dict):
        return None
    return next((str(item[name]) for name in _NAMES if name in item), None)


def _is_time(value: Mapping[str, JsonValue]) -> bool:
    return bool(value) and set(value) <= _FORMS | {"at_least"} and bool(set(value) & _FORMS) and len(value) <= 2  # noqa: PLR2004


def _sentence(pointer: str, before: JsonValue, after: JsonValue, *, language: Language) -> str:
    subject = " ".join(_subject(pointer, language=language))
    told = f"{_words(before, language=language)} → {_words(after, language=language)}"
    return f"{subject[:1].upper()}{subject[1:]}: {told}"


def _subject(pointer: str, *, language: Language) -> Iterator[str]:
    """`/stages/approval/deadline` as `stage`, `approval,`, `deadline`."""
    steps = pointer.split("/")[1:]
    for position, step in enumerate(steps, start=1):
        label = LABELS.get(step)
        named = position > 1 and steps[position - 2] in {
            "stages",
            "reasons",
            "routes",
            "remoteness_credits",
            "retention",
        }
        if step.isdigit():
            word = str(int(step) + (0 if named else 1))
        else:
            word = step if label is None or named else label[0 if language == "id" else 1]
        opens_list = step in {
            "stages",
            "reasons",
            "routes",
            "remoteness_credits",
            "retention",
            "ladder",
        } and position < len(steps)
        yield word if opens_list or position == len(steps) else f"{word},"


def _words(value: JsonValue, *, language: Language) -> str:
    indonesian = language == "id"
    match value:
        case None:
            text = "tidak ada" if indonesian else "none"
        case bool():
            text = ("ya" if value else "tidak") if indonesian else ("yes" if value else "no")
        case dict() if _is_time(value):
            text = time_words(_TIME.validate_python(value), language=language)
        case list():
            text = ", ".join(_words(item, language=language) for item in value) or (
                "kosong" if indonesian else "nobody"
            )
        case dict():
            text = ", ".join(sorted(value)) or ("kosong" if indonesian else "nothing")
        case _:
            text = str(value)
    return text if len(text) <= _LONGEST_WORDS else f"{text[: _LONGEST_WORDS - 1]}…"


def time_words(time: Duration | After, *, language: Language) -> str:
    """A time of a policy in words: `5 hari kerja`, `5 working days`."""
    indonesian = language == "id"
    match time:
        case WorkingDays(working_days=days):
            return f"{days} hari kerja" if indonesian else _count(days, "working day")
        case CalendarDays(calendar_days=days):
            return f"{days} hari kalender" if indonesian else _count(days, "calendar day")
        case Elapsed(elapsed=elapsed):
            seconds = f"{elapsed.total_seconds():g}"
            return f"{seconds} detik" if indonesian else f"{seconds} seconds"
        case WindowClose(window_close=window, at_least=least):
            inner = time_words(least, language=language)
            if indonesian:
                return f"penutupan masa {window} berikutnya, paling cepat {inner} lagi"
            return f"close of the next {window} window that opens {inner} later"
        case Share(share=share):
            return f"{share:.0%}".replace("%", " % dari batas waktu" if indonesian else " % of the deadline")
        case _:
            assert_never(time)


def _count(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"
