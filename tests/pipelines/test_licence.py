"""A declared licence becomes choices, and nothing that is not understood becomes acceptable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_pipelines.ingest.licence import UNKNOWN, declared, parse

IDS = ["MIT", "Apache-2.0", "BSD-3-Clause", "GPL-3.0-only", "ISC"]


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("MIT", [["MIT"]]),
        ("mit", [["MIT"]]),
        ("MIT License", [["MIT"]]),
        ("Apache License, Version 2.0", [["Apache-2.0"]]),
        ("Apache 2.0", [["Apache-2.0"]]),
        ("3-Clause BSD License", [["BSD-3-Clause"]]),
        ("BSD", [["BSD-2-Clause", "BSD-3-Clause"]]),
        ("GPL v3", [["GPL-3.0-only"]]),
        ("MIT OR Apache-2.0", [["MIT"], ["Apache-2.0"]]),
        ("MIT AND Apache-2.0", [["Apache-2.0", "MIT"]]),
        ("MIT OR Apache-2.0 AND ISC", [["MIT"], ["Apache-2.0", "ISC"]]),
        ("(MIT OR Apache-2.0) AND ISC", [["ISC", "MIT"], ["Apache-2.0", "ISC"]]),
        (
            "GPL-2.0-only WITH Classpath-exception-2.0",
            [["GPL-2.0-only WITH Classpath-exception-2.0"]],
        ),
        ("LicenseRef-NDA-acme", [["LicenseRef-NDA-acme"]]),
        ("", [[UNKNOWN]]),
        (None, [[UNKNOWN]]),
        ("do what you like", [[UNKNOWN]]),
        ("MIT OR something of ours", [[UNKNOWN]]),
        ("MIT License, but not on Sundays", [[UNKNOWN]]),
        ("(" * 300 + "MIT" + ")" * 300, [[UNKNOWN]]),
        (" AND ".join(["(MIT OR ISC)"] * 40), [[UNKNOWN]]),
    ],
)
def test_texts(text: str | None, choices: list[list[str]]) -> None:
    assert [list(choice) for choice in parse(text).choices] == choices


MIT = "License :: OSI Approved :: MIT License"
APACHE = "License :: OSI Approved :: Apache Software License"
BSD = "License :: OSI Approved :: BSD License"
LGPL = "License :: OSI Approved :: GNU Lesser General Public License v2 or later (LGPLv2+)"


@pytest.mark.parametrize(
    ("expression", "classifiers", "text", "choices"),
    [
        ("MIT OR Apache-2.0", [MIT], "BSD", [["MIT"], ["Apache-2.0"]]),
        (None, [MIT], None, [["MIT"]]),
        (None, [], "MIT", [["MIT"]]),
        (None, [BSD], "BSD-3-Clause", [["BSD-3-Clause"]]),
        (None, [LGPL], "LGPL", [["LGPL-2.0-or-later"]]),
        (None, [MIT, APACHE], "Dual License", [["MIT", "Apache-2.0"]]),
        (None, [MIT, APACHE], "MIT", [["MIT", "Apache-2.0"]]),
        (None, [MIT, APACHE], "MIT OR Apache-2.0", [["MIT"], ["Apache-2.0"]]),
        (None, ["License :: OSI Approved"], None, [[UNKNOWN]]),
        (None, ["License :: Other/Proprietary License"], None, [[UNKNOWN]]),
        (None, [], None, [[UNKNOWN]]),
        ("nonsense", [MIT], "MIT", [[UNKNOWN]]),
    ],
)
def test_metadata(
    expression: str | None, classifiers: list[str], text: str | None, choices: list[list[str]]
) -> None:
    found = declared(expression, classifiers, text)
    assert [list(choice) for choice in found.choices] == choices
    assert parse(found.expression).choices == tuple(tuple(sorted(one)) for one in found.choices)


expressions = st.recursive(
    st.sampled_from(IDS),
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["AND", "OR"]), inner),
    max_leaves=6,
)


@given(expressions, st.sets(st.sampled_from(IDS)))
def test_choices_mean_what_the_expression_means(expression: str, accepted: set[str]) -> None:
    truth = expression.replace("AND", "and").replace("OR", "or")
    for name in sorted(IDS, key=len, reverse=True):
        truth = truth.replace(name, str(name in accepted))
    meant = eval(truth)
    assert meant == any(set(choice) <= accepted for choice in parse(expression).choices)


@given(st.text(max_size=60))
def test_any_text_is_a_licence_or_unknown(text: str) -> None:
    assert all(parse(text).choices)
