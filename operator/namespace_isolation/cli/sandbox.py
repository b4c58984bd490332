"""`nsiso sandbox`: start, stop and look at throwaway control planes that outlive the command."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from namespace_isolation.sandbox import Sandbox, SandboxError
from namespace_isolation.sandbox.own_name import own_name
from namespace_isolation.sandbox.records import DEFAULT_NAME, Record, file_of, find, starting, stop
from namespace_isolation.sandbox.state import State, look

__all__ = ["sandbox"]

_NOT_RUNNING = 1

_name = click.option(
    "--name",
    default=DEFAULT_NAME,
    show_default=True,
    metavar="NAME",
    help="Which sandbox; several can run at once.",
)


@click.group(
    epilog="""\b
Examples:
  nsiso sandbox up                start it, or say that it runs
  eval "$(nsiso sandbox up)"      the same, and use it in this shell
  nsiso sandbox status            exit code 0 if it runs, 1 if not
  nsiso sandbox status -o json    the same for scripts
  nsiso sandbox up --name second  another one beside it
  nsiso sandbox down              stop it and remove its data"""
)
def sandbox() -> None:
    """Start and stop a throwaway control plane: etcd, kube-apiserver, controller manager, on loopback.

    The programs are taken from KUBEBUILDER_ASSETS, your cache, or the PATH; else the official envtest
    archive is downloaded; else they are built from Go modules, once. There are no nodes: pods are
    accepted and never run, and nothing enforces NetworkPolicies.
    """


@sandbox.command()
@_name
@click.option("--audit", is_flag=True, help="Record every request in audit.log (level Metadata).")
def up(name: str, *, audit: bool) -> None:
    """Start a sandbox that keeps running, or say that it runs already.

    Standard output holds the one line `export KUBECONFIG=…`; everything else goes to standard error.
    Exit codes: 0 it runs, 1 it could not be started.
    """
    with _told(), starting(name, lambda: click.echo(f"Sandbox {name} is being started; waiting.", err=True)):
        record = find(name)
        if record is not None:
            click.echo(f"Sandbox {name} is up already.", err=True)
        else:
            with Sandbox.start(audit=audit, name=name) as started:
                started.detach()
            record = find(name)
    if record is None:
        raise click.ClickException(
            f"sandbox {name} ended as soon as it was started; see: {own_name()} sandbox up --help"
        )
    _describe(record)
    click.echo(f"export KUBECONFIG={shlex.quote(str(record.kubeconfig))}")


@sandbox.command()
@_name
def down(name: str) -> None:
    """Stop a sandbox and remove its data. Exit code 0 also when none runs."""
    with _told():
        stopped = stop(name)
    click.echo(f"Sandbox {name} {'is stopped' if stopped else 'was not running'}.", err=True)


@sandbox.command()
@_name
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the answer.",
)
def status(name: str, output: str) -> None:
    """Tell whether a sandbox runs, and where. Exit codes: 0 all of it runs and answers, 1 it does not."""
    with _told():
        record = find(name)
        state = None if record is None else look(record)
    if output == "json":
        click.echo(json.dumps(_as_json(name, record, state), indent=2))
    elif record is None or state is None:
        click.echo(f"Sandbox {name} is not running. Start it: {own_name()} sandbox up{_option(name)}")
    else:
        _show(record, state)
    sys.exit(0 if state is not None and state.healthy else _NOT_RUNNING)


@contextmanager
def _told() -> Iterator[None]:
    """Show the sandbox's errors as the command line's own."""
    try:
        yield
    except SandboxError as error:
        raise click.ClickException(str(error)) from error


def _option(name: str) -> str:
    return "" if name == DEFAULT_NAME else f" --name {name}"


def _describe(record: Record) -> None:
    lines = [
        f"Sandbox {record.name}: {record.server}",
        f"  KUBECONFIG={record.kubeconfig}",
        f"  kubectl: {record.kubectl}",
        *([f"  runs without {', '.join(record.missing)}"] if record.missing else []),
        f"  stop it: {own_name()} sandbox down{_option(record.name)}",
    ]
    click.echo("\n".join(lines), err=True)


def _show(record: Record, state: State) -> None:
    healthy = "is running" if state.healthy else "is NOT healthy"
    click.echo(f"Sandbox {record.name} {healthy}.")
    click.echo(f"  Kubernetes  {state.version or 'the API server does not answer'}")
    click.echo(f"  server      {record.server}")
    click.echo(f"  etcd        {record.etcd_endpoint}")
    click.echo(f"  KUBECONFIG  {record.kubeconfig}")
    click.echo(f"  kubectl     {record.kubectl}")
    click.echo(f"  programs    {record.origin}")
    click.echo(f"  logs        {record.directory}/*.log")
    for program, pid in record.pids.items():
        click.echo(f"  {program:<24}  pid {pid}")
    for program, code in record.ended.items():
        click.echo(f"  {program:<24}  ended with exit code {code}; see {record.directory}/{program}.log")
    for program in record.missing:
        click.echo(f"  {program:<24}  missing: namespaces stay Terminating when deleted, owners are not followed")


def _as_json(name: str, record: Record | None, state: State | None) -> dict[str, object]:
    if record is None or state is None:
        return {"name": name, "running": False, "record": str(file_of(name))}
    return {
        "name": name,
        "running": True,
        "healthy": state.healthy,
        "version": state.version,
        "server": record.server,
        "etcd": record.etcd_endpoint,
        "kubeconfig": str(record.kubeconfig),
        "kubectl": str(record.kubectl),
        "directory": str(record.directory),
        "programs": record.origin,
        "missing": list(record.missing),
        "supervisor": record.supervisor,
        "pids": dict(record.pids),
        "ended": dict(record.ended),
    }
