"""How a fault in the resource reads: the path as Kubernetes writes it, and a message with the mend."""

from __future__ import annotations

import re
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from namespace_isolation.model.fault import Fault
from namespace_isolation.model.wire import RULE

__all__ = ["faults_of"]

_MESSAGES: Final = {
    "missing": "is required: add it",
    "extra_forbidden": "is not a field of this resource: correct its spelling or its place, or remove it",
    "invalid_key": "is not a field of this resource: correct its spelling or its place, or remove it",
    "string_type": "must be a string, not {actual}: put it in quotes",
    "string_unicode": "must be valid Unicode: correct the broken character",
    "bool_type": "must be true or false, not {actual}: write it without quotes",
    "int_type": "must be a whole number, not {actual}: write it without quotes",
    "tuple_type": "must be a list, not {actual}: start each item with '- '",
    "dict_type": "must be an object, not {actual}: write key: value pairs",
    "model_type": "must be an object, not {actual}: write its fields as key: value pairs",
    "model_attributes_type": "must be an object, not {actual}: write its fields as key: value pairs",
    "literal_error": "must be {expected}: choose one",
    "too_long": "must have at most {max_length} items: remove some, or spread them over several resources",
    "string_too_long": "must be no longer than {max_length} characters: shorten it",
    "greater_than_equal": "must be at least {ge}: correct it",
    "less_than_equal": "must be at most {le}: correct it",
    RULE: "{message}",
}
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def faults_of(error: ValidationError, *, root: str) -> tuple[Fault, ...]:
    """Name every fault that pydantic found below the field `root`."""
    return tuple(
        Fault(path=root + _path(details["loc"]), message=_message(details))
        for details in error.errors(include_url=False)
    )


def _path(places: tuple[int | str, ...]) -> str:
    return "".join(_step(place) for place in places if place != "[key]")


def _step(place: int | str) -> str:
    if isinstance(place, str) and _PLAIN_KEY.fullmatch(place):
        return f".{place}"
    return f"[{place}]"


def _message(details: ErrorDetails) -> str:
    template = _MESSAGES.get(details["type"])
    if template is None:
        return details["msg"]
    return template.format(**{"actual": _kind(details["input"]), "message": details["msg"], **details.get("ctx", {})})


def _kind(value: object) -> str:
    """Name the kind of a JSON value as JSON does."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value}"
    if isinstance(value, int):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list | tuple) else "an object"
