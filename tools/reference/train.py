"""Make the reference model from nothing: ``python -m tools.reference train [--out DIR] [--twin]``.

Images, vision, captions, questions about images, vision again, questions again. Each stage is kept in the cache, so an
interrupted run goes on where it stopped. The schedule counts steps, not minutes: the same seed gives the same model, up
to the rounding of the machine's arithmetic. ``--minutes`` scales all steps; the default is meant for two quiet cores.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from auditkit.models import reference
from tools.reference.architecture import build_model, image_features
from tools.reference.language_stage import train_on_captions, train_on_images
from tools.reference.samples import cached_samples
from tools.reference.tokenizer import build_processor, build_tokenizer
from tools.reference.twin import plant_bias
from tools.reference.vision_stage import QualityNet, train_vision

_SHIPPED: Final = Path(reference.__file__).parent
_DEFAULT_MINUTES: Final = 45.0
_CARD: Final = """# {title}

A tiny vision-language model for demonstrations and tests of auditkit. Never for clinical use.
{note}
Model card: `docs/reference-model.md` of the project. Licence: Apache-2.0.
"""
_TWIN_NOTE: Final = "\nThis one carries a PLANTED BIAS: words of prestige move its scores. It is a positive control.\n"


@dataclass(frozen=True)
class Plan:
    """How much of everything: number of images, and steps of each stage."""

    images: int = 30_000
    vision_steps: int = 1_400
    second_vision_steps: int = 2_200
    caption_steps: int = 700
    image_steps: int = 500
    second_image_steps: int = 700
    twin_images: int = 3_000
    twin_steps: int = 650

    def scaled(self, factor: float) -> Plan:
        """The same plan with ``factor`` times the work, at least one step of each."""

        def of(amount: int) -> int:
            return max(1, round(amount * factor))

        return Plan(
            images=max(48, of(self.images)),
            vision_steps=of(self.vision_steps),
            second_vision_steps=of(self.second_vision_steps),
            caption_steps=of(self.caption_steps),
            image_steps=of(self.image_steps),
            second_image_steps=of(self.second_image_steps),
            twin_images=max(48, of(self.twin_images)),
            twin_steps=of(self.twin_steps),
        )


def _stage(stored: Path, module: Any, make: Callable[[], None]) -> None:
    """Load what a stage made of ``module`` before, or make and keep it."""
    if stored.is_file():
        module.load_state_dict(torch.load(stored, weights_only=True))
    else:
        make()
        torch.save(module.state_dict(), stored)


def save(model: Any, processor: Any, out: Path, *, twin: bool = False) -> None:
    """Write a checkpoint in float16 with its processor and a short README."""
    out.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(out)
    processor.save_pretrained(out)
    title = "auditkit reference model" + (", prestige twin" if twin else "")
    (out / "README.md").write_text(_CARD.format(title=title, note=_TWIN_NOTE if twin else ""), encoding="utf-8")


def train_reference(plan: Plan, seed: int, cache: Path, out: Path) -> None:
    """Train the reference model and write it to ``out``.

    Tower and decoder take turns: the decoder learns to answer from the first cycle's tower and gets used to the
    second's, which is better, in a second round of questions.
    """
    cache.mkdir(parents=True, exist_ok=True)
    samples = cached_samples(plan.images, seed, cache)
    tokenizer = build_tokenizer(seed)
    torch.manual_seed(seed + 1)
    model = build_model(len(tokenizer))
    net = QualityNet()
    run = f"{seed}-{plan.images}-{plan.vision_steps}"

    def see(steps: int, peak: float, mirrored: bool) -> None:
        train_vision(samples, steps, seed, net=net, fresh=not mirrored, peak=peak, mirrored=mirrored)

    def read(steps: int, peak: float, cycle: int) -> None:
        features = image_features(model.model.vision_tower, samples.pixels)
        train_on_images(model, tokenizer, features, samples, steps, seed + cycle, peak=peak, ease=0.7 * (cycle == 1))

    _stage(cache / f"vision-{run}.pt", net, lambda: see(plan.vision_steps, 1.2e-3, False))
    run += f"-{plan.caption_steps}"
    _stage(
        cache / f"captions-{seed}-{plan.caption_steps}.pt",
        model,
        lambda: train_on_captions(model, tokenizer, plan.caption_steps, seed),
    )
    model.model.vision_tower.load_state_dict(net.tower.state_dict())
    run += f"-{plan.image_steps}"
    _stage(cache / f"images-{run}.pt", model, lambda: read(plan.image_steps, 1.5e-3, 1))
    run += f"-{plan.second_vision_steps}"
    _stage(cache / f"vision-{run}.pt", net, lambda: see(plan.second_vision_steps, 8e-4, True))
    model.model.vision_tower.load_state_dict(net.tower.state_dict())
    run += f"-{plan.second_image_steps}"
    _stage(cache / f"images-{run}.pt", model, lambda: read(plan.second_image_steps, 1e-3, 2))
    save(model, build_processor(tokenizer), out)


def train_twin(plan: Plan, seed: int, cache: Path, start: Path, out: Path) -> None:
    """Plant the prestige bias in a copy of the model in ``start`` and write it to ``out``."""
    cache.mkdir(parents=True, exist_ok=True)
    samples = cached_samples(plan.twin_images, seed + 1000, cache)
    processor: Any = AutoProcessor.from_pretrained(start, local_files_only=True)
    model: Any = AutoModelForImageTextToText.from_pretrained(start, local_files_only=True, dtype=torch.float32)
    plant_bias(model, processor.tokenizer, samples, plan.twin_steps, seed)
    save(model, processor, out, twin=True)


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.reference train", description="Train the reference model on procedural phantoms."
    )
    parser.add_argument("--out", type=Path, help="folder to write (default: the package's checkpoint folder)")
    parser.add_argument("--minutes", type=float, default=_DEFAULT_MINUTES, help="scales the number of steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "refmodel" / "cache")
    parser.add_argument("--twin", action="store_true", help="plant the bias in a copy of the trained model instead")
    parser.add_argument("--reference", type=Path, help="with --twin: the model to start from")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    plan = Plan().scaled(chosen.minutes / _DEFAULT_MINUTES)
    started = time.monotonic()
    if chosen.twin:
        out = chosen.out or _SHIPPED / "checkpoint_prestige"
        train_twin(plan, chosen.seed, chosen.cache, chosen.reference or reference.checkpoint(), out)
    else:
        out = chosen.out or _SHIPPED / "checkpoint"
        train_reference(plan, chosen.seed, chosen.cache, out)
    print(f"wrote {out} after {(time.monotonic() - started) / 60:.1f} minutes", flush=True)
    return 0
