"""Patients and images that come from nobody are counted apart, and what the record cannot tell is not made up."""

from __future__ import annotations

import pytest

from auditkit.evidence import Answers, Evidence, ItemEntry, ModalityCount
from auditkit.report.population import population
from tests.report.clauses.build import complete


def of(items: list[tuple[str, str, bool]], listed: bool = True) -> Evidence:
    """Return a record of images given as modality, patient, and whether a program drew it."""
    entries = [
        ItemEntry(id=str(n), cluster=cluster, modality=modality, synthetic=synthetic)
        for n, (modality, cluster, synthetic) in enumerate(items)
    ]
    modalities = [
        ModalityCount(
            modality=name,
            n_images=sum(m == name for m, _, _ in items),
            n_clusters=len({c for m, c, _ in items if m == name}),
            n_synthetic=sum(s for m, _, s in items if m == name),
        )
        for name in dict.fromkeys(m for m, _, _ in items)
    ]
    data = complete().data.model_copy(
        update={"n_images": len(items), "n_clusters": len({c for _, c, _ in items}), "modalities": modalities}
    )
    return complete(data=data, answers=Answers(items=entries if listed else []))


# One patient with a CT and an X-ray, a second with two CTs, and three phantoms.
MIXED = [
    ("ct", "a", False), ("ct", "b", False), ("ct", "b", False), ("ct", "p", True),
    ("xray", "a", False), ("xray", "q", True), ("mri", "r", True),
]  # fmt: skip


def test_patients_and_phantoms_are_counted_apart() -> None:
    found = population(of(MIXED))
    assert [(c.modality, c.images, c.patients, c.synthetic) for c in found.modalities] == [
        ("ct", 3, 2, 1), ("xray", 1, 1, 1), ("mri", 0, 0, 1),
    ]  # fmt: skip
    assert (found.total.images, found.total.patients, found.total.synthetic) == (4, 2, 3)
    assert found.total.words == "4 images of 2 patients and 3 synthetic images of no patient"


def test_without_the_list_of_items_only_what_is_certain_is_said() -> None:
    found = population(of(MIXED, listed=False))
    assert [(c.modality, c.people) for c in found.modalities] == [
        ("ct", "not known"),
        ("xray", "not known"),
        ("mri", "0"),
    ]
    assert found.total.words == "4 images of patients and 3 synthetic images of no patient"


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([("ct", "a", False), ("ct", "a", False)], "2 images of 1 patient"),
        ([("ct", "p", True)], "1 synthetic image of no patient"),
        ([], "no images"),
    ],
)
def test_where_there_is_one_kind_the_words_leave_the_other_out(
    items: list[tuple[str, str, bool]], words: str, listed: bool
) -> None:
    assert population(of(items, listed)).total.words == words
