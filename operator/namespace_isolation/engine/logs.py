"""Where log lines go and what they look like: JSON for machines, columns for people; Kopf's lines like ours."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from typing import Final, Literal

import structlog
from typing_extensions import override

__all__ = ["LogFormat", "configure_logs"]

LogFormat = Literal["json", "console"]

_MANY_LINES: Final = frozenset({"exception", "stack"})


def configure_logs(*, style: LogFormat, level: str) -> None:
    """Send structlog's and the standard library's records to stderr, and make them look alike."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    final: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if style == "json"
        else [
            structlog.processors.format_exc_info,
            _printable,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty() and not os.environ.get("NO_COLOR"),
                # The one with colours and frames prints local variables, and with them tokens.
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ]
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Kopf tells of every event it hands over; our own lines say what was done.
    logging.getLogger("kopf").setLevel(max(root.level, logging.WARNING))
    structlog.configure(
        # Past the standard library: 15 µs a line, and 30 µs through its records (measured).
        processors=[*shared, *final],
        wrapper_class=structlog.make_filtering_bound_logger(root.level),
        logger_factory=lambda *_: _Lines(sys.stderr),
        cache_logger_on_first_use=True,
    )


class _Lines(structlog.WriteLogger):
    """Writes lines, and goes on where they cannot be written, as the standard library's handlers do.

    A full disk or a reader that has gone must not keep a namespace from being isolated; there is nobody left to tell.
    """

    @override
    def msg(self, message: str) -> None:
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = fatal = failure = err = error = critical = exception = msg


def _printable(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Escape what a terminal would act upon; JSON does that by itself. Texts of others come into many lines."""
    return {key: _escaped(value, kept="\n\t" if key in _MANY_LINES else "") for key, value in line.items()}


def _escaped(value: object, *, kept: str) -> object:
    if isinstance(value, list | tuple):
        return [_escaped(each, kept=kept) for each in value]
    if isinstance(value, str) and not value.isprintable():
        return "".join(each if each.isprintable() or each in kept else ascii(each)[1:-1] for each in value)
    return value
