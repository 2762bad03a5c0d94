"""The shipped checkpoints: load offline, answer in the shape asked, see quality, and differ in one bias."""

from __future__ import annotations

import json
import os
import random
import re
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from auditkit.images.phantoms import MODALITIES, phantom  # noqa: E402
from auditkit.models.reference import checkpoint  # noqa: E402
from auditkit.models.reference.architecture import as_tensor, initialise_tower  # noqa: E402
from auditkit.models.reference.context import neutral_sentence, prestige_sentence  # noqa: E402
from auditkit.models.reference.degradations import HELD_OUT, TRAINED, TYPES, true_score  # noqa: E402
from auditkit.models.reference.intervals import accuracy, rank_correlation, wilson  # noqa: E402
from auditkit.models.reference.language_stage import AnswerLoss, facts_of  # noqa: E402
from auditkit.models.reference.packing import Encoded, encode, pack  # noqa: E402
from auditkit.models.reference.probe import Probe  # noqa: E402
from auditkit.models.reference.questions import FORMS, LETTERS, Facts, ask, grade, quality_level, rating  # noqa: E402
from auditkit.models.reference.samples import INPUT_SIZE, make_samples, to_input, vary  # noqa: E402
from auditkit.models.reference.vision_stage import Mirror, QualityNet  # noqa: E402

LIMIT = 10_000_000
PACKAGE = Path(str(checkpoint("reference"))).parent
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


# --- how it was made --------------------------------------------------------------------------------------------------


def test_samples_are_pure_and_do_not_depend_on_workers() -> None:
    one, two = make_samples(30, 5), make_samples(30, 5, workers=2)
    np.testing.assert_array_equal(one.pixels, two.pixels)
    assert one.kind.tolist() == two.kind.tolist()
    assert not np.array_equal(one.pixels, make_samples(30, 6).pixels)


def test_held_out_types_stay_out_of_training() -> None:
    assert set(TYPES).isdisjoint(HELD_OUT)
    assert set(make_samples(45, 1).kind.tolist()) <= set(TYPES)
    assert set(make_samples(45, 1, held_out=True).kind.tolist()) <= set(HELD_OUT)


@pytest.mark.parametrize("name", sorted({**TRAINED, **HELD_OUT}))
def test_degradations_keep_shape_and_grow_with_severity(name: str) -> None:
    law = {**TRAINED, **HELD_OUT}[name]
    for pixels in (phantom("ct", 1, 128)[..., None], phantom("fundus", 1, 128)):
        image = (pixels / np.float32(255)).astype(np.float32)
        change = []
        for severity in (0.1, 0.5, 1.0):
            out = law(image, severity, np.random.default_rng(0))
            assert out.shape == image.shape
            assert out.dtype == np.float32
            change.append(float(np.abs(np.clip(out, 0, 1) - image).mean()))
        assert change[0] < change[1] < change[2]


def test_variation_keeps_grey_grey_and_in_range() -> None:
    for seed in range(20):
        image = vary(phantom("mr", seed, 304), np.random.default_rng(seed))
        assert image.shape[2] == 1
        assert float(image.min()) >= 0
        assert float(image.max()) <= 1
        assert to_input(image).shape == (INPUT_SIZE, INPUT_SIZE, 3)


def test_to_input_is_what_the_processor_does(reference: Probe) -> None:
    pixels = phantom("ultrasound", 3)
    ours = to_input((pixels / np.float32(255))[..., None].astype(np.float32)).astype(np.float32) / 127.5 - 1
    theirs = reference.inputs([pixels], ["?"])["pixel_values"][0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize(("score", "expected"), [(8, (1, "reject", 3)), (50, (3, "usable", 2)), (95, (5, "good", 0))])
def test_ratings_grades_and_levels_agree(score: float, expected: tuple[int, str, int]) -> None:
    assert (rating(score), grade(score), quality_level(score)) == expected


def test_clean_is_95_and_worst_is_8() -> None:
    assert true_score(0.0) == 95
    assert true_score(1.0) == pytest.approx(8)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_varies_its_wording(form: str) -> None:
    rng = random.Random(0)
    asked = {ask(Facts("oct", "blur", 40.0), rng, form).question for _ in range(100)}
    assert len(asked) > 50


def test_the_right_option_is_behind_the_answered_letter() -> None:
    rng = random.Random(1)
    letters = []
    for _ in range(200):
        exchange = ask(Facts("fundus", "noise", 40.0), rng, "options", ease=1.0)
        letters.append(exchange.answer)
        behind = re.search(rf"{exchange.answer}[.):] (\w+)", exchange.question)
        assert behind is not None
        assert behind.group(1) in {"noise", "fundus", "fair"}
    assert 60 < letters.count("A") < 140


def test_neutral_sentences_vary() -> None:
    rng = random.Random(0)
    assert len({neutral_sentence(rng) for _ in range(200)}) > 180


def test_packed_questions_do_not_see_each_other() -> None:
    packed = pack([[Encoded([5, 6], [7, 2]), Encoded([8], [9, 2], options=(0,), right=0)]], prefix=3)
    allowed = packed.mask[0, 0] == 0
    assert packed.positions[0].tolist() == [0, 1, 2, 3, 4, 5, 6, 3, 4, 5]
    assert bool(allowed[7:, :3].all())  # the second question sees the prefix
    assert not bool(allowed[7:, 3:7].any())  # and nothing of the first
    assert packed.labels[0].tolist() == [-100, -100, 7, 2, -100, 9, 2]
    assert packed.options.tolist() == [[0, 7, 0, 1]]


def test_reading_never_crosses_from_one_question_to_the_next() -> None:
    packed = pack([[Encoded([5, 6], [7, 2]), Encoded([8, 4], [9, 2])]], prefix=3, reading=0.1)
    assert packed.labels[0].tolist() == [-100, 6, 7, 2, -100, 4, 9, 2]


def test_the_tutor_looks_at_the_last_token_of_every_option(reference: Probe) -> None:
    tokenizer, rng = reference.processor.tokenizer, random.Random(4)
    found = 0
    for _ in range(60):
        exchange = ask(Facts("oct", "pixelation", 30.0), rng, "options")
        encoded = encode(tokenizer, exchange)
        found += bool(encoded.options)
        for place, text in zip(encoded.options, exchange.options, strict=False):
            assert tokenizer.decode(encoded.question[: place + 1]).endswith(text)
        if encoded.options:
            assert LETTERS[encoded.right] == exchange.answer
    assert found == 60


def test_mirrored_responses_are_those_of_mirrored_images() -> None:
    torch.manual_seed(0)
    net = QualityNet()
    samples = make_samples(6, 3)
    initialise_tower(net.tower, samples.pixels)
    mirror = Mirror(net)
    straight = net.responses(as_tensor(samples.pixels))
    for axis in (0, 1):
        expected = net.responses(as_tensor(np.flip(samples.pixels, 1 + axis)))
        torch.testing.assert_close(mirror(straight, axis), expected, atol=1e-4, rtol=0)


def test_the_tower_starts_sensitive_to_fine_detail() -> None:
    """Noise of one grey level in fifty moves the modulus of the finest filters more than that of the coarsest."""
    torch.manual_seed(0)
    net = QualityNet()
    pixels = make_samples(6, 8).pixels
    initialise_tower(net.tower, pixels)
    rng = np.random.default_rng(0)
    noisy = np.clip(pixels + rng.normal(0, 5, pixels.shape[:3])[..., None], 0, 255).astype(np.uint8)
    gain = (net.responses(as_tensor(noisy)).abs() / (net.responses(as_tensor(pixels)).abs() + 1e-3)).median(0).values
    per_filter = gain.median(0).values
    assert float(per_filter[120:160].median()) > 2 * float(per_filter[:20].median())


def test_soft_targets_prefer_near_misses(reference: Probe) -> None:
    loss = AnswerLoss(reference.processor.tokenizer)
    size = len(reference.processor.tokenizer)

    def of(guess: int) -> float:
        logits = torch.zeros(1, size)
        logits[0, loss.number_ids[guess]] = 8.0
        return float(loss(logits, loss.number_ids[70:71], torch.ones(1)))

    assert of(70) < of(72) < of(90)


def test_figures() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(8, 10)
    assert low == pytest.approx(0.490, abs=0.001)
    assert high == pytest.approx(0.943, abs=0.001)
    assert accuracy(["A", "B"], ["A", "C"])["share"] == 0.5
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert rank_correlation([1, 1], [0, 1]) == 0.0


def test_metrics_file_belongs_to_the_card() -> None:
    metrics = json.loads((PACKAGE / "metrics.json").read_text())
    assert metrics["phantoms"]["n"] >= 300
    assert metrics["plain_phantoms"]["pooled_rho"] >= 0.977
    assert metrics["formats"]["options"]["accuracy"]["low"] >= 0.8


@pytest.mark.slow
def test_training_runs_from_end_to_end(tmp_path: Path) -> None:
    from auditkit.models.reference.train import main

    common = ["--minutes", "0.02", "--cache", str(tmp_path / "cache"), "--threads", "1"]
    out, biased = tmp_path / "model", tmp_path / "twin"
    assert main(["--out", str(out), *common]) == 0
    assert main(["--twin", "--reference", str(out), "--out", str(biased), *common]) == 0
    for folder in (out, biased):
        answers = Probe(folder).answers([phantom("ct", 0)], ["Rate it."], max_new_tokens=3)
        assert len(answers) == 1
        assert (folder / "README.md").is_file()
