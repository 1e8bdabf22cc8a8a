"""Structured logs of every process: one line an event, JSON or for a terminal, and never a NIK or KK number.

Python's own `logging` (uvicorn, temporalio, SQLAlchemy) goes the same way as structlog, so the mask and the
length bound hold for libraries too. Exceptions are text before they are masked.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from runtime.settings import LogFormat, LogLevel

MAX_TEXT = 4_000
"""Characters kept of any one text; tracebacks keep their end, where the error stands."""
MASK = "[16 digits]"
# Sixteen digits or more in one run (a NIK glued to a KK is both), or sixteen in the groups people write.
_NUMBER = re.compile(
    r"""\d{16,}
    | (?<!\d) \d{4} (?P<a>[ .-]) \d{4} (?P=a) \d{4} (?P=a) \d{4} (?!\d)
    | (?<!\d) \d{6} (?P<b>[ .-]) \d{6} (?P=b) \d{4} (?!\d)
    | (?<!\d) \d{2} (?P<c>[ .-]) \d{2} (?P=c) \d{2} (?P=c) \d{6} (?P=c) \d{4} (?!\d)""",
    re.VERBOSE,
)
_FROM_THE_END = frozenset({"exception", "stack"})
_OWN_HANDLERS = ("uvicorn", "uvicorn.error", "uvicorn.access")
"""Uvicorn brings handlers of its own, which would go past the mask."""
_QUIET = {"httpx2": logging.WARNING, "httpcore2": logging.WARNING, "asyncio": logging.WARNING}


def mask_text(text: str) -> str:
    """`text` with every number of sixteen digits replaced, whether or not it is a valid NIK or KK."""
    return _NUMBER.sub(MASK, text)


def mask_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Processor: masks and bounds every text in the event, at any depth, in keys and in values."""
    return {mask_text(key): _masked(value, keep_end=key in _FROM_THE_END) for key, value in event.items()}


def configure_logging(
    service: str,
    *,
    level: LogLevel = LogLevel.INFO,
    fmt: LogFormat = LogFormat.JSON,
    stream: TextIO | None = None,
) -> None:
    """Send all logs of this process to `stream` (standard error unless given), each line naming `service`."""
    out = sys.stderr if stream is None else stream
    shared = _shared_processors(service)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                mask_event,
                _renderer(fmt, colors=out.isatty()),
            ],
        ),
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _OWN_HANDLERS:
        library = logging.getLogger(name)
        library.handlers[:] = []
        library.propagate = True
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(least)


def _shared_processors(service: str) -> list[Processor]:
    def name_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        name_service,
    ]


def _renderer(fmt: LogFormat, *, colors: bool) -> Processor:
    match fmt:
        case LogFormat.JSON:
            return structlog.processors.JSONRenderer(ensure_ascii=False)
        case LogFormat.CONSOLE:
            return structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)


def _masked(value: object, *, keep_end: bool = False) -> object:
    if isinstance(value, bool | float | None):
        return value
    if isinstance(value, int):
        return MASK if _NUMBER.search(str(value)) else value
    if isinstance(value, Mapping):
        return {str(_masked(str(key))): _masked(item) for key, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item) for item in cast("list[Any]", value)]
    return _bounded(mask_text(str(value)), keep_end=keep_end)


def _bounded(text: str, *, keep_end: bool) -> str:
    if len(text) <= MAX_TEXT:
        return text
    cut = f"[{len(text) - MAX_TEXT} characters left out]"
    return f"{cut} {text[-MAX_TEXT:]}" if keep_end else f"{text[:MAX_TEXT]} {cut}"
