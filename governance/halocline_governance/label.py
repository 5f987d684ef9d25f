"""Labels: what a thing may be shown to, as an element of a product lattice.

A label only grows: `a | b` is the least label that dominates both. Knows nothing of
principals, tables or policies. The Rego twin is `policies/label/label.rego`.

Laws (tests/governance/test_label.py): join is idempotent, commutative, associative and the
least upper bound; `PUBLIC` is its identity; `a <= b` iff `a | b == b`; equal labels have equal
ids and nothing else does.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, cast

from halocline_governance import strict_json
from halocline_governance.errors import MalformedLabel, NoCompartment

SENSITIVITIES = ("public", "internal", "confidential", "restricted")
AXES = ("sides", "tenants", "ndas", "issuers")
SYSTEM = "system"
MAX_TEXT = 1 << 20

_COMPARTMENT_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
_PATTERN = {"sides": _COMPARTMENT_NAME, "tenants": _COMPARTMENT_NAME, "ndas": _ID, "issuers": _ID}
_RESERVED = {"public", SYSTEM, "x"}


@dataclass(frozen=True, slots=True)
class Label:
    """One element of the lattice; every set is kept sorted and without duplicates."""

    sensitivity: str
    sides: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    ndas: tuple[str, ...] = ()
    issuers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.sensitivity not in SENSITIVITIES:
            raise MalformedLabel(f"sensitivity must be one of {', '.join(SENSITIVITIES)}")
        for axis in AXES:
            _check_axis(axis, getattr(self, axis))

    def __or__(self, other: Label) -> Label:
        """The join: the more sensitive level, and the union on every axis."""
        level = max(_rank(self.sensitivity), _rank(other.sensitivity))
        unions = {
            axis: tuple(sorted({*getattr(self, axis), *getattr(other, axis)})) for axis in AXES
        }
        return Label(SENSITIVITIES[level], **unions)

    def __le__(self, other: Label) -> bool:
        """Dominance: whoever may see `other` may see `self`, as far as labels say."""
        return _rank(self.sensitivity) <= _rank(other.sensitivity) and all(
            set(getattr(self, axis)) <= set(getattr(other, axis)) for axis in AXES
        )

    def as_json(self) -> dict[str, Any]:
        """The canonical object that policies see and hashes are taken of."""
        return {
            "sensitivity": self.sensitivity,
            **{axis: list(getattr(self, axis)) for axis in AXES},
        }

    @property
    def label_id(self) -> str:
        """`l` and 32 hex digits: the first 128 bits of SHA-256 over the canonical JSON."""
        return "l" + hashlib.sha256(self.canonical()).hexdigest()[:32]

    def canonical(self) -> bytes:
        """RFC 8785 form. Keys and members are ASCII and sorted, so plain JSON gives it."""
        return json.dumps(self.as_json(), sort_keys=True, separators=(",", ":")).encode()

    @property
    def compartment(self) -> str:
        """Where data of this label lies: `public`, a side, or side.tenant.

        Raises:
            NoCompartment: several sides or tenants, or a tenant without a side.
        """
        if len(self.sides) > 1 or len(self.tenants) > 1:
            raise NoCompartment(
                "a label of several sides or tenants has no compartment of its own: it lies only"
                " where a source names an open crossing over them all (docs/policies/cross.md)"
            )
        if self.tenants and not self.sides:
            raise NoCompartment("a tenant's label must name the side that serves it")
        return ".".join([*self.sides, *self.tenants]) or "public"


def join(labels: Iterable[Label]) -> Label:
    """The label of a thing made from all of these; of nothing, `PUBLIC`."""
    return reduce(lambda a, b: a | b, labels, PUBLIC)


def parse(obj: object) -> Label:
    """A label from decoded JSON or YAML. Every axis may be left out; nothing else may be added.

    Raises:
        MalformedLabel: anything but a well-formed label; nothing is repaired.
    """
    if not isinstance(obj, Mapping):
        raise MalformedLabel("a label is an object with a sensitivity")
    fields = cast("Mapping[object, object]", obj)
    if unknown := {str(key) for key in fields} - {"sensitivity", *AXES}:
        raise MalformedLabel(f"unknown label key: {', '.join(sorted(unknown))}")
    sensitivity = fields.get("sensitivity")
    if not isinstance(sensitivity, str):
        raise MalformedLabel("a label needs a sensitivity")
    return Label(sensitivity, **{axis: _members(axis, fields.get(axis, [])) for axis in AXES})


def loads(text: str | bytes) -> Label:
    """A label from JSON text, UTF-8 where it is bytes.

    Raises:
        MalformedLabel: not JSON, or JSON that readers do not agree on (a key that stands twice, a
            number that is none), or no label.
    """
    if len(text) > MAX_TEXT:
        raise MalformedLabel(f"a label's text is at most {MAX_TEXT} long")
    try:
        obj = strict_json.loads(text)
    except ValueError as error:
        raise MalformedLabel(f"a label is JSON ({type(error).__name__})") from None
    return parse(obj)


def parse_compact(text: str) -> Label:
    """A label from one line: `confidential sides=buy issuers=acme,initech`."""
    head, *rest = text.split() or [""]
    axes: dict[str, object] = {}
    for word in rest:
        axis, eq, members = word.partition("=")
        if not eq or axis in axes:
            raise MalformedLabel("write a label as: LEVEL axis=a,b (axes: " + ", ".join(AXES) + ")")
        axes[axis] = members.split(",")
    return parse({"sensitivity": head, **axes})


def _members(axis: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise MalformedLabel(f"{axis} must be a list")
    members = list(cast("Iterable[object]", value))
    if not all(isinstance(member, str) for member in members):
        raise MalformedLabel(f"{axis} must hold names")
    return tuple(sorted(cast("list[str]", members)))


def _check_axis(axis: str, members: object) -> None:
    if not isinstance(members, tuple):
        raise MalformedLabel(f"{axis} must be a tuple of names")
    names = cast("tuple[object, ...]", members)
    for name in names:
        if not isinstance(name, str) or not _PATTERN[axis].match(name):
            raise MalformedLabel(f"{axis}: a name must match {_PATTERN[axis].pattern[:-2]}")
        if axis in ("sides", "tenants") and name in _RESERVED:
            raise MalformedLabel(f"{axis}: {name} is a reserved compartment name")
    if list(names) != sorted(set(cast("tuple[str, ...]", names))):
        raise MalformedLabel(f"{axis}: names must be sorted and distinct")


def _rank(sensitivity: str) -> int:
    return SENSITIVITIES.index(sensitivity)


PUBLIC = Label("public")
