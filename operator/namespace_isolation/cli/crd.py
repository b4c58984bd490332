"""`nsiso crd`: print the CustomResourceDefinition."""

from __future__ import annotations

import click
import yaml

from namespace_isolation.model.crd import custom_resource_definition

__all__ = ["crd"]


@click.command()
def crd() -> None:
    """Print the CustomResourceDefinition of NamespaceIsolation as YAML."""
    click.echo(yaml.safe_dump(custom_resource_definition(), sort_keys=False, width=110, allow_unicode=True), nl=False)
