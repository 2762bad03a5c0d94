"""How the reference model was made: images, questions, packing, the start of the tower, and the whole of training."""

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

from auditkit.images.phantoms import phantom  # noqa: E402
from auditkit.models.reference import checkpoint  # noqa: E402
from tools.reference.__main__ import main  # noqa: E402
from tools.reference.architecture import as_tensor, initialise_tower  # noqa: E402
from tools.reference.context import neutral_sentence  # noqa: E402
from tools.reference.degradations import HELD_OUT, TRAINED, TYPES, true_score  # noqa: E402
from tools.reference.intervals import accuracy, rank_correlation, wilson  # noqa: E402
from tools.reference.language_stage import AnswerLoss  # noqa: E402
from tools.reference.packing import Encoded, encode, pack  # noqa: E402
from tools.reference.probe import Probe  # noqa: E402
from tools.reference.questions import FORMS, LETTERS, Facts, ask, grade, quality_level, rating  # noqa: E402
from tools.reference.samples import INPUT_SIZE, make_samples, to_input, vary  # noqa: E402
from tools.reference.vision_stage import Mirror, QualityNet  # noqa: E402

METRICS = Path(__file__).resolve().parents[2] / "tools/reference/metrics.json"


@pytest.fixture(scope="module")
def reference() -> Probe:
    os.environ["HF_HUB_OFFLINE"] = "1"
    return Probe(checkpoint("reference"))


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
    metrics = json.loads(METRICS.read_text())
    assert metrics["phantoms"]["n"] >= 300
    assert metrics["plain_phantoms"]["pooled_rho"] >= 0.977
    assert metrics["formats"]["options"]["accuracy"]["low"] >= 0.8


@pytest.mark.parametrize("arguments", [[], ["measure"], ["--twin"]])
def test_an_unknown_command_is_told_the_known(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "{train,evaluate}" in capsys.readouterr().err


@pytest.mark.slow
def test_training_runs_from_end_to_end(tmp_path: Path) -> None:
    common = ["--minutes", "0.02", "--cache", str(tmp_path / "cache"), "--threads", "1"]
    out, biased = tmp_path / "model", tmp_path / "twin"
    assert main(["train", "--out", str(out), *common]) == 0
    assert main(["train", "--twin", "--reference", str(out), "--out", str(biased), *common]) == 0
    for folder in (out, biased):
        answers = Probe(folder).answers([phantom("ct", 0)], ["Rate it."], max_new_tokens=3)
        assert len(answers) == 1
        assert (folder / "README.md").is_file()
