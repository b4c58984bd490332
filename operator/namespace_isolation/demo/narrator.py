"""How the story looks: chapters, commands with their output, what was seen with its time, tables, all in 90 columns."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from rich.console import Console
from rich.text import Text

__all__ = ["Narrator", "spell"]

_WIDTH: Final = 90
_NARROWEST: Final = 60
_INDENT: Final = "   "
_GAP: Final = 2


def spell(seconds: float) -> str:
    """Write a duration: milliseconds below a second, else seconds with one decimal."""
    if 0 < seconds < 0.001:  # noqa: PLR2004 - a millisecond
        return "< 1 ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


class Narrator:
    """Tells the story on standard output: coloured on a terminal, unless NO_COLOR is set, plain elsewhere."""

    def __init__(self) -> None:
        """Measure the terminal."""
        terminal = sys.stdout.isatty()
        columns = shutil.get_terminal_size().columns if terminal else _WIDTH
        self._width = max(_NARROWEST, min(_WIDTH, columns))
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")  # a terminal without arrows gets question marks, no traceback
        # Without a colour system no escape code is written; rich's own NO_COLOR leaves bold and dim.
        colours: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
        self._console = Console(color_system=colours, highlight=False, markup=False, emoji=False, width=self._width)
        self._chapter = 0

    def title(self, text: str) -> None:
        """Open the story."""
        self._print(Text(text, style="bold"))

    def chapter(self, text: str) -> None:
        """Open a chapter."""
        self._chapter += 1
        self._print(Text(f"\n{self._chapter:<{len(_INDENT)}}{text}", style="bold cyan"))

    def say(self, text: str, indent: str = _INDENT) -> None:
        """Say something to the reader, wrapped."""
        for paragraph in text.splitlines():
            for line in self._wrapped(paragraph, self._width - len(indent)):
                self._print(Text(f"{indent}{line}".rstrip()))

    def line(self, text: str) -> None:
        """Show a line to be copied, however long."""
        self._print(Text(f"{_INDENT}{text}", style="yellow"))

    def command(self, words: Sequence[str], before: str | None = None) -> None:
        """Show a command as it can be typed; a long one is broken with backslashes."""
        pieces = [*([f"{before} |"] if before else []), *map(shlex.quote, words)]
        lines = [pieces[0]]
        for piece in pieces[1:]:
            if len(lines[-1]) + len(piece) + len(_INDENT) + 5 > self._width:
                lines.append(f"    {piece}")
            else:
                lines[-1] += f" {piece}"
        self._print(Text(f"{_INDENT}$ " + f" \\\n{_INDENT}".join(lines), style="yellow"))

    def output(self, text: str) -> None:
        """Show what a command printed; a line that is too long goes on below, further in."""
        for line in text.rstrip().splitlines():
            first, *rest = self._wrapped(line.rstrip(), self._width - 2 * len(_INDENT))
            self._print(Text(f"{_INDENT}{first}", style="dim"))
            for more in rest:
                self._print(Text(f"{2 * _INDENT}{more}", style="dim"))

    def seen(self, text: str, seconds: float | None = None) -> None:
        """Confirm what was seen, and how long it took."""
        time = "" if seconds is None else spell(seconds)
        room = self._width - len(_INDENT) - len("✓ ")
        first, *rest = self._wrapped(text, room - (len(time) + _GAP if time else 0))
        line = Text(_INDENT) + Text("✓ ", style="bold green") + Text(first)
        if time:
            line += Text(" " * (self._width - line.cell_len - len(time))) + Text(time, style="cyan")
        self._print(line)
        for more in rest:
            self._print(Text(f"{_INDENT}  {more}"))

    def unseen(self, expected: str, details: Iterable[tuple[str, Sequence[str]]]) -> None:
        """Say what was expected and not seen, and what may explain it."""
        self._print(Text("\n") + Text("✗ expected: ", style="bold red") + Text(expected))
        for heading, lines in details:
            self._print(Text(f"{_INDENT}{heading}", style="bold"))
            for line in lines:
                self._print(Text(f"{_INDENT}  {line}"))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show a table; the last column is wrapped where it does not fit."""
        widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head) - 1)]
        room = self._width - len(_INDENT) - sum(width + _GAP for width in widths)
        for number, row in enumerate((head, *rows)):
            cells = [cell.ljust(width + _GAP) for cell, width in zip(row, widths, strict=False)]
            margin = _INDENT + "".join(cells)
            for line in self._wrapped(row[-1], max(room, 16)):
                self._print(Text(f"{margin}{line}".rstrip(), style="bold" if number == 0 else ""))
                margin = " " * len(margin)

    def _wrapped(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)
