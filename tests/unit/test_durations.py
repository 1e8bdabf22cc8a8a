from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.durations import After, CalendarDays, Duration, Elapsed, Share, WindowClose, WorkingDays

DURATION: TypeAdapter[Duration] = TypeAdapter(Duration)
AFTER: TypeAdapter[After] = TypeAdapter(After)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"working_days": 5}, WorkingDays(working_days=5)),
        ({"calendar_days": 60}, CalendarDays(calendar_days=60)),
        ({"elapsed": "PT20S"}, Elapsed(elapsed=timedelta(seconds=20))),
        (
            {"window_close": "musdes", "at_least": {"working_days": 3}},
            WindowClose(window_close="musdes", at_least=WorkingDays(working_days=3)),
        ),
    ],
)
def test_each_form_of_a_duration_is_read_and_written_back_as_it_was(written: dict[str, Any], meant: Duration) -> None:
    assert DURATION.validate_python(written) == meant
    assert DURATION.validate_json(DURATION.dump_json(meant)) == meant
    assert DURATION.dump_python(meant, mode="json") == written
    assert DURATION.validate_python(meant) is meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"share": 0.5}, Share(share=0.5)),
        ({"working_days": 2}, WorkingDays(working_days=2)),
        ({"elapsed": "PT5S"}, Elapsed(elapsed=timedelta(seconds=5))),
    ],
)
def test_each_form_of_a_rungs_offset_is_read_and_written_back_as_it_was(written: dict[str, Any], meant: After) -> None:
    assert AFTER.validate_python(written) == meant
    assert AFTER.dump_python(meant, mode="json") == written


@pytest.mark.parametrize("written", [{}, 5, "PT5S", {"days": 5}, {"working_days": 5, "calendar_days": 7}])
def test_what_is_no_form_of_a_duration_is_answered_with_the_four_forms(written: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        DURATION.validate_python(written)
    (error,) = refused.value.errors()
    assert error["type"] == "duration_form"
    for form in ("working_days", "calendar_days", "elapsed", "window_close"):
        assert form in error["msg"]


@pytest.mark.parametrize("written", [{}, {"calendar_days": 2}, {"share": 0.5, "elapsed": "PT5S"}])
def test_what_is_no_offset_of_a_rung_is_answered_with_the_three_forms(written: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        AFTER.validate_python(written)
    (error,) = refused.value.errors()
    assert error["type"] == "after_form"
    for form in ("share", "working_days", "elapsed"):
        assert form in error["msg"]


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ({"working_days": 0}, ("working_days", "working_days")),
        ({"working_days": 10**9}, ("working_days", "working_days")),
        ({"working_days": True}, ("working_days", "working_days")),
        ({"working_days": "5"}, ("working_days", "working_days")),
        ({"working_days": 5, "hours": 2}, ("working_days", "hours")),
        ({"calendar_days": -1}, ("calendar_days", "calendar_days")),
        ({"elapsed": "PT0S"}, ("elapsed", "elapsed")),
        ({"elapsed": "-PT5S"}, ("elapsed", "elapsed")),
        ({"elapsed": 20}, ("elapsed", "elapsed")),
        ({"elapsed": "00:00:20"}, ("elapsed", "elapsed")),
        ({"elapsed": "P20Y"}, ("elapsed", "elapsed")),
        ({"window_close": "musdes"}, ("window_close", "at_least")),
        (
            {"window_close": "bazaar", "at_least": {"working_days": 3}},
            ("window_close", "window_close"),
        ),
    ],
)
def test_a_wrong_value_is_refused_at_its_own_field(written: dict[str, Any], field: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError) as refused:
        DURATION.validate_python(written)
    assert [error["loc"] for error in refused.value.errors()] == [field]


@pytest.mark.parametrize("share", [0, -0.5, 1.01, True, "0.5"])
def test_a_share_is_a_number_above_nothing_and_up_to_the_whole(share: Any) -> None:
    with pytest.raises(ValidationError):
        AFTER.validate_python({"share": share})


def test_a_whole_number_may_be_written_with_a_point_and_nothing_else_passes_for_one() -> None:
    assert DURATION.validate_json('{"working_days": 811.0}') == WorkingDays(working_days=811)
    for written in ("811.5", '"811"', "true", "1001.0", "1e400"):
        with pytest.raises(ValidationError):
            DURATION.validate_json(f'{{"working_days": {written}}}')
    assert WorkingDays.model_json_schema()["properties"]["working_days"]["maximum"] == 1000
