"""The members of an ``.npz`` file, which is a ZIP archive: read in pieces, wherever they begin, and never unpickled.

``numpy.load`` takes a whole member into memory. Here a stored member is read where it lies, and a deflated one from the
nearest mark (`marks.Marks`), so that one picture of a hundred thousand costs a few of its neighbours.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from auditkit.images.item import UnreadableImage
from auditkit.images.layouts.marks import MARKS, Mark
from auditkit.masked import shown

MOST_BYTES = 1 << 36
"""Unpacked bytes of a member that is read: four times the largest of the public sets."""
MOST_RATIO = 500
"""Unpacked to packed bytes of a large member: pictures stay far below, a bomb made of zeros comes to a thousand."""
_LARGE = 1 << 28
_MOST_MEMBERS = 10_000
_HEADER = 1 << 14  # a header of numpy has some hundred bytes
_CHUNK = 1 << 14
_LOCAL = struct.Struct("<4s22xHH")
_ENCRYPTED = 1


@dataclass(frozen=True, slots=True)
class Member:
    """One array in an archive.

    Attributes
    ----------
    path : str
        The archive.
    name : str
        The array, without ``.npy``.
    start : int
        Where its packed bytes begin.
    packed, size : int
        Its bytes, packed and unpacked.
    deflated : bool
        Whether it is packed at all.
    crc : int
        CRC-32 of the unpacked bytes.
    archive : tuple of int
        Bytes and modification time (ns) of the archive when it was listed.
    """

    path: str
    name: str
    start: int
    packed: int
    size: int
    deflated: bool
    crc: int
    archive: tuple[int, int]

    def read(self, at: int, count: int) -> bytes:
        """Return unpacked bytes.

        Raises
        ------
        UnreadableImage
            The archive has changed since it was listed, is damaged or gone.
        """
        try:
            with self._open() as stream:
                return self._exactly(self._cursor(stream, at), count)
        except (OSError, zlib.error) as error:
            raise self._damaged(error) from None

    def blocks(self, at: int, count: int) -> Iterator[bytes]:
        """Yield all unpacked bytes from a place on, `count` at a time, and check the sum over the whole member.

        Raises
        ------
        UnreadableImage
            As `read`; and at the end, where the bytes are others than were packed.
        """
        try:
            with self._open() as stream:
                cursor = self._cursor(stream, 0)
                crc = zlib.crc32(self._exactly(cursor, at))
                while at < self.size:
                    block = self._exactly(cursor, min(count, self.size - at))
                    crc = zlib.crc32(block, crc)
                    at += len(block)
                    yield block
        except (OSError, zlib.error) as error:
            raise self._damaged(error) from None
        if crc != self.crc:
            raise UnreadableImage(f'the array "{self.name}" is damaged (its check sum is another)')

    def _open(self) -> BinaryIO:
        stream = Path(self.path).open("rb")  # noqa: SIM115  # closed by who reads
        if status_of(Path(self.path)) != self.archive:
            stream.close()
            raise UnreadableImage("it has changed since it was listed")
        return stream

    def _cursor(self, stream: BinaryIO, at: int) -> BinaryIO | Inflater:
        if self.deflated:
            return Inflater(self, stream, at)
        stream.seek(self.start + at)
        return stream

    def _exactly(self, cursor: BinaryIO | Inflater, count: int) -> bytes:
        data = cursor.read(count)
        if len(data) != count:
            raise UnreadableImage(f'the array "{self.name}" is truncated')
        return data

    def _damaged(self, error: Exception) -> UnreadableImage:
        if isinstance(error, zlib.error):
            return UnreadableImage(f'the array "{self.name}" is damaged (it cannot be unpacked)')
        return UnreadableImage(f"it can no longer be opened ({type(error).__name__})")


class Inflater:
    """Reads a deflated member onwards from a place, and leaves marks on the way.

    Parameters
    ----------
    member : Member
    stream : binary file
        The archive; nobody else moves it.
    at : int
        The first unpacked byte that is read.
    """

    def __init__(self, member: Member, stream: BinaryIO, at: int) -> None:
        self._member, self._stream = member, stream
        begin = MARKS.before(member, at)
        self._at, self._taken = (begin.at, begin.taken) if begin else (0, 0)
        self._state = begin.state.copy() if begin else zlib.decompressobj(-zlib.MAX_WBITS)
        stream.seek(member.start + self._taken)
        while self._at < at and self._piece(min(at - self._at, _CHUNK)):
            pass

    def read(self, count: int) -> bytes:
        """Return the next bytes; fewer at the end of the member."""
        pieces: list[bytes] = []
        while count and (piece := self._piece(count)):
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def _piece(self, count: int) -> bytes:
        state, piece = self._state, b""
        while not piece and not state.eof:
            chunk = state.unconsumed_tail
            if not chunk:
                chunk = self._stream.read(min(_CHUNK, self._member.packed - self._taken))
                self._taken += len(chunk)
            piece = state.decompress(chunk, count)
            if not chunk and not piece:
                break
        self._at += len(piece)
        # Only where nothing is left over: what is left over would be kept along with the state.
        if not state.unconsumed_tail and not state.eof and MARKS.due(self._member, self._at):
            MARKS.add(self._member, Mark(self._at, self._taken, state.copy()))
        return piece


@dataclass(frozen=True, slots=True)
class Array:
    """An array in an archive, of which only the header has been read.

    Attributes
    ----------
    member : Member
    shape : tuple of int
    dtype : dtype
    start : int
        Where its numbers begin in the unpacked member.
    """

    member: Member
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    start: int

    @property
    def row_bytes(self) -> int:
        """Bytes of one entry along the first axis."""
        return self.dtype.itemsize * int(np.prod(self.shape[1:], dtype=object))


def status_of(path: Path) -> tuple[int, int]:
    """Return bytes and modification time (ns) of a file."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def listed(path: Path) -> tuple[str, ...]:
    """Return the names of an archive's arrays.

    Raises
    ------
    UnreadableImage
        Truncated, damaged, no archive; a member that is there twice.
    """
    return tuple(name.removesuffix(".npy") for name in _directory(path)[0])


def names(path: Path) -> tuple[str, ...]:
    """Return the names of an archive's arrays; empty where it is none that can be read."""
    try:
        return listed(path)
    except UnreadableImage:
        return ()


def array(path: Path, name: str) -> Array:
    """Return one array of an archive, by its header.

    Raises
    ------
    UnreadableImage
        In words that name the member: not there, there twice, packed in a way that numpy does not use, encrypted, a
        bomb, an array of Python objects (which would have to be unpickled), a header that does not fit the bytes.
    """
    directory, status = _directory(path)
    if (info := directory.get(f"{name}.npy")) is None:
        raise UnreadableImage(f'it holds no array "{name}"')
    member = _member(path, info, name, status)
    head = member.read(0, min(_HEADER, member.size))
    stream = io.BytesIO(head)
    try:
        version = npy.read_magic(stream)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
        shape, by_columns, dtype = read(stream)
    except Exception as error:  # a header is a Python literal, and anything can stand in it
        raise UnreadableImage(
            f'the array "{name}" has a header that is not numpy\'s ({type(error).__name__})'
        ) from None
    if dtype.hasobject:
        raise UnreadableImage(
            f'the array "{name}" holds Python objects (pickle), which can run any code and are not read: save it as '
            "an array of numbers"
        )
    if by_columns and len(shape) > 1:
        raise UnreadableImage(f'the array "{name}" is stored by columns: save numpy.ascontiguousarray of it')
    found = Array(member, shape, dtype, stream.tell())
    if not shape or min(shape) < 1 or found.start + shape[0] * found.row_bytes != member.size:
        raise UnreadableImage(f'the array "{name}" has other bytes than its shape {_shaped(shape)} takes')
    return found


def _directory(path: Path) -> tuple[dict[str, zipfile.ZipInfo], tuple[int, int]]:
    try:
        status = status_of(path)
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except FileNotFoundError:
        raise UnreadableImage("there is no such file") from None
    except Exception as error:  # a damaged directory: BadZipFile, struct.error, UnicodeDecodeError, NotImplementedError
        raise UnreadableImage(
            f"it is no ZIP archive that can be read: truncated or damaged ({type(error).__name__})"
        ) from None
    if len(members) > _MOST_MEMBERS:
        raise UnreadableImage(f"it holds more than {_MOST_MEMBERS:,} members")
    twice = [name for name, n in Counter(info.filename for info in members).items() if n > 1]
    if twice:
        raise UnreadableImage(f'it holds "{shown(twice[0])}" more than once, and which one holds is not known')
    return {info.filename: info for info in members}, status


def _member(path: Path, info: zipfile.ZipInfo, name: str, status: tuple[int, int]) -> Member:
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnreadableImage(f'the array "{name}" is packed in a way that numpy does not use')
    if info.flag_bits & _ENCRYPTED:
        raise UnreadableImage(f'the array "{name}" is encrypted')
    size, packed = info.file_size, info.compress_size
    if size > MOST_BYTES or (size > _LARGE and size > MOST_RATIO * packed):
        raise UnreadableImage(
            f'the array "{name}" would unpack {packed:,} bytes to {size:,}: it is taken for a bomb and not read'
        )
    with path.open("rb") as stream:
        stream.seek(info.header_offset)
        head = stream.read(_LOCAL.size)
    if len(head) < _LOCAL.size or not head.startswith(b"PK\3\4"):
        raise UnreadableImage(f'the array "{name}" is not where the archive\'s directory says')
    _, long_name, extra = _LOCAL.unpack(head)
    start = info.header_offset + _LOCAL.size + long_name + extra
    deflated = info.compress_type == zipfile.ZIP_DEFLATED
    if start + packed > status[0] or (not deflated and packed != size):
        raise UnreadableImage(f'the array "{name}" reaches beyond the end of the file: it is truncated')
    return Member(str(path), name, start, packed, size, deflated, info.CRC, status)


def _shaped(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) if abs(n) < 10**12 else "…" for n in shape[:8]) or "()"
