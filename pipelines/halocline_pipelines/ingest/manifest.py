"""`halocline.yaml`: what the owner of some files declares about them. No label, no flow.

What is missing is asked for with a file that is ready to edit; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import yaml

from halocline_governance import strict_yaml
from halocline_governance.errors import MalformedLabel, NoCompartment, Refused
from halocline_governance.label import AXES, Label, parse, parse_compact

NAME = "halocline.yaml"
_KEYS = ("source", "licence", "label", "text", "id", "crossing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What was declared, by the file or by the caller; None is not declared.

    Args:
        source: the source's name.
        licence: an SPDX expression or a licence's usual name.
        label: as in `confidential sides=buy`.
        text: the column of a table that holds the text.
        id: the column that names a row; row numbers do when it is left out.
        crossing: the open crossing whose compartment is to hold what spans its walls.
    """

    source: str | None = None
    licence: str | None = None
    label: str | None = None
    text: str | None = None
    id: str | None = None
    crossing: str | None = None

    def over(self, other: Declared) -> Declared:
        """This, and what it leaves open from `other`."""
        said = {key: value for key, value in asdict(self).items() if value is not None}
        return replace(other, **said)


def beside(path: Path) -> Declared:
    """What the `halocline.yaml` in this folder, or beside this file, declares.

    Raises:
        Refused: a file that cannot be understood.
    """
    manifest = (path if path.is_dir() else path.parent) / NAME
    if not manifest.is_file():
        return Declared()
    try:
        content = strict_yaml.loads(manifest.read_bytes())
    except ValueError as error:
        raise Refused(f"{manifest}: {error}") from None
    if not isinstance(content, Mapping):
        raise Refused(f"{manifest} must hold keys: {', '.join(_KEYS)}")
    return _declared(manifest, cast("Mapping[object, object]", content))


def complete(path: Path, declared: Declared, columns: Sequence[str]) -> tuple[Declared, Label]:
    """All that ingest needs, or a refusal that holds a file to edit.

    Args:
        path: what is to be ingested.
        declared: what is known.
        columns: the columns of its tables; empty when there is none.
    """
    needed = ["licence", "label", *(["text"] if columns else [])]
    missing = [name for name in needed if getattr(declared, name) is None]
    if missing:
        raise Refused(_asked(path, declared, columns, f"{', '.join(missing)} not declared"))
    if columns and declared.text not in columns:
        raise Refused(_asked(path, declared, columns, f"no column {declared.text}"))
    try:
        label = parse_compact(declared.label or "")
    except MalformedLabel as error:
        raise Refused(_asked(path, declared, columns, f"label: {error}")) from None
    if not declared.crossing:
        _check_place(path, declared, columns, label)
    return declared.over(Declared(source=f"file:{path.stem}")), label


def _check_place(path: Path, declared: Declared, columns: Sequence[str], label: Label) -> None:
    try:
        _ = label.compartment
    except NoCompartment as error:
        # A tenant without its side lies nowhere, whatever is crossed.
        open_ = declared.over(Declared(crossing="")) if label.sides else declared
        raise Refused(_asked(path, open_, columns, f"label: {error}")) from None


def _declared(manifest: Path, content: Mapping[object, object]) -> Declared:
    if unknown := {str(key) for key in content} - set(_KEYS):
        raise Refused(f"{manifest}: unknown key {', '.join(sorted(unknown))}; known: {_KEYS}")
    fields: dict[str, Any] = {str(key): value for key, value in content.items()}
    if isinstance(fields.get("label"), Mapping):
        fields["label"] = _compact(manifest, fields["label"])
    for key, value in fields.items():
        if value is not None and not isinstance(value, str):
            raise Refused(f"{manifest}: {key} must be text; put it in quotes")
    return Declared(**fields)


def _compact(manifest: Path, label: object) -> str:
    try:
        fields = parse(label).as_json()
    except MalformedLabel as error:
        raise Refused(f"{manifest}: label: {error}") from None
    members = {axis: ",".join(fields[axis]) for axis in AXES}
    axes = [f"{axis}={names}" for axis, names in members.items() if names]
    return " ".join([fields["sensitivity"], *axes])


def _asked(path: Path, declared: Declared, columns: Sequence[str], why: str) -> str:
    """The refusal: what is missing, and a file that has everything that is known."""
    where = (path if path.is_dir() else path.parent) / NAME
    lines = [
        f"{path}: {why}. Save this as {where}, edit it, and run the command again:",
        "",
        f"source: {_quoted(declared.source or f'file:{path.stem}')}",
        f"licence: {_quoted(declared.licence or '')}  # an SPDX expression, or LicenseRef-Internal",
        f"label: {_quoted(declared.label or '')}  # e.g. public; internal; confidential sides=buy",
    ]
    if declared.crossing is not None:
        known = _quoted(declared.crossing)
        lines.append(f"crossing: {known}  # one that is open over all these sides and tenants")
    if columns:
        named = declared.text if declared.text in columns else ""
        lines += [
            f"text: {_quoted(named or '')}  # one of: {', '.join(columns)}",
            f"id: {_quoted(declared.id or '')}  # a column that names each row, or leave it out",
        ]
    return "\n".join(lines)


def _quoted(value: str) -> str:
    return yaml.safe_dump(value, default_style='"', width=10_000).strip()
