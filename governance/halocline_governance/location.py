"""Where one table lies, and what opens it there; of no use to whoever prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Location:
    """A table's place, for delta-rs and for Spark. Its options hold the compartment's credential,
    so they are left out of its repr.

    Args:
        uri: a path on this machine, or `s3://BUCKET/KEY`.
        storage_options: for `deltalake`.
        spark_options: for a Spark reader or writer; empty for a local table.
    """

    uri: str
    storage_options: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    spark_options: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    @property
    def spark_uri(self) -> str:
        """The same place by the name that Hadoop's S3 client has for it."""
        return "s3a://" + self.uri[5:] if self.uri.startswith("s3://") else self.uri
