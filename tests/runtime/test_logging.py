import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from runtime.logging import MAX_TEXT, configure_logging, mask_text
from runtime.settings import LogFormat, LogLevel

NIK = "3206134107850003"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    configure_logging("test", level=LogLevel.INFO, stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)


def test_a_nik_never_reaches_the_log_however_it_is_given(log: io.StringIO) -> None:
    structlog.get_logger().info(
        f"submitted {NIK}",
        member={"nik": NIK, "others": [(NIK,), int(NIK)]},
        **{NIK: "as a key"},
        written=["3206 1341 0785 0003", "320613-410785-0003", "32.06.13.410785.0003"],
        glued=NIK + NIK,
        error=ValueError(NIK),
    )
    assert "3206" not in log.getvalue()
    assert log.getvalue().count("[16 digits]") == 10


def test_libraries_and_tracebacks_are_masked_too(log: io.StringIO) -> None:
    try:
        int(NIK + "x")
    except ValueError:
        logging.getLogger("some.library").exception("while checking %s", NIK)
    line = json.loads(log.getvalue())
    assert NIK not in log.getvalue()
    assert "literal for int() with base 10: '[16 digits]x'" in line["exception"]
    assert (line["service"], line["level"], line["logger"]) == ("test", "error", "some.library")


def test_a_long_text_is_cut_and_a_long_traceback_keeps_its_end(log: io.StringIO) -> None:
    structlog.get_logger().info("x" * 9000, exception="y" * 9000 + "the error")
    line = json.loads(log.getvalue())
    assert len(line["event"]) < MAX_TEXT + 60
    assert line["exception"].endswith("the error")


def test_codes_times_and_identifiers_stay_readable() -> None:
    text = "32.06.13.2001 2026-11-24T04:26:11.123456Z 0198f2b4-7c1e-7d3a-9f00-3a5b6c7d8e9f 127.0.0.1:54321"
    assert mask_text(text) == text


def test_the_console_format_is_masked_as_well() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    configure_logging("test", fmt=LogFormat.CONSOLE, stream=stream)
    try:
        structlog.get_logger().warning("late", nik=NIK)
        try:
            int(NIK + "x")
        except ValueError:
            structlog.get_logger().exception("failed")
    finally:
        structlog.reset_defaults()
        root.handlers[:] = before
        root.setLevel(level)
    assert NIK not in stream.getvalue()
    assert "literal for int() with base 10: '[16 digits]x'" in stream.getvalue()
