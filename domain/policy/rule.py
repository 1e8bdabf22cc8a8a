"""What a rule about policies is: a function named by its sentence, that yields what breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from domain.errors import Violation
from domain.policy.model import Policy, StageRule

Violations = Iterator[Violation]
Rule = Callable[[Policy], Violations]
"""The name is the sentence that must hold, the docstring the business reason why."""


def stages_with_pointers(policy: Policy) -> Iterator[tuple[str, StageRule]]:
    """The stages people work in, repair included, each with its JSON Pointer."""
    for index, rule in enumerate(policy.stages):
        yield f"/stages/{index}", rule
    yield "/repair", policy.repair
