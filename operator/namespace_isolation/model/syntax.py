"""Which strings Kubernetes takes as label keys and values, names, port names and CIDRs."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from namespace_isolation.model.limits import NAME_LENGTH, PORT_NAME_LENGTH

__all__ = [
    "Network",
    "has_host_bits",
    "is_dns_label",
    "is_dns_subdomain",
    "is_label_key",
    "is_namespace_pattern",
    "is_port_name",
    "is_strictly_inside",
    "read_cidr",
]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DNS_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_DNS_SUBDOMAIN_LENGTH: Final = 253
_NAMESPACE_PATTERN: Final = re.compile(r"[a-z0-9*?]([-a-z0-9*?]*[a-z0-9*?])?")
_QUALIFIED: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PORT_NAME: Final = re.compile(r"(?=[0-9-]*[a-z])[a-z0-9]+(-[a-z0-9]+)*")
_CIDR: Final = re.compile(r"([0-9A-Fa-f:.]+)/(?:0|[1-9][0-9]{0,2})")


def is_dns_label(text: str) -> bool:
    """Tell a DNS label (RFC 1123)."""
    return len(text) <= NAME_LENGTH and _DNS_LABEL.fullmatch(text) is not None


def is_dns_subdomain(text: str) -> bool:
    """Tell a DNS subdomain, as names of most objects are."""
    return len(text) <= _DNS_SUBDOMAIN_LENGTH and _DNS_SUBDOMAIN.fullmatch(text) is not None


def is_namespace_pattern(text: str) -> bool:
    """Tell the name of a namespace in which `*` and `?` may stand for characters."""
    return len(text) <= NAME_LENGTH and _NAMESPACE_PATTERN.fullmatch(text) is not None


def is_label_key(text: str) -> bool:
    """Tell a label key: a name, or a DNS subdomain, a slash and a name."""
    prefix, slash, name = text.rpartition("/")
    if slash and not is_dns_subdomain(prefix):
        return False
    return len(name) <= NAME_LENGTH and _QUALIFIED.fullmatch(name) is not None


def is_port_name(text: str) -> bool:
    """Tell the name of a port as a container may declare it (RFC 6335)."""
    return len(text) <= PORT_NAME_LENGTH and _PORT_NAME.fullmatch(text) is not None


def read_cidr(text: str) -> Network | None:
    """Read a CIDR; None for what CEL's `cidr()` refuses: leading zeros, netmasks, IPv4-mapped IPv6, zones."""
    matched = _CIDR.fullmatch(text)
    try:
        address = ipaddress.ip_address(matched[1]) if matched else None
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if address is None or (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None):
        return None
    return network


def has_host_bits(text: str) -> bool:
    """Tell whether a readable CIDR has bits set behind its prefix."""
    network = ipaddress.ip_network(text, strict=False)
    return ipaddress.ip_address(text.partition("/")[0]) != network.network_address


def is_strictly_inside(inner: Network, outer: Network) -> bool:
    """Tell whether `inner` is a part of `outer`, but not all of it."""
    if isinstance(inner, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return inner != outer and inner.subnet_of(outer)
    if isinstance(inner, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return inner != outer and inner.subnet_of(outer)
    return False
