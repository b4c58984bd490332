"""`nsiso run`: what its options set about the operator."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from namespace_isolation.cli import run as module
from namespace_isolation.engine.settings import Settings


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param((), None, id="without"),
        pytest.param(("--max-writes-per-second=0",), None, id="no limit"),
        pytest.param(("--max-writes-per-second=50",), 50, id="a limit"),
    ],
)
def test_the_rate_of_writes_has_a_limit_only_where_one_is_set(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], expected: int | None
) -> None:
    """0 stands for none, as in the other options."""
    given: list[Settings] = []

    async def run_operator(settings: Settings) -> None:
        given.append(settings)

    monkeypatch.setattr(module, "run_operator", run_operator)
    monkeypatch.setattr(module, "configure_logs", lambda **_: None)
    done = CliRunner().invoke(module.run, arguments)
    assert done.exit_code == 0, done.output
    assert [settings.max_writes_per_second for settings in given] == [expected]


@pytest.mark.parametrize("value", ["-1", "many", "1.5"])
def test_what_is_no_rate_is_refused(value: str) -> None:
    """Before anything is started."""
    done = CliRunner().invoke(module.run, [f"--max-writes-per-second={value}"])
    assert done.exit_code == 2
    assert "--max-writes-per-second" in done.output
