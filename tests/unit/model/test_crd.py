"""The CRD in crds/ is the one that the wire models yield; every field is described and every size bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from namespace_isolation.cli.crd import crd
from namespace_isolation.model.crd import custom_resource_definition, structural
from namespace_isolation.model.wire import VALIDATIONS, Wire

_COMMITTED = Path(__file__).parents[3] / "crds" / "namespaceisolations.nsiso.dev.yaml"


def _root() -> dict[str, Any]:
    root: dict[str, Any] = custom_resource_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return root


def _nodes(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, each in schema.get("properties", {}).items():
        yield from _nodes(each, f"{path}.{name}")
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if key in schema:
            yield from _nodes(schema[key], path + mark)


_NODES = [*_nodes(_root()["properties"]["spec"], "spec"), *_nodes(_root()["properties"]["status"], "status")]


def test_committed_crd_is_the_generated_one() -> None:
    """The file in crds/ equals what `nsiso crd` prints; if not: nsiso crd > crds/namespaceisolations.nsiso.dev.yaml."""
    printed = CliRunner().invoke(crd, catch_exceptions=False)

    assert printed.exit_code == 0
    assert _COMMITTED.read_text() == printed.output
    assert yaml.safe_load(printed.output) == custom_resource_definition()


def test_every_field_is_described() -> None:
    """`kubectl explain` has a sentence for every field."""
    assert [
        path for path, node in _NODES if path[-1] not in "]}" and not node.get("description", "").endswith(".")
    ] == []


def test_every_size_is_bounded() -> None:
    """Every list, map and string has a maximum, which bounds the cost of CEL and the size of the status."""
    bounds = {"array": "maxItems", "string": "maxLength"}
    unbounded = [
        path
        for path, node in _NODES
        if (node.get("type") in bounds and bounds[node["type"]] not in node and not {"enum", "format"} & node.keys())
        or ("additionalProperties" in node and "maxProperties" not in node)
    ]

    assert unbounded == []


def test_every_number_in_the_status_counts_from_zero() -> None:
    """No count in the status is negative; the generation that was observed is -1 before the first."""
    integers = {path: node.get("minimum") for path, node in _NODES if node.get("type") == "integer"}

    assert {path: least for path, least in integers.items() if path.startswith("status") and least != 0} == {
        "status.observedGeneration": -1
    }
    assert integers["spec.allow[].ports[].endPort"] == 1


def test_every_rule_names_the_mend() -> None:
    """Every CEL rule carries a message of its own."""
    rules = [rule for _, node in _NODES for rule in node.get(VALIDATIONS, ())]

    assert len(rules) > 40
    assert [rule["rule"] for rule in rules if len(rule["message"]) < 30] == []


@pytest.mark.parametrize(
    ("path", "default"),
    [
        ("spec.mode", "Enforce"),
        ("spec.defaultDeny", ["Ingress", "Egress"]),
        ("spec.dns", {}),
        ("spec.dns.enabled", True),
        ("spec.unmanagedPolicies", "Report"),
        ("spec.deletionPolicy", "Delete"),
        ("spec.allow[].ports[].protocol", "TCP"),
        ("spec.policies[].spec.podSelector", {}),
    ],
)
def test_defaults_stand_in_the_schema(path: str, default: object) -> None:
    """What is left out shows in `kubectl get -o yaml`."""
    assert dict(_NODES)[path]["default"] == default


@pytest.mark.parametrize(
    ("path", "keys"), [("spec.allow", ["name"]), ("spec.policies", ["name"]), ("status.conditions", ["type"])]
)
def test_keyed_lists_are_maps(path: str, keys: list[str]) -> None:
    """Server-side apply merges entries by their key."""
    node = dict(_NODES)[path]

    assert node["x-kubernetes-list-type"] == "map"
    assert node["x-kubernetes-list-map-keys"] == keys


def test_columns_are_those_of_the_design() -> None:
    """`kubectl get nsiso` shows mode, namespaces, policies, drift, readiness and age; `-o wide` why."""
    columns = custom_resource_definition()["spec"]["versions"][0]["additionalPrinterColumns"]
    wide = [column["name"] for column in columns if column.get("priority")]

    assert [column["name"] for column in columns if column["name"] not in wide] == [
        "Mode",
        "Namespaces",
        "Policies",
        "Drift",
        "Ready",
        "Age",
    ]
    assert wide == ["Reason", "Outstanding", "Failed", "Unmanaged", "Message"]


def test_what_nobody_has_looked_at_waits_for_its_first_generation() -> None:
    """Without a default kstatus takes a resource without a status for one that is done."""
    assert dict(_NODES)["status"]["default"] == {"observedGeneration": -1}


def test_what_has_no_structural_form_is_an_error() -> None:
    """A model that uses a part of JSON schema that a CRD cannot say is noticed here, not dropped."""

    class Tuples(Wire):
        pair: tuple[int, str]

    with pytest.raises(ValueError, match="no structural schema for"):
        structural(Tuples)
