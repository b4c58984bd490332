"""The allow-list: one flow becomes an ingress policy for its local destinations, an egress policy for its sources.

Under deny-all a connection needs the egress side of its source and the ingress side of its destination, so a flow
inside the namespace yields both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from namespace_isolation.desire.rules import direction_spec
from namespace_isolation.model.canonical import canonical_peer, digest_of, dumps
from namespace_isolation.model.names import allow_name
from namespace_isolation.model.policy import Owner, Policy, policy_from
from namespace_isolation.model.resource import AllowEntry, Direction, Peer, wire

__all__ = ["allow_policies"]

Json = dict[str, Any]

_EVERY_POD: Json = {"podSelector": {}}


def allow_policies(isolation: str, entry: AllowEntry, owner: Owner | None) -> Iterator[Policy]:
    """Render one allow entry."""
    sources, destinations = _peers(entry.from_), _peers(entry.to)
    ports = [wire(port) for port in entry.ports or ()]
    if _is_local(destinations):
        yield from _side(isolation, entry, owner, "Ingress", pods=destinations, others=sources, ports=ports)
    if _is_local(sources):
        yield from _side(isolation, entry, owner, "Egress", pods=sources, others=destinations, ports=ports)


def _side(
    isolation: str,
    entry: AllowEntry,
    owner: Owner | None,
    direction: Direction,
    *,
    pods: Sequence[Json],
    others: Sequence[Json],
    ports: Sequence[Json],
) -> Iterator[Policy]:
    verb = "accept" if direction == "Ingress" else "open"
    text = f"Lets the pods it selects {verb} the connections of allow-list entry {entry.name}."
    if entry.description:
        text = f"{text} {entry.description}"
    for selector, suffix in _suffixes([pod["podSelector"] for pod in pods]):
        yield policy_from(
            name=allow_name(isolation, entry.name, direction, suffix),
            isolation=isolation,
            description=text,
            spec=direction_spec(direction, selector, others, ports),
            owner=owner,
        )


def _peers(peers: Sequence[Peer] | None) -> list[Json]:
    """Bring a side into canonical form; one that is left out is every pod of the namespace."""
    if peers is None:
        return [_EVERY_POD]
    by_text = {dumps(peer): peer for peer in (canonical_peer(wire(peer)) for peer in peers)}
    return [by_text[text] for text in sorted(by_text)]


def _is_local(peers: Sequence[Json]) -> bool:
    return all(peer.keys() == {"podSelector"} for peer in peers)


def _suffixes(selectors: Sequence[Json]) -> Iterator[tuple[Json, str | None]]:
    """Give each of several selectors the 8 hex digits that tell its policy from the others'."""
    if len(selectors) == 1:
        yield selectors[0], None
        return
    taken: set[str] = set()
    for selector in selectors:
        suffix, text = digest_of(selector)[:8], dumps(selector)
        while suffix in taken:
            # Two selectors in four billion share 8 digits; neither may overwrite the other.
            text += "'"
            suffix = digest_of(text)[:8]
        taken.add(suffix)
        yield selector, suffix
