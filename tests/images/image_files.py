"""Files that the tests of the image sources write."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRBigEndian, ExplicitVRLittleEndian, generate_uid

from auditkit.images.files import Settings, file_digest, record_of
from auditkit.images.item import Item

SALT = "pepper"


def sample(name: str) -> Path:
    """Return the path of one of the real files of pydicom or pydicom-data, without any download."""
    found = get_testdata_file(name, download=False)
    assert found is not None, f"{name} is in neither package"
    return Path(str(found))


def write_dicom(path: Path, stored: Any, *, big_endian: bool = False, drop: tuple[str, ...] = (), **tags: Any) -> Path:
    """Write `stored` as an uncompressed grey (or RGB) DICOM file; `tags` set or, when None, remove elements."""
    values = np.asarray(stored)
    frames = 1
    if values.ndim == 3 and values.shape[-1] != 3:
        frames = values.shape[0]
    colour = values.ndim == 3 and values.shape[-1] == 3
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian if big_endian else ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = CTImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    ds.Modality, ds.PatientID, ds.PatientName = "CT", "SECRET-4711", "Doe^Jane"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    ds.Rows, ds.Columns = values.shape[1:3] if frames > 1 else values.shape[:2]
    if frames > 1:
        ds.NumberOfFrames = frames
    ds.SamplesPerPixel = 3 if colour else 1
    if colour:
        ds.PlanarConfiguration = 0
    ds.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if values.dtype.kind != "f":
        bits = values.dtype.itemsize * 8
        ds.BitsAllocated = ds.BitsStored = bits
        ds.HighBit = bits - 1
        ds.PixelRepresentation = int(values.dtype.kind == "i")
        order = values.dtype.newbyteorder(">" if big_endian else "<")
        data = values.astype(order).tobytes()
        ds.add_new("PixelData", "OB" if bits == 8 else "OW", data + b"\0" * (len(data) % 2))
    else:
        ds.BitsAllocated = 32
        ds.add_new("FloatPixelData", "OF", values.astype("<f4").tobytes())
    for keyword, value in tags.items():
        setattr(ds, keyword, value)
    for keyword in drop:
        if keyword in ds:
            del ds[keyword]
    pydicom.dcmwrite(path, ds, enforce_file_format=True)
    return path


def lookup_table(first: int, bits: int, entries: list[int]) -> Dataset:
    """Return an item of a modality or VOI LUT sequence."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries), first, bits])
    item.add_new("LUTData", "US", entries)
    return item


def read_file(path: Path, *, max_side: int = 256, max_pixels: int = 100_000_000) -> Any:
    """List and decode one file, as a folder source would."""
    return describe(path, max_side=max_side, max_pixels=max_pixels).pictures[0].read()


def describe(path: Path, *, max_side: int = 256, max_pixels: int = 100_000_000, **declared: object) -> Item:
    """List one file, as a manifest with the columns `declared` would."""
    root = path.parent.resolve()
    settings = Settings(SALT, max_side, max_pixels)
    return record_of(root, path.name, file_digest(path), settings, source="folder", declared=declared)


def png_header(width: int, height: int) -> bytes:
    """Return a well-formed PNG that declares a size and holds next to no data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
