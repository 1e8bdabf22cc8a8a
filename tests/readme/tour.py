"""The blocks of README.md that a newcomer pastes, and one shell in which they are run one after the other."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TREE: Final = Path(__file__).resolve().parents[2]
README: Final = TREE / "README.md"
_FENCE: Final = re.compile(r"^(#+ [^\n]*)$|^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK: Final = "=== end of block"
_ANYTHING: Final = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of the tour under its heading, and what README.md says that it prints."""

    heading: str
    script: str
    printed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a block: its exit status (None when it was never reached or did not end) and its standard output."""

    status: int | None
    output: str


def blocks(readme: str) -> list[Block]:
    """The blocks marked as `sh tour`, each with the `text` block that follows it."""
    found: list[Block] = []
    heading, script = "", None
    for title, language, content in _FENCE.findall(readme):
        if title:
            heading = title.lstrip("# ")
        elif language == "sh tour":
            script = content
        elif language == "text" and script is not None:
            found.append(Block(heading=heading, script=script, printed=content))
            script = None
    return found


async def run_in_one_shell(
    tour: Sequence[Block], *, folder: Path, environment: Mapping[str, str], within: float
) -> list[Outcome]:
    """Run the blocks as a shell reads them, in the tree, until one fails or `within` seconds are over.

    What the shell and its commands say on standard error is left in `folder`.
    """
    script = folder / "tour.sh"
    script.write_text("".join(_stopping_when_it_fails(block) for block in tour))
    with (folder / "tour.out").open("wb") as out, (folder / "tour.err").open("wb") as err:
        shell = await asyncio.create_subprocess_exec(
            "sh", str(script), cwd=TREE, env=environment, stdout=out, stderr=err
        )
        try:
            await asyncio.wait_for(shell.wait(), timeout=within)
        except TimeoutError:
            shell.kill()
            await shell.wait()
    return _outcomes((folder / "tour.out").read_text(), count=len(tour))


def fits(output: str, printed: str) -> bool:
    """Whether the output is what is shown: `…` is anything within a line, and alone on a line any lines at all."""
    return re.fullmatch("".join(_patterns(printed.splitlines())), output) is not None


def _stopping_when_it_fails(block: Block) -> str:
    return f'{block.script}ended=$?\necho "{_MARK} $ended"\n[ "$ended" = 0 ] || exit "$ended"\n'


def _outcomes(output: str, *, count: int) -> list[Outcome]:
    parts = re.split(rf"^{_MARK} (\d+)\n", output, flags=re.MULTILINE)
    ended = [Outcome(status=int(status), output=said) for said, status in zip(parts[0::2], parts[1::2], strict=False)]
    return [*ended, *(Outcome(status=None, output=parts[-1]) for _ in range(count - len(ended)))]


def _patterns(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        if line == _ANYTHING:
            yield r"(?:.*\n)*?"
        else:
            yield ".*".join(map(re.escape, line.split(_ANYTHING))) + r"\n"
