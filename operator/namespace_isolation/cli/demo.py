"""`nsiso demo`: the operator's main job on a throwaway control plane, shown and checked."""

from __future__ import annotations

import signal
import sys

import click

from namespace_isolation.demo.files import MissingManifestsError
from namespace_isolation.demo.show import show
from namespace_isolation.sandbox import SandboxError

__all__ = ["demo"]

_INTERRUPTED = 130


@click.command(
    epilog="""\b
Examples:
  nsiso demo                      a quarter of a minute, longer the first time
  nsiso demo --keep               leave it running and look around
  nsiso sandbox down --name demo  end what --keep left running
  NO_COLOR=1 nsiso demo           without colours"""
)
@click.option("--keep", is_flag=True, help="Leave the control plane and the operator running at the end.")
def demo(*, keep: bool) -> None:
    """Show the operator at work: isolation, a new namespace, drift and its repair, removal.

    It starts a real control plane on loopback (downloaded or built the first time), installs the operator's
    identity from manifests/, and runs the operator under it. Every step waits until the API server shows what
    the story tells. Exit codes: 0 everything was seen, 1 something was not, 130 interrupted.
    """
    _end_in_order()
    try:
        sys.exit(0 if show(keep=keep) else 1)
    except (SandboxError, MissingManifestsError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("\nInterrupted; nothing is left running.", err=True)
        sys.exit(_INTERRUPTED)


def _end_in_order() -> None:
    """Let SIGTERM and SIGHUP do what Ctrl-C does.

    What a script starts in the background ignores SIGINT; left so, it would swallow the others with it.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))
