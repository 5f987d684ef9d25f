"""The tools people use, on what the client hands back; and TLS."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path
from typing import Any

import adbc_driver_flightsql
import adbc_driver_flightsql.dbapi as adbc
import duckdb
import polars as pl
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from halocline_governance.errors import PolicyUnavailable
from halocline_governance.guard.client import connect
from halocline_governance.guard.server import Identity

DOCUMENTS = "curated.documents"
BUY = "confidential sides=buy"
MINE = {*range(3), *range(10, 14)}


@pytest.fixture
def filled(house: Any) -> Any:
    house.documents("public", 3)
    house.documents(BUY, 4, start=10)
    house.documents("restricted sides=sell", 5, start=20)
    return house


def test_polars(filled: Any) -> None:
    client = filled.client(filled.token(BUY))

    frame = pl.from_arrow(client.read(DOCUMENTS, ["row_uid", "text"]))
    assert isinstance(frame, pl.DataFrame)
    assert set(frame["row_uid"]) == MINE
    options = {
        adbc_driver_flightsql.DatabaseOptions.AUTHORIZATION_HEADER.value: "Bearer "
        + filled.token(BUY),
    }
    with adbc.connect(filled.server.url, db_kwargs=options, autocommit=True) as database:
        frame = pl.read_database("SELECT row_uid FROM curated.documents", database)
    assert set(frame["row_uid"]) == MINE


def test_duckdb(filled: Any) -> None:
    documents = filled.client(filled.token(BUY)).read(DOCUMENTS)

    with duckdb.connect() as database:
        database.register("documents", documents)
        found = database.sql("SELECT count(*), max(row_uid) FROM documents").fetchall()
    assert found == [(len(MINE), 13)]


def test_pandas(filled: Any) -> None:
    frame = filled.client(filled.token(BUY)).read(DOCUMENTS).read_pandas()

    assert set(frame["row_uid"]) == MINE


@pytest.fixture(scope="module")
def certificate() -> tuple[bytes, bytes]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "guard")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(pem), private


def test_tls(open_house: Any, certificate: tuple[bytes, bytes], tmp_path: Path) -> None:
    root = tmp_path / "root.pem"
    root.write_bytes(certificate[0])
    house = open_house(identity=Identity(*certificate))
    house.documents(BUY, 4, start=10)
    token = house.token(BUY)

    assert house.server.url.startswith("grpc+tls://")
    with connect(house.server.url, token, root) as client:
        assert client.read(DOCUMENTS).read_all().num_rows == 4
    # Neither in clear, nor trusting whoever answers.
    for url in (house.server.url.replace("+tls", ""), house.server.url):
        with connect(url, token) as client, pytest.raises(PolicyUnavailable):
            client.list()
    options = {
        adbc_driver_flightsql.DatabaseOptions.AUTHORIZATION_HEADER.value: f"Bearer {token}",
        adbc_driver_flightsql.DatabaseOptions.TLS_ROOT_CERTS.value: certificate[0].decode(),
    }
    with (
        adbc.connect(house.server.url, db_kwargs=options, autocommit=True) as database,
        database.cursor() as cursor,
    ):
        cursor.execute("SELECT text FROM curated.documents")
        assert cursor.fetch_arrow_table().num_rows == 4
