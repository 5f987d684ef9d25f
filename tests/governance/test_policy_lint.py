"""Evil policies, each refused by name, and by two readers that know nothing of each other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from halocline_governance.errors import Refused
from halocline_governance.policy.bundle import POLICIES
from halocline_governance.policy.lint import RULES, check, findings
from halocline_governance.policy.syntax import lint, parsed_findings

HEAD = """\
# METADATA
# title: Read gate
package halocline.read

import data.halocline.proof
"""
DECISION = """
# METADATA
# title: Decision
# entrypoint: true
default decision := {"allow": false, "reasons": ["nothing could be proven"], "obligations": {}}
"""
GOOD = f"""{HEAD}{DECISION}
decision := proof.allowed({{"ids": sort([id | some id in _readable])}}) if _fine(input.resource)

# trace("a comment is no call"), with the word import
_fine(thing) if {{
	count(thing.names) > 0
	every name in thing.names {{ proof.text(name) }}
	not thing.name == `http.send({{}}) with $`
}}

_readable contains id if {{
	some id, thing in input.resource.labels
	proof.cleared(thing)
}}
"""


def body(text: str) -> str:
    return f"{HEAD}{DECISION}\n{text}\n"


# By name: the rule that must refuse it, and the policy.
EVIL: dict[str, tuple[str, str]] = {
    "asks the network": ("builtin", body("x := http.send({}).status_code")),
    "reads the environment": ("builtin", body("x := opa.runtime().env.HOME")),
    "reads it by an index": ("builtin", body('x := opa["runtime"]().env')),
    "reads it by a raw index": ("builtin", body("x := opa[`runtime`]().env")),
    "parses policies": ("builtin", body('x := rego.parse_module("a", "b")')),
    "reads its own metadata": ("builtin", body("x := rego.metadata.rule()")),
    "looks names up": ("builtin", body('x := net.lookup_ip_addr("a")')),
    "matches networks": ("builtin", body('x := net.cidr_contains("a", input.b)')),
    "reads the clock": ("builtin", body("x := time.now_ns()")),
    "rolls dice": ("builtin", body('x := rand.intn("a", 2)')),
    "makes ids": ("builtin", body('x := uuid.rfc4122("a")')),
    "traces": ("builtin", body('x if trace("a")')),
    "prints": ("builtin", body("x if print(input)")),
    "decodes tokens": ("builtin", body("x := io.jwt.decode(input.t)")),
    "walks": ("builtin", body("x if walk(input, [p, v])")),
    "hides a call in a head": ("builtin", body("f(x) := time.now_ns() if x")),
    "hides a call in an index": ("builtin", body("x := input.a[time.now_ns()]")),
    "hides a call in a key": ("builtin", body('x := {sprintf("%v", [1]): 1}')),
    "hides a call in an else": ("builtin", body("x := 1 if input.a else := time.now_ns()")),
    "hides a call in a comprehension": ("builtin", body("x := [y | y := time.now_ns()]")),
    "hides a call behind not": ("builtin", body("x if not time.now_ns()")),
    "calls past its imports": ("builtin", body("x := data.halocline.label.join([])")),
    "calls what it did not import": ("builtin", body("x := label.join([])")),
    "calls a rule of a package by index": (
        "builtin",
        body('x := data.halocline["label"].join([])'),
    ),
    "calls with a space": ("builtin", body("x := opa .runtime()")),
    "calls over two lines": ("builtin", body("x := opa.\n\truntime()")),
    "hides a call in a template": ("template", body('x := $"{time.now_ns()}"')),
    "hides a call in a raw template": ("template", body("x := $`{time.now_ns()}`")),
    "names a rule like a built-in": ("shadow", body("count(x) := 1 if x")),
    "imports a foreign package": ("import", f"import data.other\n{body('')}"),
    "imports the input": ("import", body("").replace("import data", "import input.x\nimport data")),
    "imports by another name": (
        "import",
        body("").replace("halocline.proof", "halocline.proof as http"),
    ),
    "imports all of us": ("import", body("").replace(".proof", "")),
    "imports a part of a policy": ("import", body("").replace(".proof", ".proof.needs")),
    "imports the future": (
        "import",
        body("").replace("import data", "import future.keywords\nimport data"),
    ),
    "imports the firm's facts": ("import", body("").replace("halocline.proof", "firm")),
    "replaces data": ("with", body("x if proof.asked with data.firm as {}")),
    "replaces the input": ("with", body("x if proof.asked with input as {}")),
    "replaces a built-in": ("with", body("x if count(input.a) == 1 with count as 1")),
    "silences the log": ("package", body("").replace("halocline.read", "system.log")),
    "lets everybody at the server": ("package", body("").replace("halocline.read", "system.authz")),
    "speaks for another gate": ("package", body("").replace("halocline.read", "halocline.serve")),
    "speaks for a part": ("package", body("").replace("halocline.read", "halocline.read.x")),
    "spells its package oddly": (
        "package",
        body("").replace("halocline.read", 'halocline["read", "x"]'),
    ),
    "allows by default": ("default-allow", body("default allow := true")),
    "allows by default, spelled =": ("default-allow", body("default allow = true")),
    "allows by default in a function": ("default-allow", body("default f(_) := true")),
    "decides without a default": ("default-deny", f'{HEAD}\ndecision := {{"allow": false}}\n'),
    "decides yes by default": (
        "default-deny",
        body("").replace('"allow": false', '"allow": true'),
    ),
    "decides by a default that is no object": (
        "default-deny",
        f"{HEAD}{DECISION.split('default')[0]}default decision := false\n",
    ),
    "tells nothing of itself": (
        "metadata",
        body("").removeprefix("# METADATA\n# title: Read gate"),
    ),
    "tells nothing of its decision": (
        "metadata",
        f'{HEAD}\ndefault decision := {{"allow": false, "reasons": [], "obligations": {{}}}}\n',
    ),
    "names no entry point": ("metadata", body("").replace("# entrypoint: true\n", "")),
    "negates in every": ("every", body("x if every n in input.a { not n in input.b }")),
    "loops in every": ("every", body("x if every n in input.a { every m in n { m } }")),
    "collects in every": (
        "every",
        body("x if every n in input.a { count([m | some m in n]) == 1 }"),
    ),
    "searches in every": (
        "every",
        body("x if every n in input.a {\n\tsome m in input.b\n\tm == n\n}"),
    ),
    "collects an index": ("comprehension", body("f(x) := [x[k] | some k in input.a]")),
    "collects a field": ("comprehension", body("f(x) := {x.y | some k in input.a}")),
    "collects an object": ("comprehension", body("f(x) := {k: 1 | some k in input.a}")),
    "collects a call": ("comprehension", body("x := [lower(k) | some k in input.a]")),
    "hides behind a carriage return": ("text", body("# a\rx := time.now_ns()")),
    "hides behind a NUL": ("text", body("# a\0b")),
    "hides behind an escape": ("text", body("# a\x1b[2Kb")),
    "begins with a byte order mark": ("text", "\ufeff" + body("")),
    "turns the text round": ("text", body("# a\u202eb")),
}


def test_what_policies_need_is_taken_by_both(opa: Path) -> None:
    check("read/read.rego", GOOD)
    assert list(findings("read/read.rego", GOOD)) == []
    assert list(parsed_findings(opa, "read/read.rego", GOOD)) == []


@pytest.mark.parametrize("name", EVIL)
def test_an_evil_policy_is_refused_when_it_is_loaded(name: str) -> None:
    rule, source = EVIL[name]

    assert rule in {finding.rule for finding in findings("read/read.rego", source)}
    with pytest.raises(Refused, match=r"read/read.rego:\d+: \["):
        check("read/read.rego", source)


@pytest.mark.parametrize("name", EVIL)
def test_an_evil_policy_is_refused_as_opa_reads_it(name: str, opa: Path) -> None:
    """What OPA cannot even parse is refused as that."""
    rule, source = EVIL[name]

    assert {rule, "parse"} & {one.rule for one in parsed_findings(opa, "read/read.rego", source)}


def test_every_rule_has_its_evil() -> None:
    assert {rule for rule, _ in EVIL.values()} == RULES.keys() - {"parse"}


def test_a_finding_names_its_line(opa: Path) -> None:
    source = GOOD + "\nx := time.now_ns()\n"
    line = source.count("\n")
    for found in (
        findings("read/read.rego", source),
        parsed_findings(opa, "read/read.rego", source),
    ):
        (finding,) = found
        assert (finding.line, finding.rule) == (line, "builtin")
        assert str(finding).startswith(f"read/read.rego:{line}: [builtin] time.now_ns: ")


def test_our_own_policies_pass(opa: Path) -> None:
    assert lint(opa, POLICIES) == []


def test_a_folder_is_linted_whole(opa: Path, tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    shutil.copytree(POLICIES, policies)
    path = policies / "serve" / "serve.rego"
    path.write_text(path.read_text() + "\nx := time.now_ns()\n")
    (policies / "read" / "read_test.rego").write_text("package system.log\n")

    assert [(one.path, one.rule) for one in lint(opa, policies)] == [
        ("serve/serve.rego", "builtin")
    ]
    with pytest.raises(Refused, match="no policy"):
        lint(opa, tmp_path / "policies" / "read")
    with pytest.raises(Refused, match="OPA is not installed"):
        lint(None, policies)
