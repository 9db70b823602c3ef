"""Thrift's compact protocol, as far as the footer of a Parquet file needs it: any struct, read and written back whole.

Fields are known by number and kept with their wire type, so what a newer writer adds passes through unchanged.
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12
_LONG_LIST = 15

Struct = dict[int, "Value"]
"""Field number -> value, in the order in which they stood."""


@dataclass(slots=True)
class Value:
    """A value and its wire type: an integer, bytes (also of a double), a `Struct`, or a list of values."""

    kind: int
    content: Any


def read_struct(data: io.BytesIO) -> Struct:
    """Read one struct. Raises `ValueError` for a type that no Parquet footer has (maps)."""
    struct: Struct = {}
    number = 0
    while header := data.read(1)[0]:
        kind, delta = header & 0x0F, header >> 4
        number = number + delta if delta else _zigzag(_varint(data))
        struct[number] = Value(kind, None if kind in (_TRUE, _FALSE) else _content(data, kind))
    return struct


def write_struct(struct: Struct, to: io.BytesIO) -> None:
    """Write what `read_struct` read."""
    before = 0
    for number, value in struct.items():
        delta = number - before
        if 0 < delta < 16:
            to.write(bytes([delta << 4 | value.kind]))
        else:
            to.write(bytes([value.kind]) + _varint_bytes(_zagzig(number)))
        if value.kind not in (_TRUE, _FALSE):
            _write_content(to, value)
        before = number
    to.write(b"\0")


def _content(data: io.BytesIO, kind: int) -> Any:
    if kind in (_I16, _I32, _I64):
        return _zigzag(_varint(data))
    if kind == _BINARY:
        return data.read(_varint(data))
    if kind == _STRUCT:
        return read_struct(data)
    if kind in (_LIST, _SET):
        return _list(data)
    if kind in (_BYTE, _TRUE, _FALSE):
        return data.read(1)
    if kind == _DOUBLE:
        return data.read(8)
    raise ValueError(f"no value of thrift type {kind} is known here")


def _list(data: io.BytesIO) -> list[Value]:
    header = data.read(1)[0]
    kind, size = header & 0x0F, header >> 4
    size = _varint(data) if size == _LONG_LIST else size
    # An empty list keeps its element type as one value without content.
    return [Value(kind, _content(data, kind)) for _ in range(size)] or [Value(kind, None)]


def _write_content(to: io.BytesIO, value: Value) -> None:
    if value.kind in (_I16, _I32, _I64):
        to.write(_varint_bytes(_zagzig(value.content)))
    elif value.kind == _BINARY:
        to.write(_varint_bytes(len(value.content)) + value.content)
    elif value.kind == _STRUCT:
        write_struct(value.content, to)
    elif value.kind in (_LIST, _SET):
        items = [item for item in value.content if item.content is not None]
        short = len(items) < _LONG_LIST
        to.write(bytes([(len(items) if short else _LONG_LIST) << 4 | value.content[0].kind]))
        to.write(b"" if short else _varint_bytes(len(items)))
        for item in items:
            _write_content(to, item)
    else:
        to.write(value.content)


def _varint(data: io.BytesIO) -> int:
    result = shift = 0
    while True:
        byte = data.read(1)[0]
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result
        shift += 7


def _varint_bytes(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _zigzag(number: int) -> int:
    return number >> 1 ^ -(number & 1)


def _zagzig(number: int) -> int:
    return number << 1 ^ number >> 63
