"""Records of TensorFlow's TFRecord files, and messages of protocol buffers, without TensorFlow."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO, Any

_HEADER, _CHECKSUM = struct.Struct("<QI"), 4
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5


def records(file: IO[bytes], name: Any) -> Iterator[bytes]:
    """Each record of a file. Its checksums, of CRC-32C, are passed over.

    Raises:
        ValueError: if the file ends within a record.
    """
    while header := file.read(_HEADER.size):
        length = _HEADER.unpack(header)[0] if len(header) == _HEADER.size else -1
        data = file.read(length + _CHECKSUM) if 0 <= length < 2**31 else b""
        if len(data) != length + _CHECKSUM:
            raise ValueError(f"{name} is no TFRecord file, or ends within a record")
        yield data[:length]


def fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a message: an int, a float of eight bytes, or bytes.

    Raises:
        ValueError: if the bytes are no message.
    """
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        number, kind = tag >> 3, tag & 7
        value: Any
        if kind == _VARINT:
            value, place = _varint(message, place)
        elif kind == _EIGHT_BYTES:
            value, place = struct.unpack("<d", _taken(message, place, 8))[0], place + 8
        elif kind == _BYTES:
            length, place = _varint(message, place)
            value, place = _taken(message, place, length), place + length
        elif kind == _FOUR_BYTES:
            value, place = struct.unpack("<f", _taken(message, place, 4))[0], place + 4
        else:
            raise ValueError(f"a message of protocol buffers has no fields of kind {kind}")
        yield number, value


def _taken(message: bytes, place: int, length: int) -> bytes:
    part = message[place : place + length]
    if len(part) < length:
        raise ValueError("a message of protocol buffers ends within a field")
    return part


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = _taken(message, place, 1)[0]
        value, place, shift = value | (byte & 127) << shift, place + 1, shift + 7
        if byte < 128:
            return value, place
