"""Label selectors, as strict as the API server is with the native ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, StrictStr

from namespace_isolation.model import limits, syntax
from namespace_isolation.model.wire import Breach, Pattern, Rule, Wire, rule

__all__ = ["LabelSelector", "LabelSelectorRequirement"]

_KEY_MESSAGE: Final = (
    "must be a label key: letters, digits, '-', '_' and '.', starting and ending with a letter or digit, at most 63 "
    "characters, with an optional DNS prefix and a slash before it, such as app.kubernetes.io/name"
)
_VALUE_MESSAGE: Final = (
    "must be a label value: letters, digits, '-', '_' and '.', starting and ending with a letter or digit, at most 63 "
    "characters, or empty"
)
# CEL's format library would say it shorter, but a CRD cannot use that before Kubernetes 1.32.
_KEY_FORM: Final = (
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
)
_KEY_LENGTHS: Final = "^([^/]{1,253}/)?[^/]{1,63}$"
_LabelKey = Annotated[
    StrictStr,
    Field(max_length=limits.LABEL_KEY_LENGTH),
    Pattern(patterns=(_KEY_FORM, _KEY_LENGTHS), message=_KEY_MESSAGE),
]
_LabelValue = Annotated[
    StrictStr,
    Field(max_length=limits.LABEL_VALUE_LENGTH),
    Pattern(patterns=(r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$",), message=_VALUE_MESSAGE),
]


def _bad_keys(labels: dict[str, str]) -> Iterator[Breach]:
    for key in labels:
        if not syntax.is_label_key(key):
            yield (key,), f"the key {_KEY_MESSAGE}"


class LabelSelectorRequirement(Wire):
    """One condition on the labels."""

    key: _LabelKey = Field(description="The label key that the condition is about.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"] = Field(
        description="In and NotIn compare the label with values; Exists and DoesNotExist ask for the key alone."
    )
    values: Annotated[
        tuple[_LabelValue, ...],
        Field(max_length=limits.EXPRESSION_VALUES),
    ] = Field(
        default=(),
        description="The values to compare with: at least one for In and NotIn, none for Exists and DoesNotExist.",
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        rule(
            cel="!(self.operator in ['In', 'NotIn']) || (has(self.values) && size(self.values) > 0)",
            message="In and NotIn need values: list at least one, or use Exists or DoesNotExist",
            field_path=".values",
            holds=lambda self: self.operator not in ("In", "NotIn") or bool(self.values),
        ),
        rule(
            cel="self.operator in ['In', 'NotIn'] || !has(self.values) || size(self.values) == 0",
            message="Exists and DoesNotExist take no values: leave values out, or use In or NotIn",
            field_path=".values",
            holds=lambda self: self.operator in ("In", "NotIn") or not self.values,
        ),
    )


class LabelSelector(Wire):
    """A standard Kubernetes label selector; all its conditions must hold, and an empty one selects everything."""

    match_labels: Annotated[
        dict[StrictStr, Annotated[_LabelValue, Field(json_schema_extra={"nullable": True})]],
        Field(max_length=limits.LABELS),
        # Without nullable the API server drops `app: null`, and the selector selects more than it was meant to.
        Rule(
            cel="self.all(k, type(self[k]) == string)",
            message="every key needs a value: write it behind the key, or take a matchExpression with operator Exists",
        ),
        Rule(
            cel=f"self.all(k, k.matches('{_KEY_FORM}') && k.indexOf('/') <= 253 && k.size() - k.indexOf('/') <= 64)",
            message=f"every key {_KEY_MESSAGE}",
            breaches=_bad_keys,
        ),
    ] = Field(default_factory=dict, description="Labels that must be there with exactly these values.")
    match_expressions: Annotated[tuple[LabelSelectorRequirement, ...], Field(max_length=limits.EXPRESSIONS)] = Field(
        default=(), description="Conditions on labels beyond equality; all must hold."
    )
