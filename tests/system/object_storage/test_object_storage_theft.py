"""Whoever holds the sell side's credential and nothing else, at the buy side's bucket."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError

from halocline_governance.label import Label

if TYPE_CHECKING:
    from halocline_governance.lake import Lake
    from tests.system.object_storage.conftest import Answer, Server, User

pytestmark = pytest.mark.system

SECRET = "Project Nightjar acquires Umbrella"
LABEL = Label("restricted", ("buy",))


@dataclass(frozen=True)
class Heist:
    """A full bucket, its owner, and the thief, with every key's name given away."""

    thief: User
    owner: User
    keys: tuple[str, ...]
    upload: str
    lake: Lake

    @property
    def part(self) -> str:
        return next(key for key in self.keys if key.endswith(".parquet"))

    def holdings(self) -> dict[str, str]:
        return holdings(self.owner)


@pytest.fixture(scope="module")
def heist(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Heist:
    lake = server.lake(tmp_path_factory.mktemp("owner"), "buy")
    with lake.lease("buy", "raw.documents") as place:
        write_deltalake(
            place.uri,
            pa.table({"text": [SECRET], "label_id": [lake.intern(LABEL)]}),
            mode="append",
            storage_options=dict(place.storage_options),
        )
    owner, thief = server.user("buy"), server.user("sell")
    assert thief.ask("PUT", f"/{thief.bucket}/own", content=b"own").status == 200
    begun = owner.ask("POST", f"/{owner.bucket}/lake/unfinished", "uploads=").body.decode()
    found = re.search("<UploadId>(.+)</UploadId>", begun)
    assert found
    upload = found[1]
    asked = f"partNumber=1&uploadId={quote(upload, safe='')}"
    done = owner.ask("PUT", f"/{owner.bucket}/lake/unfinished", asked, content=SECRET.encode() * 9)
    assert done.status == 200
    return Heist(thief, owner, tuple(holdings(owner)), upload, lake)


@pytest.fixture(autouse=True)
def _intact(heist: Heist) -> Any:
    """Whatever was tried, the owner's bucket holds what it held."""
    before = heist.holdings()
    yield
    assert heist.holdings() == before


def test_the_owner_gets_what_the_thief_will_ask_for(heist: Heist) -> None:
    """So that the refusals below are about who asks, not about how."""
    place = heist.lake.location("buy", "raw.documents")
    rows = DeltaTable(place.uri, storage_options=dict(place.storage_options)).to_pyarrow_table()
    assert SECRET in rows["text"].to_pylist()
    for key in heist.keys:
        assert heist.owner.ask("GET", f"/{heist.owner.bucket}/{key}").status == 200


def test_buckets_are_not_listed(heist: Heist) -> None:
    assert heist.owner.bucket.encode() not in heist.thief.ask("GET", "/").body


@pytest.mark.parametrize(
    "query",
    [
        "", "list-type=2", "list-type=2&prefix=lake%2F", "delimiter=%2F&list-type=2&prefix=lake%2F",
        "prefix=", "versions=", "uploads=", "acl=", "policy=", "policyStatus=", "versioning=",
        "tagging=", "object-lock=", "lifecycle=", "cors=", "notification=", "website=",
        "inventory=", "analytics=", "metrics=", "logging=", "replication=", "ownershipControls=",
        "publicAccessBlock=", "encryption=",
    ],
)  # fmt: skip
def test_the_bucket_is_not_listed_nor_described(heist: Heist, query: str) -> None:
    refused(heist, heist.thief.ask("GET", f"/{heist.owner.bucket}", query))
    refused(heist, heist.thief.ask("GET", f"/{heist.owner.bucket}/", query))


@pytest.mark.parametrize(
    "query",
    ["", "acl=", "attributes=", "tagging=", "versionId=null", "partNumber=1", "retention=",
     "legal-hold=", "torrent=", "response-content-type=text%2Fplain"],
)  # fmt: skip
def test_no_object_is_read_by_its_exact_key(heist: Heist, query: str) -> None:
    for key in heist.keys:
        refused(heist, heist.thief.ask("GET", f"/{heist.owner.bucket}/{key}", query))


def test_whether_a_key_is_there_cannot_be_guessed(heist: Heist) -> None:
    for method in ("HEAD", "GET"):
        there = {heist.thief.ask(method, f"/{heist.owner.bucket}/{k}").status for k in heist.keys}
        not_there = heist.thief.ask(method, f"/{heist.owner.bucket}/lake/none/such").status
        assert there == {not_there} == {403}


@pytest.mark.parametrize("span", ["bytes=0-3", "bytes=-4", "bytes=0-"])
def test_no_part_of_an_object_is_read(heist: Heist, span: str) -> None:
    path = f"/{heist.owner.bucket}/{heist.part}"
    refused(heist, heist.thief.ask("GET", path, range=span))


def test_a_presigned_url_gives_what_its_signer_may_read(heist: Heist) -> None:
    path = f"/{heist.owner.bucket}/{heist.part}"
    refused(heist, presigned(heist, heist.thief, path))
    refused(heist, presigned(heist, heist.thief, path, claims=heist.owner))
    refused(heist, presigned(heist, heist.owner, path, age_s=7200))
    assert presigned(heist, heist.owner, path).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/{mine}/../{theirs}/{key}", "/{mine}/%2e%2e/{theirs}/{key}", "//{theirs}/{key}",
        "/{mine}/..%2f{theirs}/{key}", "/{mine}//..//{theirs}/{key}", "/./{theirs}/{key}",
        "/{mine}/%252e%252e/{theirs}/{key}", "/{mine}/..%5c{theirs}%5c{key}",
        "/{theirs}/../{theirs}/{key}", "/{theirs}/lake/../{key}", "/{theirs}%2f{key}",
        "/{mine}/.././{theirs}/{key}", "/{theirs}//{key}", "/{mine}%00/../{theirs}/{key}",
        "/buckets/{theirs}/{key}", "/{mine}/../../buckets/{theirs}/{key}",
    ],
)  # fmt: skip
def test_no_path_leads_from_one_bucket_into_the_other(heist: Heist, path: str) -> None:
    asked = path.format(mine=heist.thief.bucket, theirs=heist.owner.bucket, key=heist.part)
    refused(heist, heist.thief.ask("GET", asked))


def test_the_bucket_s_own_host_name_opens_nothing(heist: Heist, server: Server) -> None:
    from tests.system.object_storage.conftest import send

    host = f"{heist.owner.bucket}.127.0.0.1:{server.port}"
    for headers in ({"host": host}, {"host": f"{heist.owner.bucket}.s3.amazonaws.com"}):
        refused(heist, send(server.endpoint, "GET", f"/{heist.part}", "", b"", headers))


@pytest.mark.parametrize(
    "source",
    ["/{theirs}/{key}", "{theirs}/{key}", "{theirs}%2F{key}", "/{theirs}/{key}?versionId=null",
     "/{mine}/../{theirs}/{key}", "{mine}/%2e%2e/{theirs}/{key}", "//{theirs}/{key}"],
)  # fmt: skip
def test_nothing_is_copied_out(heist: Heist, source: str) -> None:
    from_there = source.format(mine=heist.thief.bucket, theirs=heist.owner.bucket, key=heist.part)
    thief, target = heist.thief, f"/{heist.thief.bucket}/loot"
    answer = thief.ask("PUT", target, x_amz_copy_source=from_there)
    refused(heist, answer)
    assert SECRET.encode() not in thief.ask("GET", target).body

    begun = thief.ask("POST", target, "uploads=").body.decode()
    found = re.search("<UploadId>(.+)</UploadId>", begun)
    assert found
    part = f"partNumber=1&uploadId={quote(found[1], safe='')}"
    refused(heist, thief.ask("PUT", target, part, x_amz_copy_source=from_there))


def test_an_unfinished_upload_is_neither_seen_nor_taken_over(heist: Heist) -> None:
    path, upload = f"/{heist.owner.bucket}/lake/unfinished", quote(heist.upload, safe="")
    refused(heist, heist.thief.ask("GET", f"/{heist.owner.bucket}", "prefix=lake&uploads="))
    refused(heist, heist.thief.ask("GET", path, f"uploadId={upload}"))
    refused(heist, heist.thief.ask("PUT", path, f"partNumber=2&uploadId={upload}", b"mine"))
    refused(
        heist, heist.thief.ask("POST", path, f"uploadId={upload}", b"<CompleteMultipartUpload/>")
    )
    refused(heist, heist.thief.ask("DELETE", path, f"uploadId={upload}"))
    # The same id, named in one's own bucket.
    mine = f"/{heist.thief.bucket}/lake/unfinished"
    refused(heist, heist.thief.ask("GET", mine, f"uploadId={upload}"))


def test_nothing_is_written_and_no_label_least_of_all(heist: Heist) -> None:
    theirs, ask = heist.owner.bucket, heist.thief.ask
    forged = Label("public")
    for label_id, content in (
        (forged.label_id, forged.canonical()),
        (LABEL.label_id, forged.canonical()),
    ):
        refused(heist, ask("PUT", f"/{theirs}/lake/_labels/{label_id}", content=content))
    log = f"/{theirs}/lake/raw/documents/_delta_log/{1:020d}.json"
    refused(heist, ask("PUT", log, content=b"{}"))
    refused(heist, ask("PUT", f"/{theirs}/{heist.part}", content=b"x"))
    refused(heist, ask("DELETE", f"/{theirs}/{heist.part}"))
    refused(heist, ask("DELETE", f"/{theirs}"))
    refused(heist, ask("POST", f"/{theirs}/new", "uploads="))
    listed = f"<Delete><Object><Key>{heist.part}</Key></Object></Delete>".encode()
    # Some servers answer this one with a list of what they refused.
    assert SECRET.encode() not in ask("POST", f"/{theirs}", "delete=", listed).body
    source = f"/{heist.thief.bucket}/own"
    refused(heist, ask("PUT", f"/{theirs}/lake/copied", x_amz_copy_source=source))


def test_nobody_is_let_in_by_the_thief(heist: Heist) -> None:
    theirs, ask = f"/{heist.owner.bucket}", heist.thief.ask
    policy = (
        b'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",'
        b'"Action":"s3:*","Resource":["arn:aws:s3:::' + heist.owner.bucket.encode() + b'/*"]}]}'
    )
    refused(heist, ask("PUT", theirs, "policy=", policy))
    refused(heist, ask("DELETE", theirs, "policy="))
    refused(heist, ask("PUT", theirs, "acl=", x_amz_acl="public-read"))
    refused(heist, ask("PUT", f"{theirs}/{heist.part}", "acl=", x_amz_acl="public-read"))
    refused(heist, ask("GET", f"{theirs}/{heist.part}"))


def test_without_a_key_or_with_a_spoilt_signature_nothing_opens(
    heist: Heist, server: Server
) -> None:
    from halocline_governance.lake.signature import signed
    from tests.system.object_storage.conftest import send

    path = f"/{heist.owner.bucket}/{heist.part}"
    refused(heist, send(server.endpoint, "GET", path, "", b"", {}))
    # Signed for one's own bucket, sent to the other.
    sent = signed(heist.thief.place, "GET", f"/{heist.thief.bucket}/own", "", {}, b"")
    refused(heist, send(server.endpoint, "GET", path, "", b"", sent))
    # The owner's name over one's own signature.
    sent = signed(heist.thief.place, "GET", path, "", {}, b"")
    sent["authorization"] = sent["authorization"].replace("sellkey", "buykey")
    refused(heist, send(server.endpoint, "GET", path, "", b"", sent))


def test_delta_rs_and_arrow_open_nothing_either(
    heist: Heist, server: Server, tmp_path: Path
) -> None:
    from pyarrow import fs

    own = server.lake(tmp_path / "thief", "sell").location("sell", "raw.documents")
    theirs = heist.lake.location("buy", "raw.documents").uri
    with pytest.raises((OSError, DeltaError)):
        DeltaTable(theirs, storage_options=dict(own.storage_options))
    options = own.storage_options
    arrow: Any = fs.S3FileSystem(
        access_key=options["AWS_ACCESS_KEY_ID"],
        secret_key=options["AWS_SECRET_ACCESS_KEY"],
        endpoint_override=options["AWS_ENDPOINT_URL"],
        region=options["AWS_REGION"],
    )
    with pytest.raises(OSError, match=r"ACCESS_DENIED|403"):
        arrow.get_file_info(fs.FileSelector(heist.owner.bucket, recursive=True))
    with pytest.raises(OSError, match=r"ACCESS_DENIED|403"):
        arrow.open_input_file(f"{heist.owner.bucket}/{heist.part}").read()


def test_a_table_of_one_s_own_that_names_the_other_s_files_reads_nothing(
    heist: Heist, server: Server, tmp_path: Path
) -> None:
    """A commit may name a file anywhere; only the table's own credential opens it."""
    lake = server.lake(tmp_path / "thief", "sell")
    with lake.lease("sell", "raw.documents") as place:
        options = dict(place.storage_options)
        write_deltalake(place.uri, pa.table({"text": ["own"]}), storage_options=options)
    log = f"/{heist.thief.bucket}/lake/raw/documents/_delta_log"
    target = f"s3://{heist.owner.bucket}/{heist.part}"
    add = (
        f'{{"add":{{"path":"{target}","partitionValues":{{}},"size":900,'
        '"modificationTime":0,"dataChange":true}}'
    )
    done = heist.thief.ask("PUT", f"{log}/{1:020d}.json", content=add.encode())
    assert done.status == 200
    table = DeltaTable(place.uri, storage_options=options)
    with pytest.raises((OSError, DeltaError)):
        table.to_pyarrow_table()


def refused(heist: Heist, answer: Answer) -> None:
    """An error, and not a word of what lies there beyond what was asked by name."""
    assert answer.status >= 400, answer
    assert SECRET.encode() not in answer.body
    assert LABEL.canonical() not in answer.body


def holdings(user: User) -> dict[str, str]:
    listing = user.ask("GET", f"/{user.bucket}", "list-type=2").body.decode()
    keys = re.findall("<Key>([^<]+)</Key>", listing)
    etags = re.findall("<ETag>([^<]+)</ETag>", listing)
    return dict(zip(keys, etags, strict=True))


def presigned(
    heist: Heist, signer: User, path: str, claims: User | None = None, age_s: int = 0
) -> Answer:
    """Follow a URL that `signer` made, perhaps in another's name, `age_s` seconds ago."""
    from tests.system.object_storage.conftest import REGION, send

    now = datetime.fromtimestamp(datetime.now(UTC).timestamp() - age_s, UTC)
    secret = signer.place.credential().secret
    scope = f"{now:%Y%m%d}/{REGION}/s3/aws4_request"
    host = signer.endpoint.partition("://")[2]
    asked: Mapping[str, str] = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{(claims or signer).place.credential().key_id}/{scope}",
        "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}",
        "X-Amz-Expires": "3600",
        "X-Amz-SignedHeaders": "host",
    }
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in sorted(asked.items()))
    canonical = f"GET\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{asked['X-Amz-Date']}\n{scope}\n{digest}"
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return send(signer.endpoint, "GET", path, f"{query}&X-Amz-Signature={signature}", b"", {})
