"""The servers that the machine plays on, and how long it plays.

`--hypothesis-profile=kawal-long` plays ten times as long, anew each time, and makes what it finds as short as it can.
"""

from hypothesis import HealthCheck, Phase, settings

from tests.workflows.conftest import engine_client, partner_servers

__all__ = ["engine_client", "partner_servers"]

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
"""A step takes as long as a decision takes, which is slow for a property."""

settings.register_profile(
    "kawal-quick",
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=_SLOW,
)
settings.register_profile(
    "kawal-long",
    max_examples=100,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=_SLOW,
)
