"""`nsiso render`: the policies that isolations yield, without a cluster or for the namespaces of one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

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
from namespace_isolation.model.namespace import Namespace
from namespace_isolation.model.policy import LivePolicy
from namespace_isolation.model.text import printable
from namespace_isolation.preview.cast import applied, on_paper
from namespace_isolation.preview.inputs import Inputs, read_inputs
from namespace_isolation.preview.namespaces import named_by, namespace_from_flag
from namespace_isolation.preview.problem import BadInput
from namespace_isolation.preview.remarks import (
    MORE_NAMESPACES,
    SELECTION,
    remarks_on_background,
    remarks_on_inputs,
    remarks_on_matches,
    remarks_on_names,
    remarks_on_owners,
)
from namespace_isolation.preview.rendered import rendered
from namespace_isolation.preview.scene import Scene
from namespace_isolation.preview.survey import live_in, read_background
from namespace_isolation.preview.text import as_json, as_list, as_name, as_yaml

__all__ = ["render"]

Json = dict[str, Any]
Live = Mapping[str, Iterable[LivePolicy]]


@click.command(
    epilog="""\b
Examples:
  nsiso render shop.yaml                      for the namespaces it names
  nsiso render shop.yaml -n shop-eu,team=shop a namespace with a label
  nsiso render -n shop - < shop.yaml          from stdin
  nsiso render team/ --namespace-file ns.yaml a folder of resources
  nsiso render shop.yaml --context staging    for a cluster's namespaces
  nsiso render shop.yaml -o name              only what there would be

\b
A file with the namespaces of a cluster, to be used without it:
  kubectl get namespaces -o yaml > ns.yaml"""
)
@files_argument
@click.option(
    "--namespace-file",
    "namespace_files",
    multiple=True,
    metavar="FILE",
    help="Namespaces as YAML or JSON; can be given several times. Namespaces among the FILEs count as well.",
)
@click.option(
    "-n",
    "--namespace",
    "namespaces",
    multiple=True,
    metavar="NAME[,LABEL=VALUE...]",
    callback=lambda _context, _option, values: tuple(_flag(value) for value in values),
    help="A namespace and its labels; can be given several times.",
)
@context_option("Take the namespaces, other isolations and uids from the cluster of this kubeconfig context.")
@kubeconfig_option("The same with this kubeconfig.")
@operator_namespace_option
@click.option(
    "-o",
    "--output",
    type=click.Choice(["yaml", "json", "name"]),
    default="yaml",
    show_default=True,
    help="Documents, a List, or a line for each policy that fits behind kubectl get.",
)
def render(
    *,
    files: tuple[str, ...],
    namespace_files: tuple[str, ...],
    namespaces: tuple[Namespace, ...],
    context: str | None,
    kubeconfig: Path | None,
    operator_namespace: str,
    output: str,
) -> None:
    """Print the NetworkPolicies that the operator would write for the NamespaceIsolations in FILE.

    FILE is a file, a folder (its *.yaml, *.yml and *.json) or - for stdin. Policies come by namespace, in the order in
    which it is safe to apply them. Nothing is written anywhere, and without --context or --kubeconfig no cluster is
    asked. Without any namespace given, those count that the resources name exactly.

    Exit codes: 0 printed, 1 the input has faults or the cluster cannot be read, 2 wrong usage.
    """
    in_cluster = context is not None or kubeconfig is not None
    if in_cluster and (namespaces or namespace_files):
        raise click.UsageError("namespaces come from the cluster, or from -n and --namespace-file: leave one out")
    try:
        inputs = read_inputs(files, namespace_files=namespace_files, more=namespaces, read_stdin=read_stdin)
        remark(remarks_on_inputs(inputs))
        guarded = protected_namespaces(operator_namespace)
        if in_cluster:
            scene, live = asyncio.run(_in_cluster(inputs, guarded, context=context, kubeconfig=kubeconfig))
        else:
            scene, live = _on_paper(inputs, guarded), {}
    except (BadInput, ApiError, ConnectionProblem) as error:
        raise click.ClickException(refused(error, "rendered")) from error
    remark(remarks_on_matches(inputs, scene, SELECTION if in_cluster else MORE_NAMESPACES))
    if output != "name":
        remark(remarks_on_owners(scene, inputs.isolations))
    _print(rendered(scene, inputs.isolations, lambda namespace: live.get(namespace, ())), output)


def _flag(value: str) -> Namespace:
    try:
        return namespace_from_flag(value)
    except ValueError as error:
        raise click.BadParameter(printable(str(error))) from error


def _on_paper(inputs: Inputs, guarded: frozenset[str]) -> Scene:
    """Set the scene without a cluster."""
    scene = on_paper(inputs, (inputs.namespaces or named_by(inputs.isolations.values())).values(), guarded)
    if not inputs.namespaces:
        remark(remarks_on_names(inputs, scene))
    return scene


async def _in_cluster(
    inputs: Inputs, guarded: frozenset[str], *, context: str | None, kubeconfig: Path | None
) -> tuple[Scene, Live]:
    """Set the scene with the namespaces of a cluster. Raises ApiError and ConnectionProblem."""
    connection = await connection_from(kubeconfig=kubeconfig, context=context)
    async with Client(connection, user_agent=f"nsiso/{__version__}") as client, progress_shown() as progress:
        background = await read_background(client, progress.tell)
        scene = applied(inputs, background, guarded)
        live = await live_in(client, scene.members(inputs.isolations), progress.tell)
    remark(remarks_on_background(inputs, background))
    return scene, live


def _print(manifests: Iterable[Json], output: str) -> None:
    match output:
        case "json":
            write(as_json(as_list(manifests)))
        case "name":
            for each in manifests:
                write(as_name(each["metadata"]["namespace"], each["metadata"]["name"]))
        case _:
            for number, each in enumerate(manifests):
                write(("---\n" if number else "") + as_yaml(each))
