"""The life of a case as a picture, walked out of the transition table over the routes of the default policy.

An appeal begins the same routes with its own decision.

Every position that a case can be in is visited, from its submission on; an arrow is a transition that really leads
from one status to another. Statuses that share their way out are boxed together, and an arrow that leaves every
status of a box is drawn once, from the box.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from domain.lifecycle import DECIDES_ON, STATUS_OF_STAGE, TRANSITIONS, Happening, Position, Transition, resubmit
from domain.policy import Policy
from domain.vocabulary import CLOSED_STATUSES, HUMAN_STAGES, Stage, Status

BOXES = {
    "people": ("with people", tuple(STATUS_OF_STAGE[stage] for stage in HUMAN_STAGES)),
    "ministry": ("with the Ministry", (Status.IN_DELIVERY, Status.APPROVED_LOCAL)),
}
"""Statuses drawn together: name in the diagram, title, members."""

_BOX_OF = {status: box for box, (_, members) in BOXES.items() for status in members}


class Arrow(NamedTuple):
    """A transition that leads from one status to another."""

    happening: Happening
    source: Status
    target: Status


def arrows(policy: Policy) -> list[Arrow]:
    """Every arrow, in the order of the transition table and of the statuses."""
    starts = [stages for route in policy.routes for stages in (route.stages, (Stage.APPEAL, *route.stages))]
    found = {arrow for stages in starts for arrow in _walk(_submitted(stages, policy))}
    happenings, statuses = list(Happening), list(Status)
    return sorted(
        found,
        key=lambda arrow: (
            statuses.index(arrow.source),
            happenings.index(arrow.happening),
            statuses.index(arrow.target),
        ),
    )


def diagram(policy: Policy) -> str:
    """The arrows as a Mermaid state diagram, without those of a correction by hand: they lead back from everywhere."""
    found = [arrow for arrow in arrows(policy) if arrow.happening is not Happening.SENT_BACK]
    lines = ["stateDiagram-v2", "    direction TB", "    [*] --> received"]
    for box, (title, members) in BOXES.items():
        inner = [arrow for arrow in found if arrow.source in members and arrow.target in members]
        lines += [f'    state "{title}" as {box} {{', *_inner_lines(inner), "    }"]
    lines += _outer_lines([arrow for arrow in found if _box(arrow.source) != _box(arrow.target)])
    ends = sorted({arrow.target for arrow in found} & CLOSED_STATUSES, key=list(Status).index)
    lines += [f"    {status.value} --> [*]" for status in ends]
    return "\n".join(lines) + "\n"


def _submitted(stages: tuple[object, ...], policy: Policy) -> Position:
    return Position.model_validate({"route": stages, "status": Status.RECEIVED, "ministry": policy.delivery.ministry})


def _walk(start: Position) -> Iterator[Arrow]:
    seen, waiting = [start], [start]
    while waiting:
        position = waiting.pop()
        for happening, after in _moves(position):
            if after.status is not position.status:
                yield Arrow(happening, position.status, after.status)
            if after not in seen:
                seen.append(after)
                waiting.append(after)


def _moves(position: Position) -> Iterator[tuple[Happening, Position]]:
    """What can happen here. Fields that somebody else changed are found where the change would be applied."""
    possible = [transition for transition in TRANSITIONS if position.status in transition.source]
    moves = [(each.happening, after) for each in possible for after in _after(each, position)]
    applies = any(after.status is Status.APPLIED for _, after in moves)
    return (move for move in moves if applies or move[0] is not Happening.DATA_CONFLICT)


def _after(transition: Transition, position: Position) -> list[Position]:
    if transition.happening is not Happening.RESUBMITTED:
        return [transition.rule(position)]
    groups = frozenset[str]().union(*DECIDES_ON.values())
    return [resubmit(position, changed=frozenset(changed)) for changed in ((), *((group,) for group in sorted(groups)))]


def _box(status: Status) -> str:
    return _BOX_OF.get(status, status.value)


def _words(happening: Happening) -> str:
    return happening.value.replace("_", " ")


def _inner_lines(found: Iterable[Arrow]) -> list[str]:
    return [f"        {arrow.source} --> {arrow.target} : {_words(arrow.happening)}" for arrow in found]


def _outer_lines(found: Iterable[Arrow]) -> list[str]:
    def ends(arrow: Arrow) -> tuple[str, Happening, str]:
        return _box(arrow.source), arrow.happening, _box(arrow.target)

    drawn: dict[tuple[str, Happening, str], list[Arrow]] = {}
    for arrow in found:
        drawn.setdefault(ends(arrow), []).append(arrow)
    return [
        f"    {source} --> {target} : {_words(happening)}{_which(source, target, alike)}"
        for (source, happening, target), alike in drawn.items()
    ]


def _which(source: str, target: str, alike: list[Arrow]) -> str:
    """Which statuses of a box are meant, where it is not all of them."""
    sources = {arrow.source for arrow in alike}
    targets = {arrow.target for arrow in alike}
    return _of_box("from", source, sources) + _of_box("to", target, targets)


def _of_box(word: str, box: str, meant: set[Status]) -> str:
    if box not in BOXES:
        return ""
    members = BOXES[box][1]
    named = [status.value for status in members if status in meant]
    return "" if len(named) == len(members) else f", {word} {' or '.join(named)}"
