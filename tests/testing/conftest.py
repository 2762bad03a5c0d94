import pytest

from auditkit.protocol.shipped import SHIPPED
from auditkit.testing import Asked, Subjects, made_up_images
from auditkit.vocabulary import Question

# Effects that every defect is held against: those it should show in, and of every family some where it must not.
CHOSEN = {
    "sensitivity": ("gaussian_noise", "jpeg"),
    "discrimination": ("gaussian_noise", "jpeg"),
    "direction": ("brightness", "contrast_up"),
    "metadata": (
        "institution.reputation-high-vs-low",
        "institution.reputation-high-vs-neutral",
        "institution.reputation-low-vs-neutral",
        "institution.teaching-high-vs-neutral",
        "demographics_patient.sex-male-vs-neutral",
    ),
    "placebo": ("institution.neutral", "expertise.neutral"),
    "templates": ("quality",),
    "answers": (
        "quality.direct-refused",
        "quality.direct-unusable",
        "rating.direct-unusable",
        "grade.direct-unusable",
    ),
    "differential": ("gaussian_noise-s5", "jpeg-s5", "institution.reputation.high", "institution.reputation.low"),
    "repeatability": ("asked-twice", "alone-vs-batch"),
    "looking": ("black", "noise"),
    "flags": ("black",),
    "spared": ("gaussian_noise-s1",),
    "burnt_in": ("burnt_in-excellent-vs-poor", "burnt_in-excellent-vs-neutral", "burnt_in-poor-vs-neutral"),
    "authority": ("authority.quality-excellent-vs-neutral", "majority.quality-poor-vs-neutral"),
}


@pytest.fixture(scope="session")
def quick(protocol):
    """The shipped protocol with fewer resamples."""
    return protocol.model_copy(update={"statistics": protocol.statistics.model_copy(update={"resamples": 1000})})


@pytest.fixture(scope="session")
def effects():
    found = [effect for family, names in CHOSEN.items() for effect in SHIPPED[family]() if effect.name in names]
    assert len(found) == sum(map(len, CHOSEN.values()))
    return found


@pytest.fixture(scope="session")
def ask(protocol):
    """One question put to made-up images of one modality; score, clean and the usual wording by default."""

    def give(n, *condition, words="", per_patient=(1,), seed=0, modalities=("ct",)):
        task, _, wording = words.rpartition(".")
        subjects = Subjects.of(made_up_images(dict.fromkeys(modalities, n), per_patient))
        return Asked(subjects, Question(task, wording, condition), protocol.catalogue, seed)

    return give


@pytest.fixture(scope="session")
def images():
    """Made-up images of two modalities with so many patients each."""
    made = {}

    def give(patients):
        return made.setdefault(patients, made_up_images({"ct": patients, "xray": patients}))

    return give
