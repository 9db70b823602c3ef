"""The footer of a Parquet file as structs of numbered fields, read and written back whole.

The protocol is Apache Thrift's own package. Fields are kept by number and type instead of as generated classes, so
what a newer writer adds passes through unchanged. https://parquet.apache.org/docs/file-format/metadata/
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Any

from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.Thrift import TType
from thrift.transport.TTransport import TMemoryBuffer

MAGIC = b"PAR1"
_LENGTH = struct.Struct("<I")
_SCALARS = {
    TType.BOOL: "Bool",
    TType.BYTE: "Byte",
    TType.I16: "I16",
    TType.I32: "I32",
    TType.I64: "I64",
    TType.DOUBLE: "Double",
    TType.STRING: "Binary",
}

Struct = dict[int, "Field"]
"""Field number -> field, in the order in which they stood."""


@dataclass(slots=True)
class Field:
    """A value and its Thrift type: a number, bytes, a `Struct`, or a `Listed`."""

    kind: int
    content: Any


@dataclass(slots=True)
class Listed:
    """A list: the type of its members, and what a `Field` of that type would hold; structs may be encoded already."""

    kind: int
    members: list[Any]


def read_footer(file: io.BufferedReader) -> tuple[Struct, int]:
    """The footer of a file, and where in it the footer begins. Raises `ValueError` for what is no Parquet file."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(size - len(MAGIC) - _LENGTH.size, 0))
    tail = file.read()
    if len(tail) < len(MAGIC) + _LENGTH.size or not tail.endswith(MAGIC):
        raise ValueError("no Parquet file")
    begin = size - len(tail) - int(_LENGTH.unpack_from(tail)[0])
    file.seek(begin)
    return _read_struct(TCompactProtocol(TMemoryBuffer(file.read(size - len(tail) - begin)))), begin


def encoded(fields: Struct) -> bytes:
    """A struct as it will stand in a footer, for who only keeps it until then: its objects take far more memory."""
    buffer = TMemoryBuffer()
    _write_struct(TCompactProtocol(buffer), fields)
    written: bytes = buffer.getvalue()
    return written


def footer_bytes(footer: Struct) -> bytes:
    """What stands at the end of a file with this footer."""
    written = encoded(footer)
    return written + _LENGTH.pack(len(written)) + MAGIC


def _read_struct(protocol: TCompactProtocol) -> Struct:
    fields: Struct = {}
    protocol.readStructBegin()
    while True:
        _, kind, number = protocol.readFieldBegin()
        if kind == TType.STOP:
            break
        fields[number] = Field(kind, _read(protocol, kind))
        protocol.readFieldEnd()
    protocol.readStructEnd()
    return fields


def _read(protocol: TCompactProtocol, kind: int) -> Any:
    if kind == TType.STRUCT:
        return _read_struct(protocol)
    if kind == TType.LIST:
        of, size = protocol.readListBegin()
        members = [_read(protocol, of) for _ in range(size)]
        protocol.readListEnd()
        return Listed(of, members)
    return getattr(protocol, f"read{_scalar(kind)}")()


def _write_struct(protocol: TCompactProtocol, fields: Struct) -> None:
    protocol.writeStructBegin("")
    for number, field in fields.items():
        protocol.writeFieldBegin("", field.kind, number)
        _write(protocol, field.kind, field.content)
        protocol.writeFieldEnd()
    protocol.writeFieldStop()
    protocol.writeStructEnd()


def _write(protocol: TCompactProtocol, kind: int, content: Any) -> None:
    if kind == TType.STRUCT and isinstance(content, bytes):
        protocol.trans.write(content)
    elif kind == TType.STRUCT:
        _write_struct(protocol, content)
    elif kind == TType.LIST:
        protocol.writeListBegin(content.kind, len(content.members))
        for member in content.members:
            _write(protocol, content.kind, member)
        protocol.writeListEnd()
    else:
        getattr(protocol, f"write{_scalar(kind)}")(content)


def _scalar(kind: int) -> str:
    if kind not in _SCALARS:
        raise ValueError(f"no footer has a value of Thrift type {kind}")
    return _SCALARS[kind]
