"""The edges of what is granted: ids, bounds, masks, claims and keys that are almost right."""

from __future__ import annotations

import json
import math
import random
from typing import Any, cast

import jwt
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance import tables
from halocline_governance.decision import Decision
from halocline_governance.errors import (
    IssuerUnavailable,
    PolicyUnavailable,
    Refused,
    Unauthenticated,
)
from halocline_governance.guard import Condition, bound, transform
from halocline_governance.guard.condition import expression
from halocline_governance.identity import Issuer, Verifier, keyset
from halocline_governance.label import PUBLIC, Label
from halocline_governance.principal import ROLES
from tests.governance.oidc_issuer import ED, RSA, jwk

BUY = Label("confidential", ("buy",))


def without_issuers(label: Label, **more: Any) -> dict[str, Any]:
    """A bound as the read gate writes it."""
    return {**{name: value for name, value in label.as_json().items() if name != "issuers"}, **more}


def test_ids_that_lie_in_lakes_never_change() -> None:
    assert PUBLIC.label_id == "l306d8236d382b86dec0a864dea1a92b1"
    assert BUY.label_id == "l9a6351589c254448783d903c39541eab"


@pytest.mark.parametrize(
    "wrong",
    [
        {"bound": None},
        {"bound": []},
        {"bound": {}},
        {"bound": without_issuers(BUY, sides=None)},
        {"bound": without_issuers(BUY, issuers=["acme"])},
        {"blocked_issuers": None},
        {"blocked_issuers": "acme"},
        {"blocked_issuers": {"acme": True}},
        {"blocked_issuers": [["acme"]]},
        {"blocked_issuers": [None]},
        {"blocked_issuers": ["acme", 1]},
    ],
)
def test_a_bound_of_any_other_shape_grants_nothing(wrong: dict[str, Any]) -> None:
    labels = {label.label_id: label for label in (PUBLIC, BUY)}
    allowed = {"bound": without_issuers(BUY), "blocked_issuers": ["acme"]}
    granted = bound.within(Decision(True, (), allowed), labels, anywhere=False)
    assert granted.keys() == labels.keys()
    with pytest.raises(PolicyUnavailable):
        bound.within(Decision(True, (), {**allowed, **wrong}), labels, anywhere=False)


@pytest.mark.parametrize("name", transform.TRANSFORMS)
def test_a_mask_of_a_column_that_is_not_there_is_none(name: str) -> None:
    schema = tables.table("curated.documents").arrow()
    assert transform.check({"text": name}, schema) == {"text": name}
    with pytest.raises(PolicyUnavailable):
        transform.check({"texts": name}, schema)


@pytest.mark.parametrize("name", transform.TRANSFORMS)
@pytest.mark.parametrize("kind", [pa.string(), pa.int64(), pa.float64()], ids=str)
def test_masked_values_are_of_the_type_that_is_told(name: str, kind: pa.DataType) -> None:
    plain = pa.field("one", kind, nullable=False)
    try:
        transform.check({"one": name}, pa.schema([plain]))
    except PolicyUnavailable:
        assert kind != pa.string()
        assert name != "null"
        return
    told = transform.field(plain, name)
    masked = transform.mask(pa.array([2026, None]).cast(kind), name, b"k")
    assert masked.type == told.type == (kind if name == "null" else pa.string())
    assert told.nullable


def test_the_order_of_roles_in_a_token_means_nothing(rng: random.Random) -> None:
    issuer = Issuer(Ed25519PrivateKey.generate())
    verifier = Verifier(issuer.key.public_key())
    for _ in range(5):
        roles = rng.sample(ROLES, len(ROLES)) * 2
        assert verifier.verify(issuer.issue("ana", roles, BUY)).roles == tuple(sorted(ROLES))


@pytest.mark.parametrize(("size", "is_taken"), [(100, True), (8_000, True), (16_000, False)])
def test_a_token_has_a_size(size: int, is_taken: bool) -> None:
    issuer = Issuer(Ed25519PrivateKey.generate())
    claims = jwt.decode(issuer.issue("ana", [], BUY), options={"verify_signature": False})
    token = jwt.encode({**claims, "more": "x" * size}, issuer.key, algorithm="EdDSA")
    verifier = Verifier(issuer.key.public_key())
    if is_taken:
        assert verifier.verify(token).subject == "ana"
    else:
        with pytest.raises(Unauthenticated):
            verifier.verify(token)


@pytest.mark.parametrize("member", ["d", "p", "q", "k"])
def test_a_key_that_was_published_with_a_secret_verifies_nothing(member: str) -> None:
    told = [jwk(RSA, "one", **{member: "AQAB"}), jwk(ED, "other")]
    assert keyset.parse(json.dumps({"keys": told}).encode()).keys.keys() == {"other"}
    with pytest.raises(IssuerUnavailable):
        keyset.parse(json.dumps({"keys": told[:1]}).encode())


VALUES = ("a", "", 0, 2**63, -1, 1.5, 1e300, math.nan, math.inf, True, None, b"a", [1], {"a": 1})


def fits(value: object, kind: pa.DataType) -> bool:
    if pa.types.is_string(kind):
        return type(value) is str
    if pa.types.is_integer(kind):
        return type(value) is int and value < 2 ** (kind.bit_width - 1)
    # A double does not hold every whole number beyond 2**53.
    is_exact = (type(value) is int and abs(value) <= 2**53) or type(value) is float
    return pa.types.is_floating(kind) and is_exact and math.isfinite(cast("float", value))


@pytest.mark.parametrize("table", tables.TABLES.values(), ids=lambda table: table.name)
@pytest.mark.parametrize("op", ["=", "in"])
def test_a_literal_is_of_its_columns_own_type(table: tables.Table, op: str) -> None:
    """A conversion could fail or round, and would tell of a value that the filter hides."""
    for column in table.arrow():
        for value in VALUES:
            told = Condition(column.name, op, [value] if op == "in" else value)
            if fits(value, column.type):
                assert expression([told], table, [column.name]) is not None
                with pytest.raises(Refused):
                    expression([told], table, [])
            else:
                with pytest.raises(Refused):
                    expression([told], table, [column.name])
