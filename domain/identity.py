"""NIK and KK numbers: what their structure can tell, and no more.

A NIK is `PPKKCC DDMMYY SSSS`: province, regency, district of first issue, birth date (women's day + 40), serial.
There is no check digit, so structure never proves registration: only the civil registry does. The prefix stays
when people move and is therefore never compared with an address. Parsing is lokal-id's; python-stdnum is not
used, since its region table holds statistics-office codes and it dates births of 2005 to 1905.
"""

from __future__ import annotations

import re
from datetime import date

from lokal.nik import NikInfo, parse_nik
from lokal.wilayah import wilayah_name

from domain.errors import Violation
from domain.household import Sex

_SIXTEEN_DIGITS = re.compile(r"[0-9]{16}")
_SHOWN = 4
_FEMALE = "P"
_SOFTENED = frozenset({"province"})
"""What the parser refuses and Kawal only warns of: NIKs of former provinces (54, East Timor) are still held."""


def check_nik(nik: str, *, birth_date: date, sex: Sex, today: date, pointer: str) -> list[Violation]:
    """What is wrong with `nik` as the number of a person of this birth date and sex.

    Codes: `nik_malformed`, `nik_birth_date_differs`, `nik_sex_differs`. The NIK holds two digits of the year,
    so 1924 and 2024 agree with it alike. No violation ever repeats the number.
    """
    info = _parse(nik, today=today)
    if info is None:
        return [_malformed(pointer)]
    violations: list[Violation] = []
    if nik[8:12] != birth_date.strftime("%m%y") or int(nik[6:8]) % 40 != birth_date.day:
        violations.append(_birth_date_differs(pointer))
    if (info.gender == _FEMALE) != (sex is Sex.FEMALE):
        violations.append(_sex_differs(pointer))
    return violations


def nik_warnings(nik: str) -> list[str]:
    """Codes of what is odd about a well-formed NIK, though no reason to refuse it.

    `nik_province_unknown`, `nik_region_unknown`: the prefix is not among today's areas, as with numbers issued
    before a regency was divided. A malformed number has no warnings. The first call loads the area table (0.3 s).
    """
    if _SIXTEEN_DIGITS.fullmatch(nik) is None:
        return []
    info = parse_nik(nik, lookup_wilayah=wilayah_name)
    if info.province is None:
        return ["nik_province_unknown"]
    return ["nik_region_unknown"] if info.warnings else []


def check_kk(kk: str, *, pointer: str) -> list[Violation]:
    """`kk_malformed` unless the family card number is 16 digits; nothing more is known of its structure."""
    if _SIXTEEN_DIGITS.fullmatch(kk):
        return []
    return [
        Violation(
            pointer=pointer,
            code="kk_malformed",
            detail="A family card number (nomor KK) has 16 digits and nothing else.",
            remedy="Copy the 16 digits from the top of the Kartu Keluarga.",
        ),
    ]


def mask(number: str) -> str:
    """A NIK or KK number as lists may show it: `3206••••••••0001`. Anything else is hidden altogether."""
    if _SIXTEEN_DIGITS.fullmatch(number) is None:
        return "•" * len(number)
    return f"{number[:_SHOWN]}{'•' * (len(number) - 2 * _SHOWN)}{number[-_SHOWN:]}"


def _parse(nik: str, *, today: date) -> NikInfo | None:
    """The parts of a well-formed NIK, else None. The parser drops dots and spaces; a stored number has none."""
    if _SIXTEEN_DIGITS.fullmatch(nik) is None:
        return None
    info = parse_nik(nik, reference_date=today)
    return info if all(issue.code in _SOFTENED for issue in info.errors) else None


def _malformed(pointer: str) -> Violation:
    return Violation(
        pointer=pointer,
        code="nik_malformed",
        detail="This is no NIK: 16 digits with area, birth date (women: day + 40) and a serial from 0001.",
        remedy="Copy the 16 digits from the KTP or the Kartu Keluarga.",
    )


def _birth_date_differs(pointer: str) -> Violation:
    return Violation(
        pointer=pointer,
        code="nik_birth_date_differs",
        detail="The birth date inside the NIK is not the birth date given.",
        remedy="Correct whichever was mistyped, or attach the correction letter or court order that explains it.",
    )


def _sex_differs(pointer: str) -> Violation:
    return Violation(
        pointer=pointer,
        code="nik_sex_differs",
        detail="The sex inside the NIK is not the sex given (women's day of birth is written + 40).",
        remedy="Correct whichever was mistyped, or attach the correction letter or court order that explains it.",
    )
