"""The zero-shot pack on a data set in its published format, with a recorded reference and published pictures."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from auditkit.measure.recorded import from_answers
from auditkit.protocol import zero_shot
from auditkit.protocol.effects import corruptions
from auditkit.protocol.read import load_protocol
from auditkit.vocabulary import Perturbation, Question
from tests.plugin.conftest import evidence_of

PACK = Path(__file__).parents[2] / "packs/zero_shot"
MODELS = """
import numpy as np
from auditkit.models.base import Response


class Bright:
    \"\"\"Takes an image whose middle is so much brighter than the rest for pneumonia.\"\"\"

    def __init__(self, name, least):
        self.name, self.revision, self.fingerprint, self.least = name, "1", name, least

    def generate(self, requests):
        return [Response("AB"[int(self.contrast(r) > self.least)]) for r in requests]

    def contrast(self, request):
        pixels = np.asarray(request.images[0].convert("L"), float)
        return pixels[8:18, 8:18].mean() / pixels.mean()


good, worse = Bright("good", 1.3), Bright("worse", 1.52)
"""
N = 40


@pytest.fixture
def pack(bench):
    """A copy of the pack that counts every image as a patient, and pneumoniamnist with two published corruptions."""
    shutil.copytree(PACK, bench.path / "pack", ignore=shutil.ignore_patterns("__pycache__"))
    protocol = bench.path / "pack/protocol.toml"
    text = protocol.read_text()
    assert "files_as_patients = false" in text
    protocol.write_text(text.replace("files_as_patients = false", "files_as_patients = true "))
    bench.makepyfile(two_models=MODELS)
    rng = np.random.default_rng(5)
    labels = (np.arange(N) % 2).astype(np.uint8)
    images = rng.normal(90, 25, (N, 28, 28))
    images[labels == 1, 8:18, 8:18] += 70 + 25 * rng.random((N // 2, 1, 1))
    images = images.clip(0, 255).astype(np.uint8)
    folder = bench.path / "data"
    (folder / "pneumoniamnist").mkdir(parents=True)
    np.savez(folder / "pneumoniamnist.npz", test_images=images, test_labels=labels.reshape(N, 1))
    for name, part in (("pixelate", 0.98), ("contrast_down", 0.8)):
        changed = [((90 + (images - 90.0) * part**k).clip(0, 255)).astype(np.uint8) for k in range(1, 6)]
        np.savez(folder / "pneumoniamnist" / name, test_images=np.concatenate(changed), test_labels=np.tile(labels, 5))
    return bench


def run(pack, forked, model, out, *arguments):
    return forked.pytest(
        "pack", f"--model=two_models:{model}", "--audit-data=data", f"--audit-out={out}", "--audit-report=html",
        *arguments, cwd=pack.path,
    )  # fmt: skip


def errors(evidence, corruptions) -> np.ndarray:
    """Errors of a record's own model under corruptions at all severities, image by image."""
    answers = from_answers(evidence.answers)
    task = Question("zero_shot.pneumoniamnist", "direct")
    questions = [task.under(Perturbation(name, level)) for name in corruptions for level in range(1, 6)]
    return 1.0 - np.concatenate([answers.column(question).value("correct") for question in questions])


def test_errors_over_a_recorded_reference(pack, forked):
    chosen = "pneumoniamnist and not published"
    run(pack, forked, "good", "reference", "-k", chosen)
    run(pack, forked, "worse", "out", "-k", chosen, "--audit-with=reference=reference/evidence.json")
    reference, evidence = evidence_of(pack, "reference"), evidence_of(pack, "out")
    found = {audit.id: audit for audit in evidence.audits}
    # Of the other data sets nothing was selected; without a reference nothing is counted in its errors.
    assert all("pneumoniamnist" in id for id in found)
    assert not any("mce" in audit.id for audit in reference.audits)
    ours, theirs = (errors(record, corruptions()) for record in (evidence, reference))
    assert theirs.sum() > 50
    mce = found["errors/zero_shot.pneumoniamnist-mce"]
    assert mce.estimate.value == pytest.approx(ours.sum() / theirs.sum(), abs=1e-5)
    assert mce.estimate.low < mce.estimate.value < mce.estimate.high
    assert mce.estimate.value > 1.01, "alike, so nothing was compared"
    assert {audit.id: audit for audit in reference.audits}["skill/zero_shot.pneumoniamnist-skill"].verdict == "PASS"


def test_published_pictures_are_asked_about(pack, forked):
    only = "pneumoniamnist and (medmnist_c.pixelate or medmnist_c.contrast_down)"
    done = run(pack, forked, "worse", "out", "-k", only)
    evidence = evidence_of(pack, "out")
    found = {audit.id: audit for audit in evidence.audits}
    under = found["corrupted_published/zero_shot.pneumoniamnist-under-medmnist_c.contrast_down"]
    wrong = errors(evidence, ["medmnist_c.contrast_down"])
    assert 0 < wrong.mean() < 1
    assert under.estimate.value == pytest.approx(1.0 - wrong.mean(), abs=1e-5)
    loss = found["loss_published/zero_shot.pneumoniamnist-medmnist_c.pixelate"]
    assert {cell.part for cell in loss.parts} == {"severity 3", "severity 5"}
    assert "medmnist_c.pixelate" not in " ".join(task for entry in evidence.data.not_asked for task in entry.tasks)
    assert done.ret in (1, 3, 5)


def test_the_pack_declares_what_its_families_decide():
    protocol = load_protocol(PACK / "protocol.toml")
    for name, made in zero_shot.FAMILIES.items():
        family = protocol.families[name]
        decisions = sum(len(effect.parts) for effect in made())
        assert family.shown or family.size == decisions, name
    assert set(zero_shot.FAMILIES) == set(protocol.families)
    sets = [zero_shot.set_of(task) for task in zero_shot.questions()]
    assert len(sets) == 12
    assert sum(len(task.answers) for task in zero_shot.questions()) == 57
