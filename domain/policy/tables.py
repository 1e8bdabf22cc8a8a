"""A policy as tables in Markdown, for the documents that are generated from it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from domain.durations import After, CalendarDays, Duration, Elapsed, Share, WindowClose, WorkingDays
from domain.policy.ground_checks import DrawTrigger, KindTrigger, ReturnTrigger, Trigger, ValueTrigger
from domain.policy.model import Policy
from domain.policy.rule import Rule, listed
from domain.policy.stages import Rung, StageRule
from domain.policy.validation import RULES, sentence
from domain.vocabulary import Stage

_AT_ONCE = 0.001
"""A share of less is the moment in which the task is opened."""


def route_table(policy: Policy) -> str:
    """Each route: its kinds, its stages in order, its source."""
    return _table(
        ("route", "kinds", "stages in order", "source", "strength"),
        (
            (
                route.name,
                listed(route.kinds),
                " → ".join(stage.value for stage in route.stages),
                route.source,
                route.strength.value,
            )
            for route in policy.routes
        ),
    )


def ladder_table(policy: Policy) -> str:
    """Each rung of each stage: when it comes, what it does to whom, what it grants, who is told."""
    rules = [*policy.stages, policy.repair, policy.stage(Stage.IDENTITY_CHECK), policy.stage(Stage.DELIVERY)]
    if policy.ground_checks is not None:
        rules.append(policy.stage(Stage.GROUND_CHECK))
    return _ladders((rule.stage.value, rule) for rule in rules)


def dispute_table(policy: Policy) -> str:
    """The same for appeals, opinions and conflicts, each by the stages whose no is disputed."""
    appeals = () if policy.appeals is None else policy.appeals.tiers
    disputes = () if policy.conflicts is None else policy.conflicts.disputes
    heard = [(Stage.APPEAL, tier.hears) for tier in appeals]
    heard += [(stage, dispute.objecting) for dispute in disputes for stage in (Stage.OPINION, Stage.CONFLICT)]
    return _ladders(
        (f"{stage} about {listed(contested)}", policy.stage(stage, contested=min(contested)))
        for stage, contested in heard
    )


def ground_table(policy: Policy) -> str:
    """What asks for a ground check before which stage, and where that comes from."""
    rule = policy.ground_checks
    triggers = () if rule is None else rule.triggers()
    return _table(
        ("before", "asked for", "source", "strength"),
        (
            (trigger.gates.value, _trigger_text(trigger), trigger.source, trigger.strength.value)
            for _, trigger in triggers
        ),
    )


def _trigger_text(trigger: Trigger) -> str:
    match trigger:
        case KindTrigger():
            return f"every {listed(trigger.kinds)}"
        case ValueTrigger():
            least = [] if trigger.at_least is None else [f"at least {trigger.at_least}"]
            most = [] if trigger.at_most is None else [f"at most {trigger.at_most}"]
            return f"proposed `{trigger.field}`: {' and '.join([*least, *most])}"
        case DrawTrigger():
            return f"a random {trigger.share * 100:g} %"
        case ReturnTrigger():
            often = f"{trigger.times} return{_plural(trigger.times)}"
            return f"{often} by {listed(trigger.returned_by)} for {listed(trigger.reasons)}"
        case _:
            assert_never(trigger)


def _ladders(rules: Iterable[tuple[str, StageRule]]) -> str:
    return _table(
        ("stage", "who acts", "deadline", "rung", "after", "action", "to", "grants", "notified"),
        (
            _rung_row(name, rule, rung=rung, level=level)
            for name, rule in rules
            for level, rung in enumerate(rule.ladder, start=1)
        ),
    )


def reasons_table(policy: Policy) -> str:
    """Each reason: its words, its use, who mends it with which paper until when, what the public reads."""
    return _table(
        (
            "code",
            "Indonesian",
            "English",
            "use",
            "who mends",
            "paper",
            "within",
            "public text",
            "substantive",
            "source",
        ),
        (
            (
                f"`{reason.code}`",
                reason.label.id,
                reason.label.en,
                reason.use.value,
                str(reason.who_mends),
                reason.paper.id if reason.paper else "",
                duration_text(reason.within) if reason.within else "",
                reason.public_text.id,
                "yes" if reason.substantive else "no",
                f"{reason.source} ({reason.strength})",
            )
            for reason in policy.reasons
        ),
    )


def rules_table(rules: Iterable[Rule] = RULES) -> str:
    """Each rule that a policy has to keep, as a sentence, and the reason why."""
    return _table(
        ("a policy is refused unless", "because"),
        ((sentence(rule), " ".join((rule.__doc__ or "").split("\n\n")[0].split())) for rule in rules),
    )


def duration_text(duration: Duration) -> str:
    """A duration in English words: `5 working days`, `20 s`."""
    match duration:
        case WorkingDays(working_days=days):
            return f"{days} working day{_plural(days)}"
        case CalendarDays(calendar_days=days):
            return f"{days} calendar day{_plural(days)}"
        case Elapsed(elapsed=time):
            return f"{time.total_seconds():g} s"
        case WindowClose(window_close=window, at_least=least):
            return f"close of the next {window} window that opens {duration_text(least)} later"
        case _:
            assert_never(duration)


def after_text(after: After) -> str:
    """When a rung comes, in English words: `50 % of the deadline`, `2 working days past it`."""
    match after:
        case Share(share=share) if share < _AT_ONCE:
            return "at once"
        case Share(share=share):
            return f"{share:.0%} of the deadline".replace("%", " %")
        case WorkingDays() | Elapsed():
            return f"{duration_text(after)} past it"
        case _:
            assert_never(after)


def _plural(count: int) -> str:
    return "" if count == 1 else "s"


def _rung_row(name: str, rule: StageRule, *, rung: Rung, level: int) -> tuple[str, ...]:
    return (
        name,
        listed(rule.deciders) or "the system",
        duration_text(rule.deadline),
        str(level),
        after_text(rung.after),
        rung.action.value,
        str(rung.to),
        listed(rung.grants),
        listed(rung.notify),
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
