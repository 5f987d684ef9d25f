"""`halocline policy` for those who write policies: test, lint, coverage, new, build, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from halocline_infra.commands.options import JsonFlag, print_json, print_table, show

Folder = Annotated[Path | None, typer.Argument(help="Folder of policies; the built-in ones else.")]


def run_tests(
    folder: Folder = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name every test.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Run the policies' own tests with OPA. Exits with 1 when one fails.

    Example:

        halocline policy test --verbose
    """
    from halocline_governance.policy.coverage import run
    from halocline_infra.environment import from_env

    tests = run(from_env().opa, folder)
    failed = [one for one in tests if not one.passed]
    if as_json:
        told = [{"test": f"{t.package}.{t.name}", "passed": t.passed} for t in tests]
        print_json({"passed": len(tests) - len(failed), "failed": len(failed), "tests": told})
    else:
        rows = [
            (
                one.package.removeprefix("data.halocline."),
                one.name,
                "passed" if one.passed else "FAILED",
                f"{one.duration_s * 1000:.1f} ms",
            )
            for one in (tests if verbose else failed)
        ]
        if rows:
            print_table("Policy tests", ("package", "test", "result", "time"), rows)
        typer.echo(f"{len(tests) - len(failed)} passed, {len(failed)} failed")
    if failed or not tests:
        raise typer.Exit(1)


def lint(folder: Folder = None, as_json: JsonFlag = False) -> None:
    """Find what policies may not say, in the text and as OPA reads it. Exits with 1 on a finding.

    Example:

        halocline policy lint
    """
    from dataclasses import asdict

    from halocline_governance.policy.bundle import POLICIES
    from halocline_governance.policy.syntax import lint as lint_folder
    from halocline_infra.environment import from_env

    found = lint_folder(from_env().opa, folder or POLICIES)
    if as_json:
        print_json([asdict(finding) for finding in found])
    else:
        for finding in found:
            typer.echo(str(finding))
        typer.echo(f"{len(found)} findings" if found else "nothing found")
    if found:
        raise typer.Exit(1)


def coverage(
    folder: Folder = None,
    least: Annotated[
        float, typer.Option("--min", min=0, max=100, help="Percent that each file must reach.")
    ] = 95,
    as_json: JsonFlag = False,
) -> None:
    """Measure how many lines of each policy its tests evaluate. Exits with 1 below the least.

    Example:

        halocline policy coverage --min 95
    """
    from halocline_governance.policy.coverage import measure, total
    from halocline_infra.environment import from_env

    files = measure(from_env().opa, folder)
    overall = total(files)
    if as_json:
        told = [file.as_json() for file in files]
        print_json({"percent": round(overall, 2), "least": least, "files": told})
    else:
        rows = [
            (file.file, f"{file.percent:.1f} %", ", ".join(map(str, file.missed)) or "-")
            for file in files
        ]
        print_table("Policy coverage", ("file", "lines", "missed"), rows)
        typer.echo(f"{overall:.1f} % overall; each file needs {least:g} %")
    if overall < least or any(file.percent < least for file in files):
        raise typer.Exit(1)


def new(
    name: Annotated[str, typer.Argument(help="The policy's name: lower-case letters and _.")],
    folder: Annotated[Path, typer.Argument(help="Folder that gets NAME/.", metavar="DIR")],
    as_json: JsonFlag = False,
) -> None:
    """Write a new policy with test, data and page. It denies everything until told otherwise.

    Example:

        halocline policy new export policies
    """
    from halocline_governance.policy.scaffold import create, next_steps

    paths = create(name, folder)
    if as_json:
        print_json({"files": [str(path) for path in paths], "next": next_steps(name, folder)})
        return
    for path in paths:
        typer.echo(f"wrote {path}")
    for number, step in enumerate(next_steps(name, folder), 1):
        typer.echo(f"{number}. {step}")


def build(
    to: Annotated[Path, typer.Option("--to", help="The bundle file to write.", metavar="FILE")],
    folder: Folder = None,
    key: Annotated[
        Path | None, typer.Option(help="Private P-256 key; keys/policy.key, made if missing.")
    ] = None,
    epoch: Annotated[
        int | None, typer.Option(min=1, help="One more than the highest seen here by default.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Pack policies, data and the firm's facts into one signed file, for OPA and for ourselves.

    Example:

        halocline policy build --to bundle.tar.gz
    """
    from halocline_governance import keys
    from halocline_governance.errors import Refused
    from halocline_governance.policy import signing
    from halocline_governance.policy.archive import describe, pack, unpack
    from halocline_governance.policy.bundle import POLICIES, collect
    from halocline_governance.policy.epoch import highest
    from halocline_infra.environment import from_env
    from halocline_infra.platform import Platform

    environment = from_env()
    with Platform(environment) as platform:
        bundle = collect(platform.firm.facts(), folder or POLICIES)
    if to.exists() and not to.is_file():
        raise Refused(f"{to} is there and no file; give the file to write")
    if key is not None and not key.is_file():
        raise Refused(f"no key file {key}")
    private = keys.p256(key or environment.keys / "policy.key")
    public = environment.keys / "policy.pub"
    if key is None and not public.exists():
        public.write_bytes(signing.pem(private.public_key()))
    content = pack(bundle, epoch or highest(environment.policy_epoch)[0] + 1, private)
    told = describe(unpack(content, private.public_key()))
    draft = to.with_name(f".{to.name}.draft")
    try:
        draft.write_bytes(content)
        draft.replace(to)
    except OSError as error:
        raise Refused(f"{to} cannot be written: {error.strerror}") from None
    show({"bundle": str(to), **told}, as_json=as_json, title="Policy bundle")


def verify(
    bundle: Annotated[Path, typer.Argument(help="What `build` wrote.", metavar="FILE")],
    key: Annotated[
        Path | None, typer.Option(help="Public key; HALOCLINE_POLICY_KEY or keys/policy.pub else.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check a bundle's signature, content and epoch. Exits with 1 when it would be refused.

    Example:

        halocline policy verify bundle.tar.gz --key policy.pub
    """
    from halocline_governance.policy import epoch, signing
    from halocline_governance.policy.archive import describe, load
    from halocline_infra.environment import from_env

    environment = from_env()
    archive = load(bundle, signing.public_key(key or environment.policy_key))
    epoch.check(environment.policy_epoch, archive.epoch, archive.bundle.revision)
    show(describe(archive), as_json=as_json, title="Policy bundle")
