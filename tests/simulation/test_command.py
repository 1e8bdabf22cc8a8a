"""`kawal simulate` as a planner uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app
from domain.errors import InvalidInput
from domain.policy import canonical_json
from simulation.scenario import Scenario, parse_scenario
from tests.simulation.small import POLICY, patient

SMALL = ("--villages", "2", "--months", "1", "--replications", "2", "--jobs", "1")


def kawal(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["simulate", *arguments])


def test_two_policies_are_compared_and_the_result_is_kept(tmp_path: Path) -> None:
    other = tmp_path / "slower.json"
    other.write_text(canonical_json(patient()))
    kept = tmp_path / "result.json"
    result = kawal("default", str(other), *SMALL, "--seed", "3", "--out", str(kept))
    assert result.exit_code == 0, result.output
    assert "slower - default" in result.output
    found = json.loads(kept.read_text())
    assert [policy["policy"] for policy in found["policies"]] == ["default", "slower"]
    assert found["scenario"]["arrivals"]["source"]
    again = kawal("default", str(other), *SMALL, "--seed", "3", "--json")
    assert json.loads(again.stdout) == found


def test_what_is_assumed_is_shown_and_can_be_given_back(tmp_path: Path) -> None:
    shown = kawal("default", "--show-scenario")
    file = tmp_path / "scenario.json"
    file.write_text(shown.stdout)
    assert parse_scenario(json.loads(file.read_text())) == Scenario()


def test_role_that_is_given_leaves_the_others_as_they_are() -> None:
    found = parse_scenario({"staff": {"puskesos_officer": {"tier": "village", "minutes": 5}}})
    assert found.staff.keys() == Scenario().staff.keys()
    assert [pace.minutes for role, pace in found.staff.items() if role == "puskesos_officer"] == [5]


@pytest.mark.parametrize(
    ("scenario", "pointer"),
    [
        ({"arrivals": {"per_month": 2}}, "/arrivals/per_month"),
        ({"arrivals": {"kinds": {"no_such_kind": 1}}}, "/arrivals/kinds/no_such_kind"),
        ({"repairs": {"dayz": 3}}, "/repairs/dayz"),
        ({"begins": "yesterday"}, "/begins"),
        ([], ""),
    ],
)
def test_fault_of_a_scenario_is_named_by_its_field(scenario: object, pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_scenario(scenario)
    assert pointer in {violation.pointer for violation in refused.value.violations}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("no-such-file.json",), "cannot be read as JSON"),
        (("default", "--regency", "99.99"), "There is no regency"),
        (("default",) * 6, "At most 5 policies"),
    ],
)
def test_bad_input_ends_with_a_message(arguments: tuple[str, ...], told: str) -> None:
    result = kawal(*arguments, *SMALL)
    assert result.exit_code == 1
    assert told in result.output


def test_policy_of_another_regency_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.json"
    file.write_text(canonical_json(POLICY.model_copy(update={"area_code": "32.07"})))
    result = kawal(str(file), *SMALL)
    assert (result.exit_code, "other_regency" in result.output) == (1, True)
