"""`nsiso diff`: what would change in a cluster if files were applied."""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import click

from namespace_isolation import __version__
from namespace_isolation.cli.options import operator_namespace_option
from namespace_isolation.cli.previewing import (
    context_option,
    files_argument,
    kubeconfig_option,
    progress_shown,
    read_stdin,
    refused,
    remark,
    write,
)
from namespace_isolation.cluster import ApiError, Client, ConnectionProblem, connection_from
from namespace_isolation.model.names import protected_namespaces
from namespace_isolation.model.plan import Wait
from namespace_isolation.model.unmanaged import Unmanaged
from namespace_isolation.preview.change import Change
from namespace_isolation.preview.difference import Comparison, differences
from namespace_isolation.preview.inputs import Inputs, read_inputs
from namespace_isolation.preview.problem import BadInput
from namespace_isolation.preview.remarks import (
    SELECTION,
    remarks_on_background,
    remarks_on_inputs,
    remarks_on_matches,
    remarks_on_unmanaged,
    remarks_on_waiting,
)
from namespace_isolation.preview.report import OUTPUTS, Report, report_for
from namespace_isolation.preview.survey import read_background

__all__ = ["diff"]

_DIFFERENT = 1
_TROUBLE = 2
_INTERRUPTED = 130


class _Trouble(click.ClickException):
    """What keeps a comparison from being made; never to be taken for a difference."""

    exit_code = _TROUBLE


@click.command(
    epilog="""\b
Examples:
  nsiso diff shop.yaml                    on the current context
  nsiso diff team/ --context production   a folder, on another context
  kustomize build . | nsiso diff -        from stdin
  nsiso diff shop.yaml -o summary         how much, by namespace
  nsiso diff shop.yaml -o name | xargs -L1 kubectl get

\b
In a pipeline, where any difference is to be looked at:
  nsiso diff shop.yaml --color never > diff.txt; echo $?"""
)
@files_argument
@context_option("The kubeconfig context to use.")
@kubeconfig_option("The kubeconfig. Default: the pod's service account, else $KUBECONFIG, else ~/.kube/config.")
@operator_namespace_option
@click.option(
    "-o",
    "--output",
    type=click.Choice(OUTPUTS),
    default="diff",
    show_default=True,
    help="A unified diff, a list of changes, a line for each that fits behind kubectl get, or counts.",
)
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Whether to colour the diff; auto: on a terminal, unless NO_COLOR is set.",
)
def diff(
    *,
    files: tuple[str, ...],
    context: str | None,
    kubeconfig: Path | None,
    operator_namespace: str,
    output: str,
    color: str,
) -> None:
    """Show which NetworkPolicies would change in a cluster if the NamespaceIsolations in FILE were applied.

    FILE is a file, a folder (its *.yaml, *.yml and *.json) or - for stdin. The resources take the place of those of
    the same name; all others in the cluster stay as they are, and what changes for them is shown, too. Namespaces among
    the FILEs count as applied. What was changed by hand shows as well: the operator would put it right.

    It only reads: the right to list namespaces, isolations and policies is enough. Policies that belong to no isolation
    and allow what the FILEs deny are named on stderr.

    Exit codes: 0 nothing would change, 1 something would, 2 it could not be found out.
    """
    colour = color == "always" or (color == "auto" and sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    report = report_for(output, write, colour=colour)
    with _trouble_is_no_difference():
        inputs = read_inputs(files, namespaces_suffice=True, read_stdin=read_stdin)
        remark(remarks_on_inputs(inputs))
        asyncio.run(
            _compare(inputs, protected_namespaces(operator_namespace), report, context=context, kubeconfig=kubeconfig)
        )
        report.end()
    if output == "diff" and (sys.stderr.isatty() or not report.tally.empty):
        click.echo("No difference." if report.tally.empty else report.tally.total, err=True)
    sys.exit(0 if report.tally.empty else _DIFFERENT)


async def _compare(
    inputs: Inputs, guarded: frozenset[str], report: Report, *, context: str | None, kubeconfig: Path | None
) -> None:
    """Compare with the cluster. Raises ApiError and ConnectionProblem."""
    connection = await connection_from(kubeconfig=kubeconfig, context=context)
    async with Client(connection, user_agent=f"nsiso/{__version__}") as client, progress_shown() as progress:
        background = await read_background(client, progress.tell)
        comparison = Comparison(inputs, background, guarded)
        progress.hide()
        remark(remarks_on_background(inputs, background))
        remark(remarks_on_matches(inputs, comparison.after, SELECTION))
        unmanaged: list[Unmanaged] = []
        async with aclosing(differences(client, comparison, progress.tell)) as findings:
            async for finding in findings:
                progress.hide()
                match finding:
                    case Change():
                        report.take(finding)
                    case Wait():
                        remark(remarks_on_waiting(finding))
                    case Unmanaged():
                        unmanaged.append(finding)
        progress.hide()
        remark(remarks_on_unmanaged(unmanaged))


@contextmanager
def _trouble_is_no_difference() -> Iterator[None]:
    """Let nothing that goes wrong end with the exit code of a difference."""
    try:
        yield
    except (BadInput, ApiError, ConnectionProblem) as error:
        raise _Trouble(refused(error, "compared")) from error
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        raise
    except Exception:  # noqa: BLE001 - shown whole; a crash ends with 1 by itself, which means different
        traceback.print_exc()
        sys.exit(_TROUBLE)
