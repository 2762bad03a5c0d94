"""Whose images these are: those of patients and those that a program drew, counted apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditkit.evidence import Evidence, ItemEntry
from auditkit.words import count, whole


@dataclass(frozen=True)
class Counts:
    """The images of one modality, or of all."""

    modality: str
    """Empty for all."""
    images: int
    """Images of patients."""
    patients: int | None
    """Whose images these are; None where the record has only their sum with the made-up ones."""
    synthetic: int
    """Images that were drawn by a program."""
    without: int = 0
    """Items without a picture among them all."""

    @property
    def words(self) -> str:
        """Say how many images of how many patients there are, and how many come from nobody."""
        drawn = count(self.synthetic, "synthetic image")
        if not self.images:
            return f"{drawn} of no patient" if self.synthetic else "no images"
        whose = "patients" if self.patients is None else count(self.patients, "patient")
        real = f"{count(self.images, 'image')} of {whose}"
        if self.without:
            real += f", {whole(self.without)} of them without a picture"
        return f"{real} and {drawn} of no patient" if self.synthetic else real

    @property
    def people(self) -> str:
        """The number of patients for a table."""
        return "not known" if self.patients is None else whole(self.patients)


@dataclass(frozen=True)
class Population:
    """All images of a run."""

    modalities: Sequence[Counts]
    total: Counts


def population(evidence: Evidence) -> Population:
    """Count images and patients, the made-up ones apart.

    Parameters
    ----------
    evidence : Evidence
        The record of a run. Patients are counted from its list of items, where that is complete.

    Returns
    -------
    Population
        In the order of the record's modalities.
    """
    data, items = evidence.data, evidence.answers.items
    listed = items if len(items) == data.n_images else None
    rows = []
    for stratum in data.modalities:
        own = None if listed is None else [item for item in listed if item.modality == stratum.modality]
        rows.append(_counts(stratum.modality, stratum.n_images, stratum.n_clusters, stratum.n_synthetic, own))
    synthetic = sum(stratum.n_synthetic for stratum in data.modalities)
    return Population(rows, _counts("", data.n_images, data.n_clusters, synthetic, listed))


def _counts(modality: str, images: int, clusters: int, synthetic: int, items: Sequence[ItemEntry] | None) -> Counts:
    real = images - synthetic
    patients: int | None = None
    if not synthetic:
        patients = clusters
    elif not real:
        patients = 0
    elif items is not None:
        patients = len({item.cluster for item in items if not item.synthetic})
    without = sum(not item.pictures for item in items or () if not item.synthetic)
    return Counts(modality, real, patients, synthetic, without)
