"""The command line's own words: help, version, and that nothing is loaded before it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from namespace_isolation import __version__
from namespace_isolation.cli.main import main
from namespace_isolation.sandbox.build import package_environment

_COMMANDS = ("run", "render", "diff", "crd", "demo", "sandbox")


def test_help_teaches_every_command_by_example() -> None:
    """Whoever asks for help sees what to type."""
    shown = CliRunner().invoke(main, ["--help"])
    assert shown.exit_code == 0
    for command in _COMMANDS:
        assert f"  nsiso {command} " in shown.output


def test_help_loads_nothing_heavy() -> None:
    """Help comes at once: no framework, no client, no command is imported for it."""
    script = (
        "import sys\nfrom namespace_isolation.cli.main import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "print('LOADED', *(m for m in sys.modules if m in {'kopf', 'kubernetes', 'pydantic', 'rich', 'aiohttp'}))\n"
        "print(*(m for m in sys.modules if m.startswith('namespace_isolation.cli.')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=package_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-2:] == ["LOADED", "namespace_isolation.cli.main"]


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_of_the_table_exists(command: str) -> None:
    """The table's modules and attributes are real, and each has a help of its own."""
    shown = CliRunner().invoke(main, [command, "--help"])
    assert shown.exit_code == 0, shown.output
    assert shown.output.startswith("Usage: ")


def test_the_version_is_the_package_s() -> None:
    """`nsiso --version` tells one line."""
    assert CliRunner().invoke(main, ["--version"]).output == f"nsiso {__version__}\n"


def test_an_unknown_command_is_refused_by_name() -> None:
    """A typing mistake gets an answer with exit code 2."""
    shown = CliRunner().invoke(main, ["sandbx"])
    assert shown.exit_code == 2
    assert "No such command 'sandbx'" in shown.output


@pytest.mark.parametrize(
    "command", [(), *((each,) for each in _COMMANDS), *(("sandbox", each) for each in ("up", "down", "status"))]
)
def test_help_fits_into_80_columns(command: tuple[str, ...]) -> None:
    """No line of any help is broken by a terminal of the usual width."""
    shown = CliRunner(env={"COLUMNS": "80"}).invoke(main, [*command, "--help"])
    assert [line for line in shown.output.splitlines() if len(line) > 80] == []
