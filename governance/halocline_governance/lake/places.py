"""`lake.yaml`: which compartments lie in buckets, and the file that holds each one's credential.

    compartments:
      buy:
        place: s3://halocline-buy/lake
        endpoint: https://s3.example.com      # left out: AWS, in this region
        region: eu-central-1
        credential: keys/s3-buy.yaml          # beside this file, or an absolute path

One bucket holds one compartment, because Hadoop's S3 client keeps one credential a bucket. The
credential is a file of its own, 0600: a process that lacks it lacks the compartment.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from halocline_governance import strict_yaml
from halocline_governance.errors import Refused
from halocline_governance.loopback import is_loopback

_PLACE = re.compile(r"s3://([a-z0-9][a-z0-9-]{1,61}[a-z0-9])((?:/[A-Za-z0-9._-]+)*)/?")
_REGION = re.compile(r"[a-z0-9-]{1,32}")
_KEYS = {"place", "region", "credential"}


@dataclass(frozen=True, slots=True)
class Credential:
    """What opens one bucket."""

    key_id: str
    secret: str
    session: str = ""

    def __repr__(self) -> str:
        return "Credential(...)"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a compartment lies.

    Args:
        bucket: its own.
        prefix: of every key, without slashes at its ends; may be empty.
        endpoint: URL of the S3 server, without a path.
        region: as the server calls it.
        credential_file: YAML with `access_key_id`, `secret_access_key` and perhaps
            `session_token`.
    """

    bucket: str
    prefix: str
    endpoint: str
    region: str
    credential_file: Path

    def key(self, *parts: str) -> str:
        """The name of an object below the prefix."""
        return "/".join(part for part in (self.prefix, *parts) if part)

    @property
    def has_credential(self) -> bool:
        return self.credential_file.exists()

    def credential(self) -> Credential:
        """Read anew each time, so that a renewed one is used from the next call on.

        Raises:
            Refused: it is not there, others may read it, or it is not one.
        """
        name = self.credential_file.name
        fields = _mapping(_read_private(self.credential_file), name)
        known = {"access_key_id", "secret_access_key", "session_token"}
        texts = all(isinstance(value, str) and value for value in fields.values())
        if not (texts and known - {"session_token"} <= fields.keys() <= known):
            raise Refused(
                f"{name} must hold access_key_id, secret_access_key and perhaps session_token"
            )
        return Credential(
            str(fields["access_key_id"]),
            str(fields["secret_access_key"]),
            str(fields.get("session_token", "")),
        )


def read(path: Path) -> Mapping[str, Place]:
    """The places by compartment; none when there is no such file.

    Raises:
        Refused: anything in it is not as described above, or others may read it.
    """
    if not path.exists():
        return {}
    whole = _mapping(_read_private(path), path.name)
    if set(whole) != {"compartments"}:
        raise Refused(f"{path.name} has one key, compartments")
    places = {
        str(name): _place(path, str(name), fields)
        for name, fields in _mapping(whole["compartments"], path.name).items()
    }
    if len({(place.endpoint, place.bucket) for place in places.values()}) != len(places):
        raise Refused(f"{path.name}: two compartments share a bucket; give each its own")
    return places


def _place(path: Path, name: str, found: object) -> Place:
    fields = _mapping(found, path.name)
    if not _KEYS <= fields.keys() <= _KEYS | {"endpoint"}:
        raise Refused(f"{path.name}: {name} needs place, region, credential, perhaps endpoint")
    if not all(isinstance(value, str) for value in fields.values()):
        raise Refused(f"{path.name}: {name}: every value is a text")
    texts = cast("Mapping[str, str]", fields)
    place = _PLACE.fullmatch(texts["place"])
    if place is None or {".", ".."} & set(place[2].split("/")):
        raise Refused(f"{path.name}: {name}: place is s3://BUCKET/PREFIX")
    if not _REGION.fullmatch(texts["region"]):
        raise Refused(f"{path.name}: {name}: that is no region")
    endpoint = texts.get("endpoint") or f"https://s3.{texts['region']}.amazonaws.com"
    return Place(
        bucket=place[1],
        prefix=place[2].strip("/"),
        endpoint=_endpoint(path, name, endpoint),
        region=texts["region"],
        credential_file=path.parent / texts["credential"],
    )


def _endpoint(path: Path, name: str, text: str) -> str:
    try:
        url = urlsplit(text)
        plain = url.scheme == "http" and is_loopback(url.hostname or "")
        good = (url.scheme == "https" or plain) and url.hostname and url.port != 0
    except ValueError:
        good = False
        url = urlsplit("")
    if not good or url.username or url.path not in ("", "/") or url.query or url.fragment:
        raise Refused(
            f"{path.name}: {name}: endpoint is https://HOST[:PORT]; http on this machine only"
        )
    return f"{url.scheme}://{url.netloc}"


def _read_private(path: Path) -> object:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) or mode & 0o077:
            raise Refused(f"{path.name} can be read by others; run: chmod 600 {path}")
        return strict_yaml.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        # The parser's own message quotes the file.
        kind = type(error).__name__
        raise Refused(f"{path.name} cannot be read as YAML ({kind})") from None


def _mapping(found: object, name: str) -> Mapping[str, object]:
    if not isinstance(found, dict):
        raise Refused(f"{name}: that is not a mapping")
    return {str(key): value for key, value in cast("dict[object, object]", found).items()}
