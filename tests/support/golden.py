"""Golden pairs: files with isolations and the exact policies that they yield together in the namespace payments.

`python -m tests.support.golden` writes the policies anew below the isolations of each file; read every difference
against the promise before it is kept.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from namespace_isolation.model.names import KIND
from namespace_isolation.observe.isolations import read_isolation
from tests.support.objects import NAMESPACE, desired_in, uid_of, view

__all__ = ["GOLDEN", "difference", "golden_files"]

Json = dict[str, Any]

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
_SEPARATOR = "---\n"
_KEYS = ("namespaceSelector", "podSelector", "policyTypes", "from", "to", "protocol", "port", "endPort")


def golden_files() -> list[Path]:
    """Find the golden files; none is an error."""
    found = sorted(GOLDEN.glob("*.yaml"))
    if not found:
        message = f"no golden files in {GOLDEN}"
        raise FileNotFoundError(message)
    return found


def difference(text: str) -> str:
    """Compare the policies in a file with those that its isolations yield; a unified diff, empty where they agree."""
    isolations, policies = _parts(text)
    written = "".join(_dumped(each) for each in policies if each is not None)
    rendered = "".join(_dumped(each) for each in _rendered(isolations))
    if not policies:
        written = "(no golden: the file ends behind its isolations)\n"
    lines = difflib.unified_diff(written.splitlines(), rendered.splitlines(), "golden", "rendered", lineterm="", n=6)
    return "\n".join(lines)


def regenerated(text: str) -> str:
    """Write the policies of a file anew and leave what stands above them as it is."""
    isolations, _ = _parts(text)
    sections = text.split(_SEPARATOR)
    head = _SEPARATOR.join(sections[: len(isolations)]).rstrip("\n") + "\n"
    rendered = "".join(_dumped(each) for each in _rendered(isolations))
    return head + (rendered or f"{_SEPARATOR}# no policy\n")


def _parts(text: str) -> tuple[list[Json], list[Json | None]]:
    """Read a file: its isolations, then its policies; an empty document stands for no policy."""
    documents: list[Json | None] = list(yaml.safe_load_all(text))
    isolations = [each for each in documents if each is not None and each.get("kind") == KIND]
    if documents[: len(isolations)] != isolations:
        message = "the isolations come first, then the policies"
        raise ValueError(message)
    return isolations, documents[len(isolations) :]


def _rendered(documents: list[Json]) -> Iterator[Json]:
    isolations = []
    for document in documents:
        metadata = document["metadata"]
        served = {"uid": uid_of(metadata["name"]), "generation": 1, "resourceVersion": "1", **metadata}
        isolation = read_isolation({**document, "metadata": served})
        if isolation.spec is None:
            raise ValueError("; ".join(map(str, isolation.faults)))
        isolations.append(isolation)
    desired = desired_in(view(*isolations))
    for name in sorted(desired):
        yield desired[name].manifest(NAMESPACE)


def _dumped(document: Json) -> str:
    return _SEPARATOR + yaml.dump(_in_order(document), Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)


def _in_order(value: object) -> object:
    """Put the keys of a rule into the order in which people write them; the API server knows none."""
    if isinstance(value, dict):
        known = [key for key in _KEYS if key in value]
        return {key: _in_order(value[key]) for key in (*known, *(key for key in value if key not in known))}
    return [_in_order(each) for each in value] if isinstance(value, list) else value


class _Dumper(yaml.SafeDumper):
    """Writes an object twice where it occurs twice."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        """Write no anchors."""
        return True


def main() -> None:
    """Regenerate every file and name those that changed."""
    for path in golden_files():
        before = path.read_text()
        after = regenerated(before)
        if after != before:
            path.write_text(after)
            sys.stdout.write(f"{path.name}: policies written, {len(after.splitlines())} lines\n")


if __name__ == "__main__":
    main()
