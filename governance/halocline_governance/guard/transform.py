"""Masks: what a policy shows of a value instead of the value.

    null   nothing
    hash   a keyed hash, equal for equal values within one column of one compartment only
    last4  **** and the last four characters
    year   the year of an RFC 3339 time

Whatever else a policy names is no mask, and the column is not handed over.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, cast

from halocline_governance.errors import PolicyUnavailable, Refused

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import Column

TRANSFORMS = ("null", "hash", "last4", "year")
_HASH_CHARACTERS = 32
_SHOWN = 4


def check(transforms: object, schema: pa.Schema) -> dict[str, str]:
    """The masks by column, known and fitting.

    Raises:
        PolicyUnavailable: the policy says nothing of masks, or names one that does not exist or
            does not fit the column.
    """
    if not isinstance(transforms, Mapping):
        raise PolicyUnavailable("the read gate allowed without saying what it masks")
    named = cast("Mapping[str, object]", transforms)
    for column, name in named.items():
        if name not in TRANSFORMS or column not in schema.names:
            raise PolicyUnavailable("the read gate obliges to a mask that does not exist")
        if name != "null" and not _maskable(schema.field(column).type, str(name)):
            raise PolicyUnavailable("the read gate obliges to a mask that does not fit its column")
    return {column: str(name) for column, name in named.items()}


def field(plain: pa.Field, name: str) -> pa.Field:
    """The field under which a masked column is handed over."""
    import pyarrow as pa

    return pa.field(plain.name, plain.type if name == "null" else pa.string(), nullable=True)


def column_key(secret: bytes | None, compartment: str, table: str, column: str) -> bytes:
    """A key of this column's own, so that hashes join nothing across tables or compartments.

    Raises:
        Refused: there is no secret to derive it from.
    """
    if secret is None:
        raise Refused("this guard was opened without a masking secret, so it cannot hash columns")
    place = "\x1f".join(("halocline.mask", compartment, table, column))
    return hmac.digest(secret, place.encode(), "sha256")


def mask(values: pa.Array, name: str, key: bytes) -> pa.Array:
    """The masked values, in order. `key` matters to `hash` only."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if name == "null":
        return pa.nulls(len(values), values.type)
    if name == "hash":
        encoded = values.dictionary_encode()
        hashed = [hashed_value(value, key) for value in encoded.dictionary.to_pylist()]
        return pa.array(hashed, pa.string()).take(encoded.indices)
    if name == "last4":
        tails = pc.utf8_slice_codeunits(values, start=-_SHOWN)
        hidden = pc.greater(pc.utf8_length(values), _SHOWN)
        return pc.if_else(hidden, pc.binary_join_element_wise("****", tails, ""), "****")
    dated = pc.match_substring_regex(values, r"^[0-9]{4}-")
    years = pc.utf8_slice_codeunits(values, start=0, stop=4)
    return pc.if_else(dated, years, pa.scalar(None, pa.string()))


def spark_column(plain: Column, name: str, key: bytes) -> Column:
    """The same on Spark. Whatever names no value natively runs after the row filter."""
    from pyspark.sql import functions as F  # noqa: N812 - Spark's own convention

    if name == "null":
        # Typed like the column, without a literal of its type: no row is ever valid here.
        return F.when(F.lit(False), plain)
    if name == "hash":
        # The key stays out of the query plan: it travels in the function's closure.
        return F.udf(partial(hashed_value, key=key), "string", useArrow=False)(plain)
    if name == "last4":
        tail = F.concat(F.lit("****"), F.right(plain, F.lit(_SHOWN)))
        return F.when(plain.isNull(), None).otherwise(
            F.when(F.length(plain) > _SHOWN, tail).otherwise(F.lit("****"))
        )
    return F.when(plain.rlike(r"^[0-9]{4}-"), F.substring(plain, 1, 4))


def hashed_value(value: object, key: bytes) -> str | None:
    """`h` and 32 hexadecimal digits of HMAC-SHA-256; None stays None."""
    if value is None:
        return None
    digest = hmac.new(key, str(value).encode("utf-8", "surrogatepass"), hashlib.sha256)
    return "h" + digest.hexdigest()[:_HASH_CHARACTERS]


def _maskable(type_: pa.DataType, name: str) -> bool:
    import pyarrow as pa

    return pa.types.is_string(type_) or (name == "hash" and pa.types.is_integer(type_))
