"""The export of a person as a page to print, in Indonesian: plain HTML with nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape

from pydantic import JsonValue

from domain.person_export import CaseHeld, HouseholdHeld, PersonExport

_ERASED = "dihapus setelah masa simpan"
_STYLE = (
    "body{font:11pt/1.4 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;width:100%;margin:.5em 0 1.5em}"
    "td,th{border:1px solid #999;padding:.25em .5em;text-align:left;vertical-align:top}"
    "h2{border-bottom:2px solid #333}@media print{body{margin:0}h2{break-after:avoid}}"
)


def render_page(export: PersonExport) -> str:
    """The whole page. Every value is escaped."""
    parts = [
        "<h1>Salinan data pribadi</h1>",
        _table(
            ("NIK", "Wilayah", "Dibuat pada", "Nomor permohonan"),
            [(export.nik, export.area_code, _moment(export.made_at), str(export.request_id))],
        ),
        "" if export.held else "<p><strong>Tidak ada data atas NIK ini di wilayah ini.</strong></p>",
        "<p>Ada data atas NIK ini di wilayah lain.</p>" if export.held_elsewhere else "",
        "<p>Dokumen ini dipotong karena datanya terlalu banyak.</p>" if export.truncated else "",
        *(_household(one) for one in export.households),
        *(_case(one) for one in export.cases),
        "<h2>Siapa yang membaca data Anda</h2>",
        _table(
            ("Waktu", "Peran", "Instansi", "Keperluan", "Dasar", "Penjelasan"),
            [
                (
                    _moment(r.at),
                    r.role,
                    r.office,
                    r.purpose.id,
                    r.ground,
                    r.explanation or _ERASED,
                )
                for r in export.readings
            ],
        ),
        "<h2>Permohonan Anda</h2>",
        _table(
            ("Waktu", "Jenis", "Keadaan", "Dijawab"),
            [(_moment(r.requested_at), r.kind, r.state, _moment(r.answered_at)) for r in export.requests],
        ),
        f"<h2>Memperbaiki data</h2><p>{escape(export.correction.id)}.</p>",
    ]
    head = f'<meta charset="utf-8"><title>Salinan data pribadi</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="id"><head>{head}</head><body>{"".join(parts)}</body></html>'


def _household(held: HouseholdHeld) -> str:
    facts = {
        "Nomor KK": held.kk_number,
        "Wilayah": held.area_code,
        "Desil": held.desil,
        "Alamat": held.address,
        "Keadaan": held.circumstances,
        "Program": held.programmes,
        "Data Anda": held.person,
        "Anggota lain (hubungan)": ", ".join(held.other_members),
    }
    title = f"<h2>Keluarga, versi {held.version}, sejak {_moment(held.applied_at)}</h2>"
    return title + _table(("Hal", "Isi"), [(name, _text(value)) for name, value in facts.items()])


def _case(held: CaseHeld) -> str:
    revisions = [
        (r.revision, _moment(r.submitted_at), _ERASED if r.erased_at else _text(r.change)) for r in held.revisions
    ]
    decisions = [
        (d.stage, d.outcome, d.reason.id if d.reason else "", d.role or d.decided_by, d.office, _moment(d.decided_at))
        for d in held.decisions
    ]
    files = [(f.type, _moment(f.kept_at), _ERASED if f.erased_at else f.link) for f in held.evidence]
    looked = [(g.outcome, _ERASED if g.seen is None else _text(g.seen), g.role, g.office) for g in held.ground_reports]
    identity = [(i.result, ", ".join(i.fields), _moment(i.checked_at)) for i in held.identity]
    return "".join(
        (
            f"<h2>Usulan {escape(held.tracking_code)}</h2>",
            _table(
                ("Jenis", "Status", "Diajukan", "Selesai"),
                [(held.kind, held.status, _moment(held.submitted_at), _moment(held.closed_at))],
            ),
            _table(("Revisi", "Diajukan", "Isi"), revisions),
            _table(("Tahap", "Keputusan", "Alasan", "Oleh", "Instansi", "Waktu"), decisions),
            _table(("Padanan Dukcapil", "Yang berbeda", "Waktu"), identity),
            _table(("Berkas", "Disimpan", "Tautan"), files),
            _table(("Verifikasi lapangan", "Yang dilihat", "Oleh", "Instansi"), looked),
            _table(
                ("Pemberitahuan", "Kepada", "Waktu"),
                [(n.subject, n.to_role, _moment(n.at)) for n in held.notifications],
            ),
        ),
    )


def _table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>" for row in rows)
    if not body:
        return ""
    return f"<table><tr>{''.join(f'<th>{escape(name)}</th>' for name in columns)}</tr>{body}</table>"


def _cell(value: object) -> str:
    return "" if value is None else escape(str(value)).replace("\n", "<br>")


def _text(value: JsonValue, *, depth: int = 0) -> str:
    """Nested values as indented lines."""
    match value:
        case dict():
            lines = (f"{name}: {_text(inner, depth=depth + 1)}" for name, inner in value.items() if inner is not None)
            return "\n".join(("" if depth == 0 else "  ") + line for line in lines)
        case list():
            return "; ".join(_text(inner, depth=depth + 1) for inner in value)
        case None:
            return ""
        case _:
            return str(value)


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
