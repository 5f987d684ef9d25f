"""The READMEs of what is installed, with the licences they declare."""

from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

import importlib_metadata

from halocline_governance.label import PUBLIC
from halocline_pipelines.ingest.packages import packages


def installed(folder: Path, *metadata: str) -> list[PathDistribution]:
    found: list[PathDistribution] = []
    for number, text in enumerate(metadata):
        path = folder / f"d{number}.dist-info"
        path.mkdir()
        (path / "METADATA").write_text(text, encoding="utf-8")
        found.append(PathDistribution(path))
    return found


def test_this_environment_has_real_text_under_real_licences() -> None:
    sources = packages()
    licences = {source.name: source.licence for source in sources}
    assert len(sources) > 20
    assert licences["pypi:pytest"] == "MIT"
    assert licences["pypi:cryptography"] == "Apache-2.0 OR BSD-3-Clause"
    assert "pypi:halocline" not in licences
    for source in sources:
        assert source.label == PUBLIC
        assert all(document.text for document in source.documents())


def test_readme_is_the_body_or_the_old_header(tmp_path: Path) -> None:
    body = "Metadata-Version: 2.1\nName: A.b_c\nVersion: 1\nLicense: MIT\n\nHello,\n\n  body.\n"
    header = "Metadata-Version: 1.1\nName: old\nVersion: 2\nDescription: Hello\n        header.\n"
    empty = "Metadata-Version: 2.1\nName: silent\nVersion: 3\n\n"
    found = installed(tmp_path, body, header, empty, body)
    sources = packages(lambda: found)
    assert [source.name for source in sources] == ["pypi:a-b-c", "pypi:old"]
    (document,) = sources[0].documents()
    assert (document.external_id, document.text) == ("a-b-c==1", "Hello,\n\n  body.")
    (document,) = sources[1].documents()
    assert document.text is not None
    assert document.text.startswith("Hello")
    assert sources[1].licence == "LicenseRef-unknown"


def test_the_backport_reads_alike() -> None:
    """Once imported, importlib.metadata gives its objects, which raise on missing keys."""
    module: Any = importlib_metadata
    backport = module.distributions
    told = [(source.name, source.licence) for source in packages(backport)]
    assert told == [(source.name, source.licence) for source in packages()]
