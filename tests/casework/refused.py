"""What an activity refuses, as the engine hands it on."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from domain.errors import DomainError


class Refusal:
    """The refusal, once the block has ended."""

    data: dict[str, Any]
    violations: list[dict[str, str]]


@contextmanager
def refused(kind: type[DomainError]) -> Generator[Refusal]:
    """The block is refused with this code, and nobody tries it again."""
    refusal = Refusal()
    with pytest.raises(ApplicationError) as raised:
        yield refusal
    assert raised.value.type == kind.code, raised.value
    assert raised.value.non_retryable
    details = raised.value.details[0]
    refusal.data = details["data"]
    refusal.violations = details.get("violations", [])
