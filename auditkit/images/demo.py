"""The demonstration data: real DICOM files out of ordinary packages, filled up with procedural phantoms.

`demo_manifest.csv` lists every image with its origin, licence, SHA-256 and, where a scanner wrote text into the
picture, the box that is left after cutting it away. Nothing is downloaded: the files come with the extra ``demo``.

The rows of real files (which, and their crop) are curated by hand; ``python -m tools.demo_manifest`` writes the rest.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auditkit.errors import AuditkitError
from auditkit.images import phantoms
from auditkit.images.files import Settings, file_digest, inside, record_of
from auditkit.images.item import NOT_IDENTIFIABLE, ImageSet, Item, LeftOut, Picture, UnreadableImage, salted_hash
from auditkit.images.scaling import Box, fit
from auditkit.images.strata import attributes_of
from auditkit.version import install_line

MANIFEST = Path(__file__).with_name("demo_manifest.csv")
PHANTOM_SIZE = 256

# Distribution -> the module whose folder holds the files.
_MODULES = {"pydicom-data": "data_store", "pydicom": "pydicom", "mammograms": "mammograms"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the demonstration manifest; every field is text, as in the table.

    Attributes
    ----------
    name : str
        Path inside the package, or ``phantom/<modality>/<seed>``.
    package, version : str
        The distribution that brings the file, or auditkit and the phantoms' version.
    sha256 : str
        Of the file's bytes; for a phantom, of its pixels at 256 x 256 on the machine that wrote the table.
    licence : str
        Of the picture as far as its package states it.
    modality : str
        One of `MODALITIES`.
    cluster : str
        The patient: views and copies of one patient share it.
    label : str
        What is known of the finding, or empty.
    crop : str
        ``left top right bottom`` in native pixels, or empty.
    synthetic : str
        ``yes`` for phantoms.
    seed : str
        The phantom's.
    look : str
        Mean grey of each of 4 x 4 blocks of the phantom, as 32 hex digits: other processors round a pixel here and
        there the other way, which changes the hash and not these.
    """

    name: str
    package: str
    version: str
    sha256: str
    licence: str
    modality: str
    cluster: str
    label: str = ""
    crop: str = ""
    synthetic: str = "no"
    seed: str = ""
    look: str = ""

    @property
    def box(self) -> Box | None:
        """The crop as numbers."""
        if not self.crop:
            return None
        left, top, right, bottom = (int(number) for number in self.crop.split())
        return left, top, right, bottom


@dataclass(frozen=True, slots=True)
class PhantomReader:
    """Draws a phantom when called; what `Picture.read` is for phantoms."""

    modality: str
    seed: int
    max_side: int

    def __call__(self) -> NDArray[np.uint8]:
        return fit(phantoms.phantom(self.modality, self.seed, PHANTOM_SIZE), self.max_side)


def load_demo(settings: Settings) -> ImageSet:
    """List the demonstration data.

    Parameters
    ----------
    settings : Settings
        How the data set is read.

    Returns
    -------
    ImageSet
        With a `notice` that says what the data is and is not.

    Raises
    ------
    AuditkitError
        A package of the ``demo`` extra is not installed.
    """
    entries = read_manifest()
    folders = package_folders({entry.package for entry in entries if entry.synthetic != "yes"})
    records: list[Item] = []
    left_out: list[LeftOut] = []
    for entry in entries:
        try:
            if entry.synthetic == "yes":
                records.append(_phantom_record(entry, settings))
            else:
                records.append(_file_record(entry, folders[entry.package], settings))
        except UnreadableImage as error:
            left_out.append(LeftOut(f"{entry.package}:{entry.name}", str(error)))
    records.sort(key=lambda record: record.id)
    return ImageSet("demo", tuple(records), tuple(left_out), notice_of(records))


def notice_of(records: list[Item]) -> str:
    """Return the sentence that every report on the demonstration data carries."""
    real = [record for record in records if not record.synthetic]
    patients = len({record.cluster for record in real})
    drawn = len(records) - len(real)
    return (
        f"Demonstration data: {len(real)} real images of {patients} patients out of public software packages and "
        f"{drawn} procedural phantoms that show nobody. It exercises the audits; it is not clinical evidence."
    )


def read_manifest() -> list[Entry]:
    """Return the rows of the demonstration manifest."""
    with MANIFEST.open(encoding="utf-8", newline="") as stream:
        return [Entry(**row) for row in csv.DictReader(stream)]


def phantom_content(modality: str, seed: int, max_side: int) -> str:
    """Return the SHA-256 over all that a phantom's pixels depend on."""
    parts = ("auditkit.images.phantom", phantoms.VERSION, modality, seed, PHANTOM_SIZE, max_side)
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def package_folders(packages: set[str]) -> dict[str, Path]:
    """Return where the files of each distribution lie.

    Raises
    ------
    AuditkitError
        Naming those that are not installed.
    """
    folders: dict[str, Path] = {}
    missing: list[str] = []
    for package in sorted(packages):
        spec = find_spec(_MODULES[package])  # finds the folder without importing the package
        if spec is None or not spec.submodule_search_locations:
            missing.append(package)
        else:
            folders[package] = Path(next(iter(spec.submodule_search_locations))).resolve()
    if missing:
        raise AuditkitError(
            f"The demonstration data needs packages that are not installed: {', '.join(missing)}.",
            f"Install them with: {install_line('demo')} (or give your own images with --audit-data=FOLDER).",
        )
    return folders


def _file_record(entry: Entry, folder: Path, settings: Settings) -> Item:
    digest = file_digest(inside(folder, entry.name))
    if digest[0] != entry.sha256:
        raise UnreadableImage(
            f"it is not the file that was curated for {entry.package} {entry.version}: its SHA-256 begins with "
            f"{digest[0][:12]}, expected is {entry.sha256[:12]}"
        )
    declared = {
        "patient_id": f"demo {entry.cluster}",
        "modality": entry.modality,
        "licence": entry.licence,
        "label": entry.label,
    }
    record = record_of(folder, entry.name, digest, settings, source=entry.package, declared=declared, crop=entry.box)
    # Public pictures, looked through one by one: what a scanner wrote into them is cropped away.
    return replace(record, name=f"{entry.package}:{entry.name}", identifiable=NOT_IDENTIFIABLE, declared_by="")


def _phantom_record(entry: Entry, settings: Settings) -> Item:
    if entry.version != str(phantoms.VERSION):
        raise UnreadableImage(
            f"the table lists it for version {entry.version} of the phantoms, installed is {phantoms.VERSION}"
        )
    seed = int(entry.seed)
    said = {"label": entry.label, "modality": entry.modality}
    return Item(
        id=salted_hash(settings.salt, "image", entry.name),
        cluster=salted_hash(settings.salt, "patient", f"demo {entry.cluster}"),
        modality=entry.modality,
        pictures=(
            Picture(
                phantom_content(entry.modality, seed, settings.max_side),
                PhantomReader(entry.modality, seed, settings.max_side),
            ),
        ),
        synthetic=True,
        source="phantom",
        name=entry.name,
        licence=entry.licence,
        attributes=attributes_of(label=entry.label),
        columns={key: said[key] for key in settings.columns if said.get(key)},
        identifiable=NOT_IDENTIFIABLE,
    )
