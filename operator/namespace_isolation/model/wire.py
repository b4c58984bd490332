"""What all parts of the resource have in common: frozen models, with rules in CEL and in Python side by side."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

__all__ = ["RULE", "VALIDATIONS", "Breach", "Pattern", "Place", "Rule", "Unique", "Wire", "rule", "wire"]

RULE: Final = "rule"
"""The type of a pydantic error that a Rule made; its message is for people as it is."""
VALIDATIONS: Final = "x-kubernetes-validations"

Place = tuple[str | int, ...]
"""Where inside the value: field names as the wire spells them, and indexes."""
Breach = tuple[Place, str]
"""A place where a rule is broken, and the message with the mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule in two languages: `cel` for the API server, `breaches` for objects that an older CRD let through.

    As metadata of an Annotated type it holds for that value; in `Wire.rules` it holds for the whole object.
    """

    cel: str
    message: str
    field_path: str | None = None
    breaches: Callable[[Any], Iterable[Breach]] = field(default=lambda _: ())
    """Finds where a value breaks the rule; nothing by default, for rules that the type keeps in Python."""

    def check(self, value: object) -> Any:  # noqa: ANN401 - pydantic validators hand on what they were given
        """Return the value, or raise what pydantic turns into one error per breach."""
        _refuse(value, self.breaches(value))
        return value

    def validation(self) -> dict[str, str]:
        """Write the rule as an item of x-kubernetes-validations."""
        item = {"rule": self.cel, "message": self.message}
        if self.field_path is not None:
            item["fieldPath"] = self.field_path
        return item

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the rule after the type and the limits that stand before it."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Carry the CEL into the CRD."""
        result = handler(schema)
        return {**result, VALIDATIONS: [*result.get(VALIDATIONS, ()), self.validation()]}


def rule(*, cel: str, message: str, holds: Callable[[Any], bool], field_path: str | None = None) -> Rule:
    """Make a rule that holds or not, with one message in both languages, about the value or one field of it."""
    place: Place = () if field_path is None else (field_path.removeprefix("."),)

    def breaches(value: object) -> tuple[Breach, ...]:
        return () if holds(value) else ((place, message),)

    return Rule(cel=cel, message=message, field_path=field_path, breaches=breaches)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Regular expressions that a string must all match: for strings so many that CEL would cost too much.

    Only Python gives `message`; the API server shows the expression.
    """

    patterns: tuple[str, ...]
    message: str

    def check(self, text: str) -> str:
        """Return the string, or raise with the message; `$` is the end of the string, as in Go."""
        matches = (re.search(pattern.removesuffix("$") + r"\Z", text) for pattern in self.patterns)
        _refuse(text, [] if all(matches) else [((), self.message)])
        return text

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the string after its length."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Carry the expressions into the CRD."""
        first, *others = self.patterns
        result = {**handler(schema), "pattern": first}
        return {**result, "allOf": [{"pattern": other} for other in others]} if others else result


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """A list in which nothing occurs twice: a set, or with `key` (the name of a field) a map."""

    key: str | None = None

    def check(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the items, or raise one error for each that is there already."""
        keys = [item if self.key is None else getattr(item, self.key) for item in items]
        seen: set[object] = set()
        breaches: list[Breach] = []
        for index, key in enumerate(keys):
            if key in seen:
                breaches.append(((index,), f'"{key}" is in the list already: remove one of the two, or change it'))
            seen.add(key)
        _refuse(items, breaches)
        return items

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the list after its items."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Carry the list's kind into the CRD."""
        if self.key is None:
            return {**handler(schema), "x-kubernetes-list-type": "set"}
        return {
            **handler(schema),
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": [self.key],
        }


def _alias(name: str) -> str:
    return to_camel(name.rstrip("_"))


_NOT_ASKED: Final[set[str]] = set()


class Wire(BaseModel):
    """A part of the resource as it is written in YAML: camelCase, frozen, unknown fields refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=_alias,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, value: object) -> object:
        """Treat a known field that is null as left out, as the API server does."""
        if not isinstance(value, Mapping):
            return value
        known = {info.alias for info in cls.model_fields.values()}
        return {key: item for key, item in value.items() if item is not None or key not in known}

    @model_validator(mode="after")
    def _obey_rules(self) -> Self:
        _refuse(self, [breach for each in self.rules for breach in each.breaches(self)])
        # Which fields were given, and which left to their defaults, nobody asks. A set of them for every part would be
        # half of the memory that 10,000 resources take (measured).
        object.__setattr__(self, "__pydantic_fields_set__", _NOT_ASKED)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Carry the CEL of the object's rules into the CRD."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        if cls.rules:
            schema[VALIDATIONS] = [each.validation() for each in cls.rules]
        return schema


def wire(model: Wire) -> dict[str, Any]:
    """Write a model as Kubernetes writes it: without None, and without lists and maps that are empty by default.

    An empty selector stays (`podSelector: {}` selects every pod), so does an empty list that says something
    (`defaultDeny: []`, `egress: []`).
    """
    plain: dict[str, Any] = {}
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        if value is None or (value in ((), {}) and value == info.get_default(call_default_factory=True)):
            continue
        plain[info.alias or name] = _plain(value)
    return plain


def _plain(value: object) -> object:
    if isinstance(value, Wire):
        return wire(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def _refuse(value: object, breaches: Iterable[Breach]) -> None:
    """Raise one pydantic error per breach, each at its own place; none, no raise."""
    errors = [
        InitErrorDetails(type=PydanticCustomError(RULE, "{message}", {"message": text}), loc=place, input=value)
        for place, text in breaches
    ]
    if errors:
        raise ValidationError.from_exception_data("rules", errors)
