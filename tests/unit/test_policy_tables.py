"""The tables that the documents take from a policy."""

from __future__ import annotations

from domain.policy import RULES, default_policy, demo_policy, ladder_table, reasons_table, route_table, rules_table
from domain.policy.tables import duration_text
from domain.vocabulary import ReasonCode
from tests.unit.policy_changes import changed, to


def test_the_ladder_table_has_a_line_for_every_rung_and_speaks_in_days() -> None:
    lines = ladder_table(default_policy()).splitlines()

    assert lines[2] == (
        "| verification | puskesos_officer | 5 working days | 1 | 50 % of the deadline | remind | holder |  |  |"
    )
    assert (
        "| endorsement | regency_head | 3 working days | 3 | 3 working days past it | escalate "
        "| regency_assistant | decide, manage | evaluator |"
    ) in lines
    assert len(lines) == 2 + 4 + 4 + 4 + 3 + 4 + 1 + 4 + 4


def test_the_ladder_table_of_the_demonstration_speaks_in_seconds() -> None:
    assert "| 4 s past it |" in ladder_table(demo_policy())


def test_the_deliberation_is_due_when_its_window_closes() -> None:
    assert duration_text(default_policy().stages[1].deadline) == (
        "close of the next musdes window that opens 3 working days later"
    )


def test_the_reasons_table_has_a_line_for_every_code() -> None:
    lines = reasons_table(default_policy()).splitlines()

    assert [line.split("`")[1] for line in lines[2:]] == list(ReasonCode)


def test_the_route_table_shows_the_stages_in_order() -> None:
    assert "| identity_check → verification → approval → delivery |" in route_table(default_policy())


def test_the_rules_table_gives_every_rule_its_sentence_and_its_reason() -> None:
    lines = rules_table().splitlines()

    assert len(lines) == 2 + len(RULES)
    assert "| No ladder is empty. | Without a ladder a silent officer keeps a case for ever" in rules_table()


def test_a_bar_in_a_text_does_not_break_its_row() -> None:
    assert r"| a\|b |" in route_table(changed(to("/routes/0/source", "a|b")))
