"""The laws of the label lattice, and what is refused at construction."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.errors import MalformedLabel, NoCompartment
from halocline_governance.label import (
    AXES,
    PUBLIC,
    SENSITIVITIES,
    Label,
    join,
    loads,
    parse,
    parse_compact,
)

NAMES = st.lists(st.sampled_from(["acme", "buy", "globex", "sell", "a-1"]), max_size=3, unique=True)


def label_of(level: str, axes: list[list[str]]) -> Label:
    return Label(level, *(tuple(sorted(axis)) for axis in axes))


LABELS = st.builds(
    label_of, st.sampled_from(SENSITIVITIES), st.lists(NAMES, min_size=4, max_size=4)
)


@given(LABELS, LABELS, LABELS)
def test_join_is_a_semilattice(a: Label, b: Label, c: Label) -> None:
    assert a | a == a
    assert a | b == b | a
    assert (a | b) | c == a | (b | c)
    assert a | PUBLIC == a


@given(LABELS, LABELS, LABELS)
def test_join_is_the_least_upper_bound(a: Label, b: Label, c: Label) -> None:
    assert a <= a | b
    assert b <= a | b
    if a <= c and b <= c:
        assert a | b <= c


@given(LABELS, LABELS)
def test_dominance_is_the_order_of_the_join(a: Label, b: Label) -> None:
    assert (a <= b) == (a | b == b)
    if a <= b and b <= a:
        assert a == b


@given(LABELS, LABELS)
def test_equal_ids_mean_equal_labels(a: Label, b: Label) -> None:
    assert (a.label_id == b.label_id) == (a == b)


@given(LABELS)
def test_json_round_trips(a: Label) -> None:
    assert parse(json.loads(a.canonical())) == a


@given(st.lists(LABELS))
def test_a_derived_thing_dominates_everything_it_was_made_from(labels: list[Label]) -> None:
    assert all(label <= join(labels) for label in labels)


MALFORMED: list[object] = [
    None,
    [],
    "public",
    {},
    {"sensitivity": "TOPSECRET"},
    {"sensitivity": None},
    {"sensitivity": "public", "side": ["buy"]},
    {"sensitivity": "public", "sides": "buy"},
    {"sensitivity": "public", "sides": ["buy", "buy"]},
    {"sensitivity": "public", "sides": ["Buy"]},
    {"sensitivity": "public", "sides": ["buy\n"]},
    {"sensitivity": "public", "sides": [1]},
    {"sensitivity": "public", "sides": [""]},
    {"sensitivity": "public", "sides": ["system"]},
    {"sensitivity": "public", "tenants": ["public"]},
    {"sensitivity": "public", "sides": {"buy": True}},
    {"sensitivity": "public", "sides": ["b" * 33]},
    {"sensitivity": "public", "issuers": ["../etc"]},
]


@pytest.mark.parametrize("wrong", MALFORMED)
def test_a_malformed_label_is_refused(wrong: object) -> None:
    with pytest.raises(MalformedLabel):
        parse(wrong)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(SENSITIVITIES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["sensitivity", *AXES, "x"]), inner, max_size=6)
    ),
)


@given(JSON)
def test_any_json_is_a_label_or_is_refused(value: object) -> None:
    try:
        label = parse(value)
    except MalformedLabel:
        return
    assert parse(label.as_json()) == label


def test_where_labels_lie() -> None:
    assert PUBLIC.compartment == "public"
    assert parse_compact("confidential sides=buy").compartment == "buy"
    assert parse_compact("confidential sides=sell tenants=acme").compartment == "sell.acme"
    for nowhere in (
        "internal sides=buy,sell",
        "internal tenants=acme",
        "internal sides=a tenants=b,c",
    ):
        with pytest.raises(NoCompartment):
            _ = parse_compact(nowhere).compartment


def test_compact_form_refuses_what_is_not_one() -> None:
    for wrong in (
        "",
        "internal sides",
        "internal sides=buy sides=sell",
        "internal sides=",
        "x y=z",
    ):
        with pytest.raises(MalformedLabel):
            parse_compact(wrong)


def test_a_label_is_read_from_its_text() -> None:
    for label in (PUBLIC, parse_compact("confidential sides=buy issuers=acme,initech")):
        assert loads(label.canonical()) == loads(label.canonical().decode()) == label


MALFORMED_TEXT: list[str | bytes] = [
    "",
    "null",
    "{}",
    '{"sensitivity":"public"',
    '{"sensitivity":"restricted","sensitivity":"public"}',
    '{"sensitivity":"public","sides":["buy"],"sides":[]}',
    '{"sensitivity":"public","sides":[{"a":1,"a":2}]}',
    '{"sensitivity":"public","\\u0073ides":["buy"],"sides":[]}',
    '{"sensitivity":NaN}',
    '{"sensitivity":"public","sides":[Infinity]}',
    '{"sensitivity":"public","sides":["b\\u0000uy"]}',
    '{"sensitivity":"public","sides":["b\u0443y"]}',
    '{"sensitivity":"public","sides":["ｂuy"]}',
    '{"sensitivity":"publıc"}',
    '{"sensitivity":"public","sıdes":["buy"]}',
    '{"sensitivity":"public","sides":["\\ud800"]}',
    "\ufeff" + '{"sensitivity":"public"}',
    '{"sensitivity":"public"} {"sensitivity":"public"}',
    '{"sensitivity":"public","sides":' + "[" * 100_000 + "]" * 100_000 + "}",
    '{"sensitivity":"public","ndas":[' + '"a",' * 400_000 + '"a"]}',
    b'{"sensitivity":"public\xff"}',
    b"\x00" + b'{"sensitivity":"public"}',
    '{"sensitivity":"public"}'.encode("utf-16"),
]


@pytest.mark.parametrize("text", MALFORMED_TEXT, ids=range(len(MALFORMED_TEXT)))
def test_malformed_text_is_refused(text: str | bytes) -> None:
    with pytest.raises(MalformedLabel):
        loads(text)


@given(LABELS, st.data())
def test_damaged_text_is_refused_or_says_what_every_reader_takes_it_for(
    label: Label, data: st.DataObject
) -> None:
    """Whatever bytes are cut, doubled or changed: no reader of labels takes them for more."""
    damaged = bytearray(label.canonical())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(damaged)))
        end = data.draw(st.integers(at, len(damaged)))
        piece = data.draw(
            st.sampled_from([b"", b'"', b"{", b"}", b"\x00", b"\xff", bytes(damaged[at:end])])
            | st.binary(max_size=3)
        )
        damaged[at:end] = piece + piece
    try:
        read = loads(bytes(damaged))
    except MalformedLabel:
        return
    keys: list[str] = []
    obj = json.loads(
        damaged, object_pairs_hook=lambda pairs: keys.extend(k for k, _ in pairs) or dict(pairs)
    )
    assert parse(obj) == read
    assert len(keys) == len(set(keys))


@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            [
                "internal",
                "public",
                "sides=buy",
                "sides=",
                "=a",
                "ndas=n1,n0",
                "issuers=a,a",
                "x=1",
                "ſides=a",
            ]
        ),
        max_size=4,
    ).map(" ".join)
)
def test_any_line_is_a_label_or_is_refused(line: str) -> None:
    try:
        label = parse_compact(line)
    except MalformedLabel:
        return
    assert parse(label.as_json()) == label
