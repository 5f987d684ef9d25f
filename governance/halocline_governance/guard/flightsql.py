"""The few messages of Flight SQL that the guard server speaks, for ADBC and its like.

A command or a ticket is a message inside `google.protobuf.Any`. The descriptors are made here at
run time, from the numbers that Flight SQL publishes; a message that is not listed is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message, message_factory

from halocline_governance.errors import Refused

if TYPE_CHECKING:
    import pyarrow as pa

_PACKAGE = "arrow.flight.protocol.sql"
_TYPE = descriptor_pb2.FieldDescriptorProto
_MESSAGES: dict[str, tuple[tuple[str, int, Any], ...]] = {
    "CommandStatementQuery": (
        ("query", 1, _TYPE.TYPE_STRING),
        ("transaction_id", 2, _TYPE.TYPE_BYTES),
    ),
    "TicketStatementQuery": (("statement_handle", 1, _TYPE.TYPE_BYTES),),
    "CommandPreparedStatementQuery": (("prepared_statement_handle", 1, _TYPE.TYPE_BYTES),),
    "ActionCreatePreparedStatementRequest": (
        ("query", 1, _TYPE.TYPE_STRING),
        ("transaction_id", 2, _TYPE.TYPE_BYTES),
    ),
    "ActionCreatePreparedStatementResult": (
        ("prepared_statement_handle", 1, _TYPE.TYPE_BYTES),
        ("dataset_schema", 2, _TYPE.TYPE_BYTES),
        ("parameter_schema", 3, _TYPE.TYPE_BYTES),
    ),
    "ActionClosePreparedStatementRequest": (("prepared_statement_handle", 1, _TYPE.TYPE_BYTES),),
    "CommandGetSqlInfo": (("info", 1, _TYPE.TYPE_UINT32),),
}
_REPEATED = {("CommandGetSqlInfo", "info")}
_ANY_TAG = b"\x0a"  # field 1 of Any, its type's URL: no JSON begins so


def _classes() -> dict[str, type[message.Message]]:
    file = descriptor_pb2.FileDescriptorProto(
        name="halocline/flightsql.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        kind = file.message_type.add(name=name)
        for field, number, type_ in fields:
            repeated = (name, field) in _REPEATED
            label = _TYPE.LABEL_REPEATED if repeated else _TYPE.LABEL_OPTIONAL
            kind.field.add(name=field, number=number, type=type_, label=label)
    # A pool of its own: another library may have registered the same names.
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
        for name in _MESSAGES
    }


_CLASSES = _classes()


def is_command(content: bytes) -> bool:
    """Whether these bytes are meant for Flight SQL, rather than a descriptor's JSON."""
    return content.startswith(_ANY_TAG)


def pack(name: str, **fields: Any) -> bytes:
    """A message inside `Any`."""
    packed = any_pb2.Any()
    packed.Pack(_CLASSES[name](**fields))
    return packed.SerializeToString()


def unpack(content: bytes) -> tuple[str, Any]:
    """A message's name and itself.

    Raises:
        Refused: not a message, or none of those that this server speaks.
    """
    packed = any_pb2.Any()
    try:
        packed.ParseFromString(content)
        package, _, name = packed.type_url.rpartition("/")[2].rpartition(".")
        if package != _PACKAGE or name not in _CLASSES:
            raise Refused("this server speaks Flight SQL's statement query and nothing else of it")
        found = _CLASSES[name]()
        found.ParseFromString(packed.value)
    except (message.DecodeError, UnicodeDecodeError):
        raise Refused("this is not a Flight SQL message") from None
    return name, found


_INFO: dict[int, str | bool | int] = {
    0: "halocline",  # server name
    3: True,  # read only
    4: True,  # speaks SQL
    5: False,  # speaks Substrait
    8: 0,  # transactions: none
}


def info(wanted: Iterable[int]) -> pa.Table:
    """What `GetSqlInfo` answers: of these numbers, those that there is something to say to."""
    import pyarrow as pa

    known = sorted(set(wanted) & set(_INFO)) if (wanted := list(wanted)) else sorted(_INFO)
    texts = [val for number in known if isinstance(val := _INFO[number], str)]
    flags = [val for number in known if isinstance(val := _INFO[number], bool)]
    counts = [val for number in known if type(val := _INFO[number]) is int]
    codes, offsets, seen = list[int](), list[int](), [0, 0, 0]
    for number in known:
        value = _INFO[number]
        code = 0 if isinstance(value, str) else 1 if isinstance(value, bool) else 2
        codes.append(code)
        offsets.append(seen[code])
        seen[code] += 1
    children = [
        pa.array(texts, pa.string()),
        pa.array(flags, pa.bool_()),
        pa.array(counts, pa.int64()),
        pa.array([], pa.int32()),
        pa.array([], pa.list_(pa.string())),
        pa.array([], pa.map_(pa.int32(), pa.list_(pa.int32()))),
    ]
    names = [
        "string_value",
        "bool_value",
        "bigint_value",
        "int32_bitmask",
        "string_list",
        "int32_to_int32_list_map",
    ]
    values = pa.UnionArray.from_dense(
        pa.array(codes, pa.int8()), pa.array(offsets, pa.int32()), children, names
    )
    schema = pa.schema(
        [pa.field("info_name", pa.uint32(), nullable=False), pa.field("value", values.type)]
    )
    return pa.Table.from_arrays([pa.array(known, pa.uint32()), values], schema=schema)
