"""Measure the reference model: ``python -m tools.reference evaluate [--checkpoint DIR] [--out FILE]``.

Phantoms come from seeds never trained on, questions are answered by free greedy generation and compared word by word.
Real images are the demo set's DICOM files; nothing was trained or tuned on their pixels, but they were looked at.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import time
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch

from auditkit import tasks
from auditkit.images.demo import load_demo
from auditkit.images.files import Settings
from auditkit.images.phantoms import MODALITIES
from auditkit.models.reference import checkpoint
from auditkit.perturbations import shipped
from auditkit.perturbations.apply import perturb, perturbation_key
from auditkit.perturbations.words import closed
from tools.reference.context import prestige_sentence
from tools.reference.degradations import CLEAN
from tools.reference.intervals import accuracy, rank_correlation
from tools.reference.language_stage import facts_of
from tools.reference.probe import Pixels, Probe
from tools.reference.questions import Exchange, ask
from tools.reference.samples import Samples, make_samples
from tools.reference.wording import MODALITY_NAMES

_TEST_SEED: Final = 990_001
_SCORE_QUESTION: Final = (
    "How good is the technical quality of this image, from 0 (useless) to 100 (perfect)? One number."
)
_PATTERNS: Final = {
    "score": r"\d{1,3}",
    "rating": r"[1-5]/5",
    "grade": "good|usable|reject",
    "sufficient": "yes|no",
    "affected": "yes|no",
    "is_modality": "yes|no",
    "options": "[A-F]",
}
_REAL_CORRUPTIONS: Final = (
    "gaussian_noise", "impulse_noise", "contrast", "brightness", "motion_blur", "zoom_blur", "pixelate", "jpeg",
)  # fmt: skip
_NEUTRAL: Final = "The folder that holds this image is one of several."


def by_severity(probe: Probe, samples: Samples) -> dict[str, Any]:
    """Spearman of expected score with true severity, pooled and per type (sign turned: 1 is perfect)."""
    scores = probe.scores(list(samples.pixels), [_SCORE_QUESTION] * len(samples))
    per_type = {}
    for kind in sorted(set(samples.kind.tolist()) - {CLEAN}):
        of = samples.kind == kind
        per_type[kind] = {"rho": -rank_correlation(scores[of], samples.severity[of]), "n": int(of.sum())}
    clean = samples.kind == CLEAN
    return {
        "pooled_rho": -rank_correlation(scores, samples.severity),
        "n": len(samples),
        "per_type": per_type,
        "clean_mean": float(scores[clean].mean()) if clean.any() else None,
    }


def questions(probe: Probe, samples: Samples, form: str, seed: int) -> tuple[list[Exchange], list[str]]:
    """One question of a form about each sample, in training wording with context, and the free answers."""
    rng = random.Random(f"{form} {seed}")
    asked = [ask(facts_of(samples, i), rng, form) for i in range(len(samples))]
    return asked, probe.answers(list(samples.pixels), [e.question for e in asked])


def by_form(probe: Probe, samples: Samples) -> dict[str, Any]:
    """Parse rate and accuracy of every format on held-out phantoms; letters also by number of options."""
    found: dict[str, Any] = {}
    for form in (*_PATTERNS, "name_modality", "name_kind"):
        asked, answers = questions(probe, samples, form, _TEST_SEED)
        entry: dict[str, Any] = {"accuracy": accuracy(answers, [e.answer for e in asked])}
        if form in _PATTERNS:
            fits = [re.fullmatch(_PATTERNS[form], a) is not None for a in answers]
            entry["parsed"] = {"share": sum(fits) / len(fits), "n": len(fits)}
        if form == "score":
            numbers = [int(a) if a.isdigit() else -1 for a in answers]
            entry["rho"] = rank_correlation(numbers, [int(e.answer) for e in asked])
            del entry["accuracy"]  # an exact hit out of 101 says little
        if form == "options":
            # Chance depends on the number of options offered.
            chance = [1 / max(2, len(re.findall(r"[(\s]?[A-F][.):]", e.question))) for e in asked]
            entry["chance"] = float(np.mean(chance))
        found[form] = entry
    return found


def prompts_of_the_package(probe: Probe, samples: Samples) -> dict[str, Any]:
    """Free answers to the shipped wordings, whose wording was not trained on, read by the package's own parser."""
    found: dict[str, Any] = {}
    every = [(task, wording) for task in tasks.shipped().values() for wording in task.wordings]
    for task, wording in every:
        asked = [closed(task.wordings[wording].text)] * len(samples)
        answers = [tasks.read(task, wording, text, "stop") for text in probe.answers(list(samples.pixels), asked)]
        scored = [i for i, answer in enumerate(answers) if answer.outcome == "scored"]
        name = f"{task.id}.{wording}"
        found[name] = {"scored": len(scored) / len(answers), "n": len(answers)}
        values = [answers[i].main for i in scored]
        if values and all(value is not None for value in values):
            found[name]["rho"] = -rank_correlation(values, samples.severity[scored])
    return found


def on_real_images(probe: Probe) -> dict[str, Any]:
    """Mean per-image Spearman of score with severity 0 to 5 on the demo set's DICOM files (-1 is perfect)."""
    records = [r for r in load_demo(Settings(salt="evaluate")).records if not r.synthetic]
    pixels = [(r, r.pictures[0].read()) for r in records]
    usable = [(r, p) for r, p in pixels if min(p.shape[:2]) >= 96 and r.modality in MODALITY_NAMES]
    found: dict[str, Any] = {"n_images": len(usable), "n_clusters": len({r.cluster for r, _ in usable})}
    clean: list[float] = []
    for name in _REAL_CORRUPTIONS:
        rhos, drops = [], []
        for record, image in usable:
            series: list[Pixels] = [image]
            for level in range(1, 6):
                key = perturbation_key(record.content, name, level, 0)
                series.append(perturb(image, shipped()[name], level, key))
            scores = probe.scores(series, [_SCORE_QUESTION] * 6)
            rhos.append(rank_correlation(scores, range(6)))
            drops.append(float(scores[0] - scores[5]))
            if name == _REAL_CORRUPTIONS[0]:
                clean.append(float(scores[0]))
        found[name] = {"mean_rho": float(np.mean(rhos)), "mean_drop_0_to_5": float(np.mean(drops)), "n": len(rhos)}
    found["clean_mean"] = float(np.mean(clean))
    found["modality_named"] = accuracy(
        probe.answers([p for _, p in usable], ["Which modality is this image?"] * len(usable)),
        [MODALITY_NAMES[r.modality][0] for r, _ in usable],
    )
    return found


def prestige_shift(probe: Probe, samples: Samples) -> dict[str, float]:
    """Mean change of the expected score, in points, by what kind of sentence follows the question."""
    images = list(samples.pixels)
    plain = probe.scores(images, [_SCORE_QUESTION] * len(images))
    rng = random.Random("evaluate prestige")
    found = {}
    for name in ("prestige_high", "prestige_low", "neutral"):
        texts = [
            _NEUTRAL if name == "neutral" else prestige_sentence(rng, name == "prestige_high")
            for _ in range(len(images))
        ]
        moved = probe.scores(images, [f"{_SCORE_QUESTION}\n{text}" for text in texts])
        found[name] = float((moved - plain).mean())
        found[f"{name}_sd"] = float((moved - plain).std())
    return found


def speed(probe: Probe, images: list[Pixels]) -> dict[str, float]:
    """Images per second through processor and one forward pass, best of three."""
    best = 0.0
    for _ in range(3):
        started = time.perf_counter()
        probe.scores(images, [_SCORE_QUESTION] * len(images))
        best = max(best, len(images) / (time.perf_counter() - started))
    return {"images_per_second": best, "n": float(len(images)), "threads": float(torch.get_num_threads())}


def measure(probe: Probe, *, n: int = 660, twin: Probe | None = None) -> dict[str, Any]:
    """All figures of the model card."""
    trained = make_samples(n, _TEST_SEED, workers=2)
    unseen = make_samples(n, _TEST_SEED + 1, held_out=True, workers=2)
    plain = make_samples(n, _TEST_SEED + 2, plain=True, workers=2)
    plain_unseen = make_samples(n, _TEST_SEED + 3, held_out=True, plain=True, workers=2)
    half = trained.first(n // 2)
    found: dict[str, Any] = {
        "phantoms": by_severity(probe, trained),
        "unseen_types": by_severity(probe, unseen),
        "plain_phantoms": by_severity(probe, plain),
        "plain_unseen_types": by_severity(probe, plain_unseen),
        "formats": by_form(probe, trained),
        "templates": prompts_of_the_package(probe, half),
        "real": on_real_images(probe),
        "prestige": {"reference": prestige_shift(probe, half)},
        "speed": speed(probe, list(trained.pixels[:256])),
        "modalities": len(MODALITIES),
    }
    if twin is not None:
        found["prestige"]["twin"] = prestige_shift(twin, half)
        found["twin_phantoms"] = by_severity(twin, half)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.reference evaluate", description="Measure the reference model."
    )
    parser.add_argument("--checkpoint", type=Path, help="default: the shipped reference and its twin")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "metrics.json")
    parser.add_argument("--n", type=int, default=660)
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    twin = Probe(checkpoint("reference-prestige")) if chosen.checkpoint is None else None
    found = measure(Probe(chosen.checkpoint or checkpoint("reference")), n=chosen.n, twin=twin)
    text = json.dumps(_rounded(found), indent=2) + "\n"
    print(text)
    chosen.out.write_text(text, encoding="utf-8")
    return 0


def _rounded(value: Any) -> Any:
    """Four decimals are more than any figure here is worth."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value
