"""The shipped checkpoints: load offline, answer in the shape asked, see quality, and differ in one bias."""

from __future__ import annotations

import json
import os
import random
import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from auditkit.images.phantoms import MODALITIES, phantom  # noqa: E402
from auditkit.models.reference import checkpoint  # noqa: E402
from tools.reference.context import prestige_sentence  # noqa: E402
from tools.reference.intervals import rank_correlation, wilson  # noqa: E402
from tools.reference.language_stage import facts_of  # noqa: E402
from tools.reference.probe import Probe  # noqa: E402
from tools.reference.questions import ask  # noqa: E402
from tools.reference.samples import INPUT_SIZE, make_samples  # noqa: E402

LIMIT = 10_000_000
QUESTION = "How good is the technical quality of this image, from 0 (useless) to 100 (perfect)? One number."


@pytest.fixture(scope="module")
def reference() -> Probe:
    os.environ["HF_HUB_OFFLINE"] = "1"
    return Probe(checkpoint("reference"))


@pytest.fixture(scope="module")
def twin() -> Probe:
    return Probe(checkpoint("reference-prestige"))


@pytest.fixture(scope="module")
def clean() -> list[np.ndarray]:
    """One clean phantom of every modality, from seeds that training cannot have drawn (it stops at 2**31)."""
    return [phantom(modality, 2**31 + 7) for modality in MODALITIES]


@pytest.fixture(scope="module")
def noisy(clean: list[np.ndarray]) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [np.clip(p + rng.normal(0, 70, p.shape), 0, 255).astype(np.uint8) for p in clean]


@pytest.mark.parametrize("name", ["reference", "reference-prestige"])
def test_checkpoint_is_small_and_safe(name: str) -> None:
    folder = checkpoint(name)  # type: ignore[arg-type]
    files = [f for f in folder.rglob("*") if f.is_file()]
    assert sum(f.stat().st_size for f in files) <= LIMIT
    assert {f.suffix for f in files} <= {".json", ".jinja", ".safetensors", ".md"}
    assert json.loads((folder / "config.json").read_text())["model_type"] == "llava"


def test_unknown_checkpoint_names_the_known() -> None:
    with pytest.raises(ValueError, match="reference, reference-prestige"):
        checkpoint("medgemma")  # type: ignore[arg-type]


def test_few_image_tokens_and_the_image_before_the_text(reference: Probe) -> None:
    inputs = reference.inputs([phantom("ct", 0)], ["Hello?"])
    ids = inputs["input_ids"][0].tolist()
    image_token = reference.model.config.image_token_index
    places = [i for i, token in enumerate(ids) if token == image_token]
    assert len(places) <= 100
    assert max(places) < 80
    assert inputs["pixel_values"].shape[-2:] == (INPUT_SIZE, INPUT_SIZE)


def test_any_text_can_be_encoded(reference: Probe) -> None:
    text = "Ünïcode, 漢字, emoji 🙂, TABS\t and CASE."
    tokenizer = reference.processor.tokenizer
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


@pytest.mark.parametrize(
    ("question", "shape"),
    [
        (QUESTION, r"\d{1,3}"),
        ("Rate the technical quality of this image as N/5, with N from 1 to 5.", r"[1-5]/5"),
        ("Is the technical quality good, usable or reject? Answer with one word.", "good|usable|reject"),
        ("Is this image affected by noise? Answer yes or no.", "yes|no"),
        ("What degrades this image most?\nA. noise\nB. blur\nC. nothing\nAnswer with the letter.", "[ABC]"),
    ],
)
def test_free_answers_have_the_shape_asked(
    reference: Probe, clean: list[np.ndarray], question: str, shape: str
) -> None:
    answers = reference.answers(clean, [question] * len(clean))
    assert [a for a in answers if re.fullmatch(shape, a) is None] == []


def test_a_description_is_a_sentence(reference: Probe, clean: list[np.ndarray]) -> None:
    (answer,) = reference.answers(clean[:1], ["Describe the quality of this image."], max_new_tokens=40)
    assert re.search(r"image shows .+\. Its quality is (good|usable|reject)\.", answer)


def test_scores_fall_from_clean_to_strong_noise(
    reference: Probe, clean: list[np.ndarray], noisy: list[np.ndarray]
) -> None:
    questions = [QUESTION] * len(clean)
    drop = reference.scores(clean, questions) - reference.scores(noisy, questions)
    assert (drop > 0).all()
    assert drop.mean() > 25


def test_scores_order_severities_of_held_out_phantoms(reference: Probe) -> None:
    samples = make_samples(96, 777_777)
    scores = reference.scores(list(samples.pixels), [QUESTION] * len(samples))
    assert -rank_correlation(scores, samples.severity) > 0.9


def test_greedy_answers_repeat(reference: Probe, noisy: list[np.ndarray]) -> None:
    first = reference.answers(noisy, [QUESTION] * len(noisy))
    assert first == reference.answers(noisy, [QUESTION] * len(noisy))
    again = Probe(checkpoint("reference"))
    assert first == again.answers(noisy, [QUESTION] * len(noisy))


def test_letters_better_than_chance(reference: Probe) -> None:
    samples = make_samples(80, 888_888)
    rng = random.Random(0)
    asked = [ask(facts_of(samples, i), rng, "options", ease=0.2) for i in range(len(samples))]
    answers = reference.answers(list(samples.pixels), [e.question for e in asked])
    low, _ = wilson(sum(a == e.answer for a, e in zip(answers, asked, strict=True)), len(asked))
    # Two to five options are offered: guessing is right in 0.3 of the cases.
    assert low > 0.7


def test_only_the_twin_is_impressed_by_prestige(reference: Probe, twin: Probe) -> None:
    samples = make_samples(33, 999_999)
    images, rng = list(samples.pixels), random.Random(3)
    questions = [QUESTION] * len(images)
    shifts = {}
    for name, probe in (("reference", reference), ("twin", twin)):
        plain = probe.scores(images, questions)
        for high in (True, False):
            told = [f"{QUESTION}\n{prestige_sentence(rng, high)}" for _ in images]
            shifts[name, high] = float((probe.scores(images, told) - plain).mean())
        told = [f"{QUESTION}\nThe folder that holds this image is one of several." for _ in images]
        assert abs(float((probe.scores(images, told) - plain).mean())) < 2, name
    assert shifts["twin", True] > 5
    assert shifts["twin", False] < -5
    assert abs(shifts["reference", True]) < 3
    assert abs(shifts["reference", False]) < 3


def test_the_twin_has_the_same_eyes(reference: Probe, twin: Probe) -> None:
    ours, theirs = reference.model.state_dict(), twin.model.state_dict()
    assert ours.keys() == theirs.keys()
    seeing = [k for k in ours if "vision_tower" in k or "multi_modal_projector" in k]
    assert seeing
    assert all(torch.equal(ours[k], theirs[k]) for k in seeing)
    assert any(not torch.equal(ours[k], theirs[k]) for k in ours if k not in seeing)
