"""`lake.yaml`: what is not exactly as documented is refused, and no secret is ever shown."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from halocline_governance.errors import Refused, StorageUnavailable
from halocline_governance.lake import Lake
from halocline_governance.lake.places import read

TABLE = "curated.documents"
KEY, SECRET, SESSION = "AKIAEXAMPLE", "wJalrXUtnFEMIexample", "a-session"


def good(name: str = "buy") -> dict[str, Any]:
    return {
        "place": f"s3://halocline-{name}/lake/one",
        "endpoint": "https://s3.example.com:8333",
        "region": "eu-central-1",
        "credential": f"{name}.credential",
    }


def write(home: Path, text: str) -> Path:
    path = home / "lake.yaml"
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def written(home: Path, **compartments: object) -> Path:
    return write(home, json.dumps({"compartments": compartments}))


def grant(home: Path, name: str, text: str = "") -> Path:
    path = home / f"{name}.credential"
    path.touch(mode=0o600)
    path.write_text(text or f"access_key_id: {KEY}\nsecret_access_key: {SECRET}\n")
    return path


def test_a_home_without_the_file_is_local(tmp_path: Path) -> None:
    assert Lake.at(tmp_path) == Lake(tmp_path / "lake")
    assert read(tmp_path / "lake.yaml") == {}


def test_a_place_is_where_its_tables_lie(tmp_path: Path) -> None:
    written(tmp_path, buy=good("buy"), sell=good("sell"))
    grant(tmp_path, "buy", f"access_key_id: {KEY}\nsecret_access_key: {SECRET}\n"
          f"session_token: {SESSION}\n")  # fmt: skip
    lake = Lake.at(tmp_path)
    place = lake.location("buy", TABLE)

    assert lake.compartments() == ["buy"]
    assert place.uri == "s3://halocline-buy/lake/one/curated/documents"
    assert place.spark_uri == "s3a://halocline-buy/lake/one/curated/documents"
    assert place.storage_options["AWS_SECRET_ACCESS_KEY"] == SECRET
    assert place.storage_options["AWS_SESSION_TOKEN"] == SESSION
    assert place.storage_options["AWS_ALLOW_HTTP"] == "false"
    assert {name.split(".")[3] for name in place.spark_options} == {"halocline-buy"}


def test_no_repr_shows_a_secret(tmp_path: Path) -> None:
    written(tmp_path, buy=good())
    grant(tmp_path, "buy")
    lake = Lake.at(tmp_path)
    place = lake.location("buy", TABLE)
    (known,) = read(tmp_path / "lake.yaml").values()

    shown = f"{lake!r} {place!r} {place} {known!r} {known.credential()!r} {lake.remote!r}"
    assert SECRET not in shown
    assert KEY not in shown


def test_a_lake_is_copied_and_pickled_without_its_connections(tmp_path: Path) -> None:
    written(tmp_path, buy=good())
    grant(tmp_path, "buy")
    lake = Lake.at(tmp_path)

    for twin in (copy.deepcopy(lake), pickle.loads(pickle.dumps(lake))):
        assert twin.location("buy", TABLE) == lake.location("buy", TABLE)
    assert SECRET.encode() not in pickle.dumps(lake)


@pytest.mark.parametrize(
    "change",
    [
        {"place": "https://halocline-buy/lake"},
        {"place": "s3://"},
        {"place": "s3://UPPER/lake"},
        {"place": "s3://a.bucket/lake"},
        {"place": "s3://bucket/../other"},
        {"place": "s3://bucket/a//b"},
        {"place": "s3://user:word@bucket/lake"},
        {"place": "s3://bucket/lake?x=1"},
        {"place": 5},
        {"endpoint": "http://s3.example.com"},
        {"endpoint": "http://127.0.0.1.example.com"},
        {"endpoint": "https://key:secret@s3.example.com"},
        {"endpoint": "https://s3.example.com/path"},
        {"endpoint": "https://s3.example.com?x"},
        {"endpoint": "https://s3.example.com:0"},
        {"endpoint": "https://s3.example.com:abc"},
        {"endpoint": "ftp://s3.example.com"},
        {"endpoint": "https://"},
        {"region": "eu central"},
        {"region": ""},
        {"credential": None},
        {"secret_access_key": SECRET},
        {"verify": False},
    ],
)
def test_anything_else_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    written(tmp_path, buy={**good(), **change})

    with pytest.raises(Refused) as told:
        Lake.at(tmp_path)
    assert SECRET not in str(told.value)


@pytest.mark.parametrize("missing", ["place", "region", "credential"])
def test_nothing_is_guessed(tmp_path: Path, missing: str) -> None:
    written(tmp_path, buy={name: value for name, value in good().items() if name != missing})

    with pytest.raises(Refused):
        Lake.at(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "compartments: 5", "compartment: {}", "compartments: {buy: 5}", "{", "\x00",
        "compartments: {}\ncompartments: {}",
        f"compartments:\n  buy: {json.dumps(good())}\n  buy: {json.dumps(good('sell'))}",
        "compartments: !!python/object/apply:os.system [true]",
        "compartments: &a {buy: *a}", "? [a]\n: b", "? {a: b}\n: c", "<<: {compartments: {}}",
        "[" * 20_000, "compartments: {<<: 5}",
        f"compartments: {{'../x': {json.dumps(good())}}}",
        f"compartments: {{Buy: {json.dumps(good())}}}",
        f"compartments: {{buy: {json.dumps(good())}, sell: {json.dumps(good())}}}",
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)

    with pytest.raises(Refused):
        Lake.at(tmp_path)


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o644])
def test_files_that_others_may_read_are_refused(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path, buy=good())
    credential = grant(tmp_path, "buy")
    lake = Lake.at(tmp_path)
    credential.chmod(mode)
    with pytest.raises(Refused, match="chmod 600"):
        lake.location("buy", TABLE)
    path.chmod(mode)
    with pytest.raises(Refused, match="chmod 600"):
        Lake.at(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "access_key_id: a", "secret_access_key: b", "access_key_id: a\nsecret_access_key:",
        f"access_key_id: a\nsecret_access_key: {SECRET}\nprofile: c",
        "access_key_id: a\nsecret_access_key: 5",
        f"secret_access_key: {SECRET}\naccess_key_id: [", "- a", f"{SECRET}",
    ],
)  # fmt: skip
def test_a_credential_that_is_none_is_refused_without_being_quoted(
    tmp_path: Path, text: str
) -> None:
    written(tmp_path, buy=good())
    grant(tmp_path, "buy", text)

    with pytest.raises(Refused) as told:
        Lake.at(tmp_path).location("buy", TABLE)
    assert SECRET not in str(told.value)
    assert told.value.__cause__ is None


def test_a_compartment_in_a_bucket_is_never_a_folder(tmp_path: Path) -> None:
    """Nor does a folder of its name, left from before, come back without the credential."""
    old = Lake(tmp_path / "lake")
    old.path("buy", TABLE).joinpath("_delta_log").mkdir(parents=True)
    written(tmp_path, buy=good())
    lake = Lake.at(tmp_path)

    assert old.exists("buy", TABLE)
    assert lake.compartments() == []
    assert not lake.exists("buy", TABLE)
    assert lake.location("buy", TABLE).uri != str(old.path("buy", TABLE))
    for act in (lambda: lake.path("buy", TABLE), lambda: lake.lease("buy", TABLE).__enter__()):
        with pytest.raises(Refused):
            act()


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    written(tmp_path, buy={**good(), "endpoint": "http://127.0.0.1:9"})
    grant(tmp_path, "buy")
    lake = Lake.at(tmp_path)

    acts: list[Callable[[], object]] = [
        lambda: lake.exists("buy", TABLE),
        lambda: lake.version("buy", TABLE),
        lambda: lake.labels("buy"),
        lambda: lake.lease("buy", TABLE).__enter__(),
    ]
    for act in acts:
        with pytest.raises(StorageUnavailable, match="compartment buy does not answer"):
            act()
