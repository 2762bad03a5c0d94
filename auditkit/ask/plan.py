"""The plan: every question the comparisons need, each once, ordered by image."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from auditkit import perturbations, tasks
from auditkit.errors import AuditkitError
from auditkit.images.record import ImageRecord
from auditkit.protocol.model import Protocol
from auditkit.vocabulary import CLEAN, Comparison, Condition, Contrast, Group, Probe, Series, Wordings


@dataclass(frozen=True)
class Plan:
    """What to ask of what.

    The probes are listed image by image when they are needed, so that a plan over a hundred thousand images takes no
    more memory than its records.

    Attributes
    ----------
    records : tuple of ImageRecord
        The images, in a fixed order.
    comparisons : tuple of Comparison
        What the collected audits compare.
    protocol : Protocol
        Resolves ``@score``.
    """

    records: tuple[ImageRecord, ...]
    comparisons: tuple[Comparison, ...]
    protocol: Protocol

    def probes(self, record: ImageRecord) -> list[Probe]:
        """Return the distinct probes of one image: clean first, then grouped by what is done to the pixels."""
        questions = self._same_for_all
        return [Probe(record.id, *question) for question in questions or self._questions_of(record)]

    @cached_property
    def _same_for_all(self) -> list[tuple[Condition, str]]:
        """The questions when no comparison chooses among the images: listed once, not once per image and pass."""
        choosy = any(type(c) not in (Contrast, Series, Wordings, Group) for c in self.comparisons)
        return [] if choosy or not self.records else self._questions_of(self.records[0])

    def _questions_of(self, record: ImageRecord) -> list[tuple[Condition, str]]:
        found: dict[tuple[Condition, str], None] = {}
        for comparison in self.comparisons:
            for probe in comparison.probes((record.id,)):
                found[probe.condition, self.protocol.resolve_template(probe.template)] = None
        return sorted(found, key=lambda question: (question[0].corruption != CLEAN, question))

    def size(self) -> int:
        """Return the number of questions."""
        return sum(len(self.probes(record)) for record in self.records)


def stages(records: Sequence[ImageRecord], number: int, seed: int) -> tuple[tuple[ImageRecord, ...], ...]:
    """Divide the images into stages of patients, in an order fixed by the seed; no patient is in two stages.

    Parameters
    ----------
    records : sequence of ImageRecord
        All images.
    number : int
        Stages wanted; those that no patient is left for are dropped.
    seed : int
        The protocol's seed.

    Returns
    -------
    tuple of tuples of ImageRecord
        Images by stage, sorted by id. Every modality is spread evenly over the stages.
    """
    ordered = sorted(records, key=lambda r: r.id)
    stage_of: dict[str, int] = {}
    for clusters in _queues(ordered, seed).values():
        fresh = [cluster for cluster in clusters if cluster not in stage_of]
        # Rounded up, so that the first stage of few patients is not the smallest.
        ends = [-(-len(fresh) * (stage + 1) // number) for stage in range(number)]
        for place, cluster in enumerate(fresh):
            stage_of[cluster] = next(stage for stage, end in enumerate(ends) if place < end)
    found = (tuple(r for r in ordered if stage_of[r.cluster] == stage) for stage in range(number))
    return tuple(stage for stage in found if stage)


def _queues(ordered: Sequence[ImageRecord], seed: int) -> dict[str, list[str]]:
    """Patients by modality, in an order that depends on the seed and their hashed ids only."""
    queues: dict[str, dict[str, None]] = {}
    for record in ordered:
        queues.setdefault(record.modality, {})[record.cluster] = None
    return {
        modality: sorted(queues[modality], key=lambda c: hashlib.sha256(f"{seed}:{c}".encode()).digest())
        for modality in sorted(queues)
    }


def distinct(comparisons: Iterable[Comparison]) -> tuple[Comparison, ...]:
    """Return the comparisons without repetitions, sorted by family and name so that no order of tests shows.

    Raises
    ------
    AuditkitError
        When two comparisons with different questions have the same family and name.
    """
    found: dict[tuple[str, str], Comparison] = {}
    for comparison in comparisons:
        known = found.setdefault((comparison.family, comparison.name), comparison)
        if known != comparison and _questions(known) != _questions(comparison):
            raise AuditkitError(
                f"two different comparisons are both named {comparison.family}/{comparison.name}; only one could be "
                "reported.",
                "Give them different names.",
            )
    return tuple(found[key] for key in sorted(found))


def check_comparisons(comparisons: Iterable[Comparison], protocol: Protocol) -> None:
    """Refuse comparisons that name a template, context, corruption or severity that does not exist.

    Done before the first question, because the last of them might only come up after hours.

    Raises
    ------
    AuditkitError
        Naming the comparison and what it asks for.
    """
    for comparison in comparisons:
        for probe in comparison.probes(("image",)):
            condition = probe.condition
            try:
                tasks.render(protocol.resolve_template(probe.template), condition.context)
                if condition.corruption != CLEAN:
                    perturbations.corruption(condition.corruption).level(condition.severity)
            except AuditkitError as error:
                raise AuditkitError(
                    f"{comparison.family}/{comparison.name} cannot be asked: {error.problem}", error.remedy
                ) from None


def _questions(comparison: Comparison) -> list[Probe]:
    return list(comparison.probes(("image",)))


def limit_clusters(records: Sequence[ImageRecord], limit: int | None, seed: int) -> tuple[ImageRecord, ...]:
    """Take a seeded subset of at most ``limit`` patients, spread over the modalities in turn.

    The order of patients depends on the seed and their hashed ids only, so a larger limit contains a smaller one.

    Parameters
    ----------
    records : sequence of ImageRecord
        All images.
    limit : int or None
        Number of patients (clusters) to keep; None keeps all.
    seed : int
        The protocol's seed.
    """
    ordered = sorted(records, key=lambda r: r.id)
    if limit is None:
        return tuple(ordered)
    queues = _queues(ordered, seed)
    chosen: dict[str, None] = {}
    for turn in range(max(map(len, queues.values()), default=0)):
        for clusters in queues.values():
            if len(chosen) < limit and turn < len(clusters):
                chosen[clusters[turn]] = None
    return tuple(record for record in ordered if record.cluster in chosen)
