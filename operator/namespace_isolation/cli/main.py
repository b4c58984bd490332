"""The command line `nsiso`: the group, its help, and which module holds which command."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import click
from typing_extensions import override

from namespace_isolation import __version__

__all__ = ["main"]

_EPILOG: Final = """\b
Examples:
  nsiso demo                      see it work on a throwaway control plane
  nsiso sandbox up                start a control plane and leave it running
  eval "$(nsiso sandbox up)"      the same, and point kubectl at it
  nsiso crd | kubectl apply -f -  install the resource
  nsiso run                       run the operator on the current context
  nsiso render payments.yaml      print the policies that a resource yields
  nsiso diff payments.yaml        show what applying it would change

\b
Installed as kubectl-nsiso, too: `kubectl nsiso …` is the same tool.
`nsiso COMMAND --help` tells more of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    """Where a command lives (`module:attribute`), and its line in the help."""

    place: str
    line: str


_COMMANDS: Final = {
    "run": _Command(place="namespace_isolation.cli.run:run", line="Run the operator."),
    "crd": _Command(place="namespace_isolation.cli.crd:crd", line="Print the custom resource definition."),
    "render": _Command(
        place="namespace_isolation.cli.render:render",
        line="Print the policies that resources yield, without a cluster.",
    ),
    "diff": _Command(
        place="namespace_isolation.cli.diff:diff", line="Show what applying resources would change in a cluster."
    ),
    "demo": _Command(
        place="namespace_isolation.cli.demo:demo",
        line="Show the operator at work on a throwaway control plane.",
    ),
    "sandbox": _Command(
        place="namespace_isolation.cli.sandbox:sandbox", line="Start and stop a throwaway control plane."
    ),
}


DEEPEST: Final = 12_000
"""Levels of nesting that can be decoded: more than the 10,000 that the API server's own JSON decoder takes.

Whoever may write a NetworkPolicy may nest something in its metadata; at Python's own limit of 1,000 that one object
would end whoever lists it.
"""


class _LazyGroup(click.Group):
    """A group that imports a command only when it is used, so that none loads what others need."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = _COMMANDS.get(cmd_name)
        if found is None:
            return None
        module, attribute = found.place.split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(_lines(_COMMANDS))


def _lines(commands: Mapping[str, _Command]) -> list[tuple[str, str]]:
    return [(name, command.line) for name, command in commands.items()]


@click.command(
    cls=_LazyGroup,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "--version", prog_name="nsiso", message="%(prog)s %(version)s")
def main() -> None:
    """Isolate namespaces: one NamespaceIsolation keeps the NetworkPolicies of its namespaces in place."""
    sys.setrecursionlimit(DEEPEST)
