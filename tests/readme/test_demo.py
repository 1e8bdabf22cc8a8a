"""`make demo` on a running Kawal: every case ends as it should."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping

import pytest

from devstack.demo.programme import PROGRAMME
from tests.readme.tour import README, TREE

pytestmark = pytest.mark.embedded


async def test_every_case_of_the_demonstration_ends_as_it_should(newcomer: Mapping[str, str]) -> None:
    demo = await asyncio.create_subprocess_exec(
        *(TREE / ".venv/bin/kawal", "demo", "run", "--json"),
        cwd=TREE,
        env=newcomer,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, watched = await asyncio.wait_for(demo.communicate(), timeout=150)
    endings = json.loads(told)

    assert {ending["case"]: ending["fault"] for ending in endings if ending["fault"]} == {}, watched.decode()
    assert demo.returncode == 0
    assert [(ending["case"], ending["status"]) for ending in endings] == [
        (scenario.title, scenario.ends.value) for scenario in PROGRAMME
    ]


def test_readme_shows_cases_as_they_end() -> None:
    played = {scenario.title: scenario for scenario in PROGRAMME}
    block = re.search(r"```\n(case +kind.*?)```", README.read_text(), flags=re.DOTALL)
    assert block is not None
    _head, *shown = [re.split(r" {2,}", line) for line in block[1].splitlines()]

    assert shown
    for title, kind, _story, escalations, status in shown:
        assert (kind, status) == (played[title].kind.value, played[title].ends.value)
        assert (int(escalations) > 0) is played[title].escalates
