"""The tour of README.md, pasted block by block, does and prints what README.md says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.readme.tour import README, Block, Outcome, blocks, fits, run_in_one_shell

pytestmark = pytest.mark.embedded

TOUR = blocks(README.read_text())
SECONDS = 240


@pytest.fixture(scope="module")
async def taken(newcomer: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Outcome], Path]:
    """What came of every block, and the folder with what was said on standard error."""
    folder = tmp_path_factory.mktemp("tour")
    return await run_in_one_shell(TOUR, folder=folder, environment=newcomer, within=SECONDS), folder


@pytest.mark.parametrize(
    ("number", "block"),
    list(enumerate(TOUR)),
    ids=[f"{number} {block.heading}" for number, block in enumerate(TOUR, 1)],
)
def test_block_prints_what_readme_says(taken: tuple[list[Outcome], Path], number: int, block: Block) -> None:
    outcomes, folder = taken
    outcome = outcomes[number]

    assert outcome.status == 0, f"{outcome.output}\n{(folder / 'tour.err').read_text()}"
    assert fits(outcome.output, block.printed), f"printed:\n{outcome.output}\nREADME.md says:\n{block.printed}"


def test_every_block_of_the_tour_shows_what_it_prints() -> None:
    assert len(TOUR) == README.read_text().count("```sh tour\n") > 10


def test_output_that_differs_from_what_is_shown_does_not_fit() -> None:
    assert fits("applied\n1\n2\nwhole\n", "app…\n…\nwhole\n")
    assert not fits("applied\nrejected\n", "applied\n")
    assert not fits("rejected\n", "applied\n")
    assert not fits("", "applied\n")


async def test_tour_stops_at_the_block_that_fails(tmp_path: Path) -> None:
    tour = [Block(heading="", script=script, printed="") for script in ("echo one\n", "false\n", "echo three\n")]

    ended = await run_in_one_shell(tour, folder=tmp_path, environment={"PATH": "/usr/bin:/bin"}, within=10)

    assert [(outcome.status, outcome.output) for outcome in ended] == [(0, "one\n"), (1, ""), (None, "")]
