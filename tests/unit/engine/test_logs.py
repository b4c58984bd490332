"""What log lines look like, and what must never be in them."""

from __future__ import annotations

import json
import logging
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
