"""What log lines look like, and what must never be in them."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from namespace_isolation.engine.logs import LogFormat, configure_logs


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Leave logging as it was."""
    root, kopf = logging.getLogger(), logging.getLogger("kopf")
    before = root.handlers, root.level, kopf.level
    yield
    structlog.reset_defaults()
    root.handlers, root.level = before[0], before[1]
    kopf.setLevel(before[2])


def _fail_with_a_secret() -> None:
    headers = {"Authorization": "Bearer a-secret-token"}
    try:
        {0: ""}[len(headers)]
    except KeyError:
        structlog.get_logger().exception("internal error", key="payments")


def _fail_with(text: str) -> None:
    error = RuntimeError(text)
    try:
        raise error
    except RuntimeError:
        structlog.get_logger().exception("internal error")


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_trace_shows_where_and_no_values(capsys: pytest.CaptureFixture[str], style: LogFormat) -> None:
    """Local variables hold tokens and tenants' objects."""
    configure_logs(style=style, level="info")
    _fail_with_a_secret()
    told = capsys.readouterr().err
    assert "_fail_with_a_secret" in told
    assert "KeyError" in told
    assert "a-secret-token" not in told


def test_a_line_for_machines_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    """One object on one line, with its level and its time."""
    configure_logs(style="json", level="info")
    structlog.get_logger().info("ready", key="payments")
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["key"]) == ("ready", "info", "payments")
    assert "timestamp" in line


_HOSTILE = "clear\x1b[2J\nfake line\u202e"


@pytest.mark.parametrize("style", ["json", "console"])
def test_texts_of_others_are_no_commands_to_a_terminal(capsys: pytest.CaptureFixture[str], style: LogFormat) -> None:
    """A webhook's message, whoever logs it: neither escape sequences nor text that runs backwards nor a forged line."""
    configure_logs(style=style, level="info")
    structlog.get_logger().warning("failed", message=_HOSTILE, faults=[_HOSTILE])
    logging.getLogger("kopf.engine").warning("failed: %s", _HOSTILE)
    _fail_with(_HOSTILE)
    told = capsys.readouterr().err
    assert "\x1b[2J" not in told
    assert "\u202e" not in told
    assert told.splitlines()[0].count("clear") == 2
    assert told.splitlines()[1].count("clear") == 1
    assert "internal error" in told.splitlines()[2]


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_line_that_cannot_be_written_stops_nobody(style: LogFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full, a reader that has gone."""

    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    configure_logs(style=style, level="info")
    structlog.get_logger().warning("nobody hears this")
