"""The names of generated policies, and which isolation a name points to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespace_isolation.model.names import (
    allow_name,
    bridge_name,
    default_deny_name,
    dns_name,
    isolation_of_generated_name,
    verbatim_name,
)

_labels = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
_isolations = st.from_regex(r"[a-z0-9]([-.a-z0-9]{0,61}[a-z0-9])?", fullmatch=True).filter(
    lambda name: all(part and part[0] != "-" and part[-1] != "-" for part in name.split("."))
)
_hashes = st.none() | st.from_regex(r"[0-9a-f]{8}", fullmatch=True)


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (default_deny_name("team", ("Ingress", "Egress")), "team.default-deny-all"),
        (default_deny_name("team", ("Ingress",)), "team.default-deny-ingress"),
        (default_deny_name("team", ("Egress",)), "team.default-deny-egress"),
        (dns_name("team"), "team.allow-dns-egress"),
        (allow_name("team", "web-to-api", "Ingress", None), "team.allow-web-to-api-ingress"),
        (allow_name("team", "web-to-api", "Egress", "0123abcd"), "team.allow-web-to-api-egress-0123abcd"),
        (bridge_name("team", "0123abcd"), "team.allow-bridge-0123abcd"),
        (verbatim_name("team", "legacy"), "team.legacy"),
    ],
)
def test_a_generated_name_reads_as_the_design_says(made: str, name: str) -> None:
    """Isolation, dot, what the policy does."""
    assert made == name


@pytest.mark.parametrize(
    ("policy", "isolation"),
    [
        ("team.default-deny-all", "team"),
        ("team.default-deny-ingress", "team"),
        ("team.allow-dns-egress", "team"),
        ("team.allow-a-ingress", "team"),
        ("team.allow-a-egress-0123abcd", "team"),
        ("team.allow-bridge-0123abcd", "team"),
        ("team.eu.default-deny-all", "team.eu"),
        ("team.allow-allow-egress-egress", "team"),
        ("default-deny-all", None),
        (".default-deny-all", None),
        ("team.default-deny-both", None),
        ("team.default-deny-all-2", None),
        ("team.allow-a", None),
        ("team.allow--ingress", None),
        ("team.allow-a-ingress-0123ABCD", None),
        ("team.allow-a-ingress-0123abc", None),
        ("team.allow-bridge-0123abcg", None),
        ("team.legacy", None),
        ("team.default-deny-all\n", None),
        ("", None),
    ],
)
def test_only_the_form_of_a_generated_name_points_to_an_isolation(policy: str, isolation: str | None) -> None:
    """The part behind the last dot decides; a verbatim policy's name points to nobody."""
    assert isolation_of_generated_name(policy) == isolation


@given(
    isolation=_isolations,
    entry=_labels,
    direction=st.sampled_from(["Ingress", "Egress"]),
    digest=_hashes,
)
def test_every_allow_name_fits_an_object_name_and_leads_back(
    isolation: str, entry: str, direction: str, digest: str | None
) -> None:
    """Whatever the entry is called, the name has at most 253 characters and tells its isolation."""
    name = allow_name(isolation, entry, direction, digest)
    assert len(name) <= 253
    assert isolation_of_generated_name(name) == isolation


_allow_names = st.tuples(_labels.filter(lambda entry: entry != "dns"), st.sampled_from(["Ingress", "Egress"]), _hashes)


@given(one=_allow_names, other=_allow_names)
def test_two_allow_policies_never_share_a_name(
    one: tuple[str, str, str | None], other: tuple[str, str, str | None]
) -> None:
    """Entry, direction and hash can be read from the name, so that different ones differ; none is the DNS policy's."""
    names = {allow_name("team", *each) for each in (one, other)}
    assert len(names) == len({one, other})
    assert dns_name("team") not in names
    assert bridge_name("team", one[2] or "01234567") not in names
