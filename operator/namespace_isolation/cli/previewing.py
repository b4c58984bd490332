"""What `nsiso render` and `nsiso diff` have in common: their options, their input, and how they say what is wrong."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from namespace_isolation.cluster import ApiError
from namespace_isolation.model.text import printable
from namespace_isolation.preview.problem import BadInput
from namespace_isolation.preview.progress import Progress, showing

__all__ = [
    "context_option",
    "files_argument",
    "kubeconfig_option",
    "progress_shown",
    "read_stdin",
    "refused",
    "remark",
    "write",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_UNAUTHORIZED = 401
_FORBIDDEN = 403


def files_argument(command: _Command) -> _Command:
    """Add the argument FILE…."""
    return click.argument("files", metavar="FILE...", nargs=-1, required=True)(command)


def kubeconfig_option(text: str) -> Callable[[_Command], _Command]:
    """Add the option --kubeconfig."""
    kind = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.option("--kubeconfig", type=kind, metavar="FILE", help=text)


def context_option(text: str) -> Callable[[_Command], _Command]:
    """Add the option --context."""
    return click.option("--context", metavar="NAME", help=text)


def read_stdin() -> bytes:
    """Read all of stdin."""
    return sys.stdin.buffer.read()


@asynccontextmanager
async def progress_shown() -> AsyncIterator[Progress]:
    """Give what hears of progress, and shows it on stderr if that is a terminal."""
    progress = Progress(sys.stderr if sys.stderr.isatty() else None)
    async with showing(progress):
        yield progress


def write(text: str) -> None:
    """Write to stdout as UTF-8 whatever the locale: the output is made to be piped and kept."""
    click.echo(text.encode(), nl=False)


def remark(lines: Iterable[str]) -> None:
    """Write lines to stderr, made safe for a terminal."""
    for line in lines:
        click.echo(f"Note: {printable(line)}", err=True)


def refused(error: BadInput | ApiError | Exception, doing: str) -> str:
    """Say what stood in the way, and what to do about it."""
    if isinstance(error, BadInput):
        count = len(error.problems)
        head = f"{count} fault{'' if count == 1 else 's'} in the input; nothing was {doing}."
        return "\n".join([head, *(f"  {problem}" for problem in error.problems)])
    if isinstance(error, ApiError) and error.status in {_UNAUTHORIZED, _FORBIDDEN}:
        right = "the right to list namespaces, networkpolicies.networking.k8s.io and namespaceisolations.nsiso.dev"
        return (
            f"{printable(str(error))}\nNeeded, in the whole cluster, is {right}; see who you are: kubectl auth whoami"
        )
    return printable(str(error))
