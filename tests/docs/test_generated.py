"""The generated documents are fresh, and the picture in them shows what can happen and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.problems import KINDS
from docs import generate
from docs.life_of_a_case import BOXES, arrows, diagram
from domain.authority import Permission
from domain.errors import REFUSALS
from domain.lifecycle import TRANSITIONS, Happening
from domain.policy import default_policy
from domain.vocabulary import CLOSED_STATUSES, Kind, ReasonCode, Role, Stage, Status

ARROWS = arrows(default_policy())


def test_documents_say_what_the_code_says() -> None:
    assert [file.name for file, text in generate.wanted().items() if file.read_text() != text] == []


def test_every_transition_is_on_the_picture() -> None:
    within_one_status = {Happening.OPINIONS_HEARD, Happening.GROUND_CHECK_ASKED, Happening.GROUND_CHECKED}

    assert {arrow.happening for arrow in ARROWS} == set(Happening) - within_one_status


def test_no_arrow_contradicts_the_table() -> None:
    rules = {rule.happening: rule for rule in TRANSITIONS}

    for arrow in ARROWS:
        assert arrow.source in rules[arrow.happening].source
        assert arrow.target in rules[arrow.happening].target


def test_a_case_gets_out_of_every_status_until_it_is_closed() -> None:
    reached = {Status.RECEIVED} | {arrow.target for arrow in ARROWS}

    leads_on = {arrow.source for arrow in ARROWS}

    assert reached - leads_on == (reached & CLOSED_STATUSES) - {Status.REJECTED}
    assert {arrow.target for arrow in ARROWS if arrow.source is Status.REJECTED} == {Status.SUPERSEDED}


def test_an_applied_case_has_come_by_the_ministry() -> None:
    into_registry = {(arrow.source, arrow.happening) for arrow in ARROWS if arrow.target is Status.APPLIED}

    assert into_registry == {
        (Status.IN_DELIVERY, Happening.MINISTRY_ACCEPTED),
        (Status.APPROVED_LOCAL, Happening.MINISTRY_ACCEPTED),
    }


def test_picture_draws_each_arrow_once() -> None:
    """An arrow out of a box stands for its members; what it stands for adds up to the arrows, no more, no fewer."""
    members = {box: tuple(status.value for status in inside) for box, (_, inside) in BOXES.items()}
    drawn: list[tuple[str, str, str]] = []
    for line in diagram(default_policy()).splitlines():
        match = re.fullmatch(r"\s+(\w+) --> (\w+) : ([a-z ]+)(?:, from ([\w ]+))?(?:, to ([\w ]+))?", line)
        if match is None:
            continue
        source, target, happening, only_from, only_to = match.groups()
        sources = only_from.split(" or ") if only_from else members.get(source, (source,))
        targets = only_to.split(" or ") if only_to else members.get(target, (target,))
        drawn += [(happening.replace(" ", "_"), s, t) for s in sources for t in targets]

    by_themselves = [arrow for arrow in ARROWS if arrow.happening is not Happening.SENT_BACK]
    assert sorted(drawn) == sorted(
        (each.happening.value, each.source.value, each.target.value) for each in by_themselves
    )


def test_tables_leave_nothing_out() -> None:
    reasons, routes = generate.reasons(), generate.routes_and_ladders()
    permissions, errors = generate.permissions(), generate.errors()

    assert all(f"| `{code.value}` |" in reasons for code in ReasonCode)
    assert all(kind.value in routes for kind in Kind)
    assert all(f"| {stage.value} " in routes for stage in Stage)
    assert all(f"| {role.value} |" in permissions for role in Role)
    assert all(f"`{permission.value}`" in permissions for permission in Permission)
    assert all(f"| `{code}` |" in errors for code in {*REFUSALS, *KINDS})


def test_stale_document_is_named_and_then_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "TREE", tmp_path)
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    monkeypatch.setattr(generate, "README", tmp_path / "README.md")
    (tmp_path / "README.md").write_text(f"# Kawal\n{generate.BEGIN}\nold\n{generate.END}\nthe rest\n")

    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().out.count("is stale") == len(generate.PAGES) + 1
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    readme = (tmp_path / "README.md").read_text()
    assert readme.startswith("# Kawal\n")
    assert readme.endswith("\nthe rest\n")
    assert diagram(default_policy()) in readme


def test_readme_without_a_place_for_the_picture_is_refused() -> None:
    with pytest.raises(generate.MissingMarkersError):
        generate.with_picture("# Kawal\n")
