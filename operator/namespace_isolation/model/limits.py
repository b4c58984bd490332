"""How much of everything a resource may hold: what bounds its size and the API server's cost of validating it."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ALLOW_ENTRIES",
    "CIDR_LENGTH",
    "CONDITIONS",
    "DESCRIPTION_LENGTH",
    "EXCEPTS",
    "EXPRESSIONS",
    "EXPRESSION_VALUES",
    "LABELS",
    "LABEL_KEY_LENGTH",
    "LABEL_VALUE_LENGTH",
    "MESSAGE_LENGTH",
    "NAMESPACE_NAMES",
    "NAME_LENGTH",
    "OBJECT_NAME_LENGTH",
    "PEERS",
    "PORTS",
    "PORT_MAX",
    "PORT_NAME_LENGTH",
    "PROBLEM_LENGTH",
    "RECENT",
    "RULES",
    "VERBATIM_POLICIES",
    "WORD_LENGTH",
]

NAMESPACE_NAMES: Final = 1000
ALLOW_ENTRIES: Final = 200
VERBATIM_POLICIES: Final = 8
RULES: Final = 32
"""Rules of one direction in a verbatim policy."""
PEERS: Final = 32
"""Peers on one side of an allow entry or rule."""
PORTS: Final = 32
EXCEPTS: Final = 16
LABELS: Final = 16
"""Labels in one matchLabels."""
EXPRESSIONS: Final = 8
"""Requirements in one matchExpressions."""
EXPRESSION_VALUES: Final = 16

NAME_LENGTH: Final = 63
"""Names of isolations, entries, verbatim policies and namespaces: the length of a DNS label and of a label's value."""
DESCRIPTION_LENGTH: Final = 256
LABEL_KEY_LENGTH: Final = 317
"""A prefix of 253 characters, a slash, and a name of 63."""
LABEL_VALUE_LENGTH: Final = 63
CIDR_LENGTH: Final = 43
"""Eight groups of four hex digits, seven colons and `/128`."""
PORT_NAME_LENGTH: Final = 15
PORT_MAX: Final = 65535

RECENT: Final = 20
"""Drifts, problems and unmanaged policies that a status names; the rest is only counted."""
CONDITIONS: Final = 16
MESSAGE_LENGTH: Final = 1024
"""Characters of a message in the status; who writes one cuts it to this."""
OBJECT_NAME_LENGTH: Final = 253
PROBLEM_LENGTH: Final = 300
"""Characters of a problem's message: twenty of them stay readable."""
WORD_LENGTH: Final = 64
"""A reason, a kind, a summary such as 11/12."""
