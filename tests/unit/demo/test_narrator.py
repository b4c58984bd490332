"""The story fits the terminal, and is plain where that is asked for."""

from __future__ import annotations

import io
import sys

import pytest

from namespace_isolation.demo.narrator import Narrator


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        """Tell that it is one."""
        return True


def _terminal(monkeypatch: pytest.MonkeyPatch, no_color: str) -> _Terminal:
    """Make standard output a terminal of 80 columns with colours; no fixture, whose standard output is another."""
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", "NO_COLOR": no_color}.items():
        monkeypatch.setenv(name, value)
    found = _Terminal()
    monkeypatch.setattr(sys, "stdout", found)
    return found


def _tell(narrator: Narrator) -> None:
    narrator.title("A story")
    narrator.chapter("The beginning")
    narrator.command(["kubectl", "get", "nsiso"])
    narrator.output("NAME       MODE")
    narrator.seen("it is told", 1.0)
    narrator.unseen("an end", [("what was seen:", ["none"])])


def test_a_terminal_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without NO_COLOR there are escape codes."""
    terminal = _terminal(monkeypatch, no_color="")
    _tell(Narrator())
    assert "\x1b[" in terminal.getvalue()


def test_no_color_means_no_escape_code_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR takes bold and dim away, too."""
    terminal = _terminal(monkeypatch, no_color="1")
    _tell(Narrator())
    assert "A story" in terminal.getvalue()
    assert "\x1b" not in terminal.getvalue()


def test_long_output_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """What kubectl prints in one long line goes on below, further in; columns of a short one stay."""
    terminal = _terminal(monkeypatch, no_color="1")
    long = 'networkpolicy.networking.k8s.io "payments.allow-dns-egress" deleted from payments namespace'
    Narrator().output(f"{long}\nNAME       MODE\n")
    assert terminal.getvalue().splitlines() == [
        '   networkpolicy.networking.k8s.io "payments.allow-dns-egress" deleted from',
        "      payments namespace",
        "   NAME       MODE",
    ]
