"""What is wrong with a paper that is about to be recorded, each fault at its place, with a code and a remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from domain.decisions import DecisionInput, check_reason
from domain.errors import Violation
from domain.minutes import Attendance, ListedCase, MinutesInput, PaperFacts, missing_from
from domain.policy import MinutesRule, Policy, StageRule
from domain.vocabulary import MinutesType, Stage

Faults = Iterator[Violation]


def check_paper(paper: MinutesInput, *, policy: Policy, rule: MinutesRule, facts: PaperFacts) -> list[Violation]:
    """Everything that keeps the paper from being recorded; empty when nothing does."""
    return [
        *_day(paper, facts),
        *_number(paper, facts),
        *(_musdes(paper, rule) if paper.type is MinutesType.MUSDES else _sptjm(paper, rule)),
        *_signatures(paper, rule),
        *_scan(paper, rule),
        *_correction(paper),
        *_cases(paper, policy, facts),
    ]


def _fault(pointer: str, code: str, detail: str, remedy: str) -> Violation:
    return Violation(pointer=pointer, code=code, detail=detail, remedy=remedy)


def _day(paper: MinutesInput, facts: PaperFacts) -> Faults:
    if paper.held_on > facts.today:
        yield _fault(
            "/held_on", "date_in_future", "This day is still to come.", "Record the paper once it has been signed."
        )


def _number(paper: MinutesInput, facts: PaperFacts) -> Faults:
    if facts.number_taken_by is not None:
        yield _fault(
            "/number",
            "number_taken",
            f"The village has recorded a paper with this number in {paper.held_on:%Y}.",
            f"Read GET /v1/minutes/{facts.number_taken_by}; if it is wrong, supersede it.",
        )


def _musdes(paper: MinutesInput, rule: MinutesRule) -> Faults:
    if paper.place is None:
        yield _fault("/place", "place_missing", "It does not say where the musdes was held.", "Name the place.")
    if paper.why_none_held is not None:
        yield _fault("/why_none_held", "musdes_was_held", "Minutes say that one was held.", "Leave it out.")
    if paper.covers != "listed":
        yield _fault(
            "/covers",
            "musdes_covers_what_it_lists",
            "A musdes decides the cases that it spoke about.",
            "Leave `covers` out, and list the cases.",
        )
    yield from _women(paper.attendance)
    missing = missing_from(paper.attendance, rule)
    if missing:
        told = ", ".join(f"{count} of {group.value}" for group, count in sorted(missing.items()))
        yield _fault(
            "/attendance",
            "attendance_under_quorum",
            f"Missing from the quorum: {told}.",
            "Hold the musdes again with those who were missing, or record who attended besides.",
        )


def _women(attendance: Sequence[Attendance]) -> Faults:
    for index, each in enumerate(attendance):
        if each.women is not None and each.women > each.present:
            yield _fault(
                f"/attendance/{index}/women",
                "more_women_than_present",
                "There are more women than people of this group.",
                "Count the women among those who are present.",
            )


def _sptjm(paper: MinutesInput, rule: MinutesRule) -> Faults:
    if rule.sptjm == "not_accepted":
        yield _fault(
            "/type", "sptjm_not_accepted", "The regency takes no SPTJM in place of a musdes.", "Hold a musdes."
        )
    if paper.covers == "village" and rule.sptjm == "per_case":
        yield _fault(
            "/covers",
            "sptjm_lists_its_cases",
            "The regency takes an SPTJM for the cases alone that it lists.",
            "List the cases, and leave `covers` out.",
        )
    if paper.why_none_held is None:
        yield _fault(
            "/why_none_held",
            "reason_missing",
            "An SPTJM says why no musdes was held.",
            "Write down the reason.",
        )
    if paper.attendance:
        yield _fault("/attendance", "nobody_attends_an_sptjm", "No musdes was held.", "Leave `attendance` out.")


def _signatures(paper: MinutesInput, rule: MinutesRule) -> Faults:
    missing = [role for role in rule.signers if role not in {signature.role for signature in paper.signed_by}]
    if missing:
        yield _fault(
            "/signed_by",
            "signature_missing",
            f"Not signed by: {', '.join(missing)}.",
            "Have the paper signed, and name who signed it.",
        )
    for index, signature in enumerate(paper.signed_by):
        if signature.role not in rule.signers:
            yield _fault(
                f"/signed_by/{index}/role",
                "signature_not_expected",
                "Such papers are not signed in this role.",
                f"Name who signed as one of: {', '.join(rule.signers)}.",
            )


def _scan(paper: MinutesInput, rule: MinutesRule) -> Faults:
    if rule.scan_required and paper.scan is None:
        yield _fault(
            "/scan",
            "scan_missing",
            "A scan of the signed paper is needed.",
            "Upload it (POST /v1/evidence/uploads), and name its id.",
        )


def _correction(paper: MinutesInput) -> Faults:
    if paper.supersedes is not None and paper.correction is None:
        yield _fault("/correction", "correction_missing", "It does not say what was wrong.", "Write down what was.")
    if paper.supersedes is None and paper.correction is not None:
        yield _fault(
            "/correction",
            "correction_of_nothing",
            "No record is named that this one corrects.",
            "Name it in `supersedes`, or leave `correction` out.",
        )


def _cases(paper: MinutesInput, policy: Policy, facts: PaperFacts) -> Faults:
    if (paper.covers == "listed") is not bool(paper.cases):
        yield _fault(
            "/cases",
            "cases_missing" if paper.covers == "listed" else "cases_not_expected",
            "A paper lists the cases that it decides, unless it answers for all of the village.",
            "List the cases, or have an SPTJM cover the village.",
        )
    times = Counter(case.update_id for case in paper.cases)
    stage = next((rule for rule in policy.stages if rule.stage is Stage.DELIBERATION), None)
    for index, case in enumerate(paper.cases):
        pointer = f"/cases/{index}"
        yield from _case(case, paper, facts, pointer=f"{pointer}/update_id", twice=times[case.update_id] > 1)
        yield from _decision(case, policy, stage, pointer=pointer)


def _case(case: ListedCase, paper: MinutesInput, facts: PaperFacts, *, pointer: str, twice: bool) -> Faults:
    known = facts.cases.get(case.update_id)
    if twice:
        yield _fault(pointer, "case_listed_twice", "The paper lists this case twice.", "List each case once.")
    elif known is None:
        yield _fault(
            pointer, "case_not_of_village", "The village has no such case.", "List cases of this village alone."
        )
    elif paper.held_on < known.submitted_on:
        yield _fault(
            pointer,
            "date_before_submission",
            f"This case was submitted on {known.submitted_on:%Y-%m-%d}, after the day of the paper.",
            "Leave the case out: nobody can have spoken about it.",
        )


def _decision(case: ListedCase, policy: Policy, stage: StageRule | None, *, pointer: str) -> Faults:
    if stage is not None and case.outcome not in stage.outcomes:
        offered = ", ".join(sorted(outcome.value for outcome in stage.outcomes))
        yield _fault(
            f"{pointer}/outcome",
            "outcome_not_offered",
            "A deliberation does not know this outcome.",
            f"Choose one of: {offered}.",
        )
        return
    decision = DecisionInput(outcome=case.outcome, reason=case.reason)
    for fault in check_reason(decision, policy=policy):
        yield fault.model_copy(update={"pointer": f"{pointer}/reason"})
