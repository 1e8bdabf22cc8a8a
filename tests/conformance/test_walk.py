"""Every endpoint says whom it answers, and has its entry in the walk over all of them."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from api.access import declared_access
from tests.conformance.walk import WALK

pytestmark = pytest.mark.embedded


def test_every_endpoint_says_whom_it_answers_and_is_walked(app: FastAPI) -> None:
    declared = declared_access(app.routes)
    assert {endpoint: access for endpoint, access in declared.items() if len(access) != 1} == {}
    assert sorted(declared) == sorted(WALK)
