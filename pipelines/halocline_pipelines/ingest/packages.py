"""The READMEs of the installed distributions: real text with real licences on every machine.

A source per distribution, labelled public, with the licence its metadata declares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distributions
from typing import Any

from halocline_governance.label import PUBLIC
from halocline_pipelines.ingest.licence import declared
from halocline_pipelines.ingest.source import Document, Source


def packages(
    installed: Callable[[], Iterable[Distribution]] = distributions,
    skip: Iterable[str] = ("halocline",),
) -> list[Source]:
    """A source `pypi:<name>` for each installed distribution that has a description."""
    skipped = {_normal(name) for name in skip}
    sources: dict[str, Source] = {}
    for distribution in installed():
        name = _name(distribution)
        if name and name not in skipped and name not in sources and _readme(distribution):
            sources[name] = _source(name, distribution)
    return [sources[name] for name in sorted(sources)]


def _source(name: str, distribution: Distribution) -> Source:
    def documents() -> Iterator[Document]:
        yield Document(f"{name}=={distribution.version}", _readme(distribution))

    # `get`, because the backport of importlib.metadata, once imported by somebody, raises on [].
    metadata: Any = distribution.metadata
    licence = declared(
        metadata.get("License-Expression"),
        metadata.get_all("Classifier") or [],
        metadata.get("License"),
    )
    return Source(f"pypi:{name}", licence.expression, PUBLIC, documents)


def _name(distribution: Distribution) -> str | None:
    try:
        metadata: Any = distribution.metadata
        name: str | None = metadata.get("Name")
    except PackageNotFoundError:
        return None
    return _normal(name) if name else None


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _readme(distribution: Distribution) -> str:
    """The long description: the metadata's body, or the older header of that name."""
    metadata = distribution.metadata
    body = metadata.json.get("description") or ""
    return body.strip() if isinstance(body, str) else ""
