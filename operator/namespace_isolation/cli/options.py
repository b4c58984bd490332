"""Options that several commands have."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from namespace_isolation.engine.settings import DEFAULT_OPERATOR_NAMESPACE

__all__ = ["operator_namespace_option"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def operator_namespace_option(command: _Command) -> _Command:
    """Add the option --operator-namespace."""
    return click.option(
        "--operator-namespace",
        metavar="NAME",
        default=lambda: os.environ.get("POD_NAMESPACE", DEFAULT_OPERATOR_NAMESPACE),
        show_default="$POD_NAMESPACE, else nsiso-system",
        help="The operator's own namespace: no glob and no label ever selects it.",
    )(command)
