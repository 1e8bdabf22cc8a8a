"""What differs between two policies, in words that an officer reads; and where a comment points at."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import InvalidInput
from domain.policy import default_policy, demo_policy
from domain.policy.canonical import pieces
from domain.policy.comparison import LABELS, compare, place_of
from domain.policy.trial import Effect, effects_on
from domain.provenance import Datum
from domain.vocabulary import Kind, Stage
from tests.unit.policy_changes import Change, as_json, changed, to


def told(*changes: Change) -> list[tuple[str, str, str]]:
    found = compare(as_json(default_policy()), as_json(changed(*changes)))
    return [(one.pointer, one.words.id, one.words.en) for one in found]


@pytest.mark.parametrize(
    ("change", "pointer", "indonesian", "english"),
    [
        (
            to("/stages/0/deadline", {"elapsed": "PT20S"}),
            "/stages/verification/deadline",
            "Tahap verification, batas waktu: 5 hari kerja → 20 detik",
            "Stage verification, deadline: 5 working days → 20 seconds",
        ),
        (
            to("/stages/1/needs_minutes", value=False),
            "/stages/deliberation/needs_minutes",
            "Tahap deliberation, perlu berita acara: ya → tidak",
            "Stage deliberation, minutes needed: yes → no",
        ),
        (
            to("/stages/0/ladder/1/to", "subdistrict_head"),
            "/stages/verification/ladder/1/to",
            "Tahap verification, jenjang eskalasi, anak tangga 2, kepada: district_supervisor → subdistrict_head",
            "Stage verification, ladder, rung 2, to: district_supervisor → subdistrict_head",
        ),
        (
            to("/repair/ladder/0/after", {"share": 0.75}),
            "/repair/ladder/0/after",
            "Perbaikan, jenjang eskalasi, anak tangga 1, waktu: 50 % dari batas waktu → 75 % dari batas waktu",
            "Repair, ladder, rung 1, when: 50 % of the deadline → 75 % of the deadline",
        ),
        (
            to("/remoteness_credits/1/working_days", 6),
            "/remoteness_credits/2/working_days",
            "Tambahan waktu daerah terpencil kelas 2, hari kerja: 5 → 6",
            "Credit of remote areas, class 2, working days: 5 → 6",
        ),
        (
            to("/publication/consultation", {"calendar_days": 1}),
            "/publication/consultation",
            "Penerbitan kebijakan, masa tanggapan: 5 hari kerja → 1 hari kalender",
            "Publication of policies, consultation: 5 working days → 1 calendar day",
        ),
    ],
)
def test_a_change_is_told_in_both_languages(change: Change, pointer: str, indonesian: str, english: str) -> None:
    assert told(change) == [(pointer, indonesian, english)]


def test_equal_policies_do_not_differ_and_what_is_new_comes_from_nothing() -> None:
    assert told() == []
    (gone, *_) = compare({"a": 1}, {})
    assert (gone.before, gone.after, gone.words.en) == (1, None, "A: 1 → none")


def test_every_field_of_a_policy_has_a_label_in_both_languages() -> None:
    names = {
        name
        for policy in (default_policy(), demo_policy())
        for _, piece in pieces(policy)
        if isinstance(piece, Datum)
        for name in type(piece).model_fields
    }
    assert sorted(names - set(LABELS)) == []
    assert all(indonesian and english for indonesian, english in LABELS.values())


@pytest.mark.parametrize("pointer", ["/stages/approval/deadline", "/stages/2/deadline"])
def test_a_place_is_named_by_position_or_by_name(pointer: str) -> None:
    assert place_of(as_json(default_policy()), pointer) == "/stages/approval/deadline"


@pytest.mark.parametrize("pointer", ["/stages/9", "/stage", "stages", "/stages/approval/deadline/working_days/1", "/"])
def test_a_place_that_is_not_there_is_refused(pointer: str) -> None:
    with pytest.raises(InvalidInput):
        place_of(as_json(default_policy()), pointer)


@pytest.mark.parametrize(
    ("changes", "stage", "effects"),
    [
        ([to("/stages/0/deadline", {"working_days": 4})], Stage.VERIFICATION, (Effect.DEADLINE,)),
        ([to("/stages/0/deadline", {"working_days": 4})], Stage.APPROVAL, ()),
        ([to("/stages/0/source", "test")], Stage.VERIFICATION, ()),
        ([to("/stages/0/ladder/0/source", "test")], Stage.VERIFICATION, ()),
        ([to("/stages/0/ladder/0/after/share", 0.6)], Stage.VERIFICATION, (Effect.LADDER,)),
        ([to("/stages/0/outcomes", ["forward", "return"])], Stage.VERIFICATION, (Effect.OUTCOMES,)),
        ([to("/stages/1/needs_minutes", value=False)], Stage.DELIBERATION, (Effect.MINUTES,)),
        (
            [to("/routes/0/stages", ["identity_check", "verification", "approval", "delivery"])],
            Stage.DELIBERATION,
            (Effect.ROUTE, Effect.STAGE_GONE),
        ),
        ([to("/repair/deciders", ["village_head"])], Stage.REPAIR, (Effect.DECIDERS,)),
        ([to("/repair/deciders", ["village_head"])], None, ()),
    ],
)
def test_a_case_is_affected_by_what_changes_in_its_route_and_its_stage(
    changes: list[Any], stage: Stage | None, effects: tuple[Effect, ...]
) -> None:
    after = changed(*changes)
    assert effects_on(Kind.NEW_HOUSEHOLD, stage, before=default_policy(), after=after) == effects
