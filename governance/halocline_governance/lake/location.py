"""Where one table lies, and what opens it there; of no use to whoever prints it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halocline_governance.errors import StorageUnavailable

if TYPE_CHECKING:
    from deltalake import DeltaTable


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

    def delta(self, version: int | None = None) -> DeltaTable:
        """The table that lies there, as delta-rs opens it; to be used within `reached`."""
        from deltalake import DeltaTable

        return DeltaTable(self.uri, version=version, storage_options=dict(self.storage_options))

    def is_delta(self) -> bool:
        """Whether a Delta table lies there; to be asked within `reached`."""
        from deltalake import DeltaTable

        return DeltaTable.is_deltatable(self.uri, dict(self.storage_options))

    @contextmanager
    def reached(self) -> Generator[None]:
        """Open, read or write what lies there within: a bucket's failure is told without the
        server's own text, which may quote the credential.

        Raises:
            StorageUnavailable: the bucket did not answer, or refused.
        """
        from deltalake.exceptions import DeltaError, TableNotFoundError

        try:
            yield
        except TableNotFoundError:
            raise
        except (OSError, DeltaError) as error:
            if not self.uri.startswith("s3://"):
                raise
            refused = "403 Forbidden" in str(error) or "401 Unauthorized" in str(error)
            what = (
                "refuses the credential"
                if refused
                else "failed; what was read or written is not whole"
            )
            raise StorageUnavailable(f"the object storage of {self.uri} {what}") from None
