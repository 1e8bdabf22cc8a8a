"""The default policy's routes and ladders in a rhythm that a test can wait for."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pydantic import TypeAdapter

from domain.durations import Duration, Elapsed, Share
from domain.policy import Policy, Rung, demo_policy

STAGE: Final = timedelta(seconds=2)
"""The deadline of every human stage: a reminder after one second, the supervisor after two."""
BETWEEN_RUNGS: Final = timedelta(seconds=1)
RUNGS: Final = 4
"""Of verification: reminder, district supervisor, head of office, assistant."""


def brisk_policy(*, area_code: str) -> Policy:
    """Stages of two seconds, rungs one second apart, and digests half a minute apart; nothing lapses in an outage."""
    demo = demo_policy(area_code=area_code)
    return demo.model_copy(
        update={
            "name": "brisk",
            "lapse": None,
            "minutes": demo.minutes and demo.minutes.model_copy(update={"sptjm": "per_village"}),
            "stages": tuple(
                rule.model_copy(update={"deadline": _elapsed(STAGE), "ladder": _ladder(rule.ladder)})
                for rule in demo.stages
            ),
            "repair": demo.repair.model_copy(
                update={"deadline": _elapsed(STAGE), "ladder": _ladder(demo.repair.ladder)},
            ),
        },
    )


def _ladder(ladder: tuple[Rung, ...]) -> tuple[Rung, ...]:
    """The same rungs; those that come past the deadline follow one another by `BETWEEN_RUNGS`."""
    past = [index for index, rung in enumerate(ladder) if not isinstance(rung.after, Share)]
    return tuple(
        rung.model_copy(update={"after": _elapsed(BETWEEN_RUNGS * (past.index(index) + 1))}) if index in past else rung
        for index, rung in enumerate(ladder)
    )


def _elapsed(duration: timedelta) -> Duration:
    return TypeAdapter(Elapsed).validate_python({"elapsed": duration})
