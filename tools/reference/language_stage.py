"""Second stage: projector and decoder learn to answer, first about written captions, then about images.

The captions ("noise 43 ct" in place of the image tokens) teach reading a question and binding letters to options while
the facts are given; the images come when that works. A decoder trained on images from the start stayed at chance on
letters (24 % of four) in the sketch this replaces.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from auditkit.images.phantoms import MODALITIES
from tools.reference import wording
from tools.reference.architecture import BOS_ID, PAD_ID
from tools.reference.degradations import CLEAN, true_score
from tools.reference.packing import Packed, encode, pack
from tools.reference.questions import LETTERS, WEIGHTS, Exchange, Facts, ask
from tools.reference.samples import Samples
from tools.reference.tokenizer import SYSTEM, USER
from tools.reference.vision_stage import learning_rate

_PEAK_RATE: Final = 1.5e-3
_QUESTIONS_PER_CAPTION: Final = 2
_TUTOR_WEIGHT: Final = 0.5
_READING: Final = 0.1
"""Weight of predicting the questions themselves: it makes the decoder look at words before it has to use them."""
_QUESTIONS_PER_IMAGE: Final = 4
_CAPTION_LENGTH: Final = 12
_SYSTEM_SHARE: Final = 0.15
_SCORE_SPREAD: Final = 2.0
"""Standard deviation, in points, of the soft target around a score: 71 is a better answer than 17 to 72."""

Asker = Callable[[Facts, random.Random], Exchange]


@dataclass(frozen=True)
class Batch:
    """What the decoder receives: embeddings of the prefix and the packed questions."""

    prefix: torch.Tensor
    packed: Packed


def facts_of(samples: Samples, index: int) -> Facts:
    """Facts about one sample."""
    score = true_score(float(samples.severity[index]))
    return Facts(MODALITIES[int(samples.modality[index])], str(samples.kind[index]), score)


def mixed_asker(weights: dict[str, float], ease: float) -> Asker:
    """An asker that draws the format by weight."""
    forms, shares = list(weights), list(weights.values())

    def asker(facts: Facts, rng: random.Random) -> Exchange:
        return ask(facts, rng, rng.choices(forms, shares)[0], ease=ease)

    return asker


def opening(tokenizer: Any, rng: random.Random) -> list[int]:
    """Token ids before the image: start, sometimes a system turn, the user's mark."""
    system = SYSTEM + rng.choice(wording.SYSTEM) if rng.random() < _SYSTEM_SHARE else ""
    ids: list[int] = [BOS_ID, *tokenizer.encode(system + USER, add_special_tokens=False)]
    return ids


class AnswerLoss:
    """Cross-entropy on answers, with soft targets for scores from 0 to 100."""

    def __init__(self, tokenizer: Any) -> None:
        ids = [tokenizer.encode(str(k), add_special_tokens=False)[0] for k in range(101)]
        self.number_ids = torch.tensor(ids)
        self.value_of = torch.full((len(tokenizer),), -1.0)
        self.value_of[self.number_ids] = torch.arange(101.0)

    def __call__(self, logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Weighted mean loss of ``(n, vocabulary)`` logits."""
        losses = nn.functional.cross_entropy(logits, labels, reduction="none")
        values = self.value_of[labels]
        # Only whole scores: the digits of "4/5" are first tokens too, but scores in training start at 8.
        numeric = (values > 5) & (weights == 1.0)
        if bool(numeric.any()):
            distance = (torch.arange(101.0)[None] - values[numeric][:, None]) / _SCORE_SPREAD
            target = torch.softmax(-0.5 * distance**2, -1)
            soft = -(target * logits[numeric].log_softmax(-1)[:, self.number_ids]).sum(-1)
            losses = losses.masked_scatter(numeric, soft)
        return (losses * weights).sum() / weights.sum()


class OptionTutor(nn.Module):
    """Two throw-away heads half-way up the decoder, at the last token of every option offered.

    One says which letter the option has, the other whether it is right. Finding a letter by its text takes two steps,
    and a loss on the answer alone teaches neither before the other: without the heads, letters stayed at chance
    through 35,000 option questions of two options each.
    """

    LAYER: Final = 2

    def __init__(self, width: int) -> None:
        super().__init__()
        self.letter = nn.Linear(width, len(LETTERS))
        self.right = nn.Linear(width, 2)

    def forward(self, hidden: torch.Tensor, options: torch.Tensor) -> tuple[torch.Tensor, float]:
        """Loss, and the share of options judged rightly."""
        if len(options) == 0:
            return hidden.sum() * 0.0, 0.0
        at = hidden[options[:, 0], options[:, 1]]
        judged = self.right(at)
        loss = nn.functional.cross_entropy(self.letter(at), options[:, 2])
        loss = loss + nn.functional.cross_entropy(judged, options[:, 3])
        return loss, (judged.argmax(-1) == options[:, 3]).float().mean().item()


@dataclass(frozen=True)
class Output:
    """Logits, labels and weights at the positions that predict, and the hidden states where the tutor looks."""

    logits: torch.Tensor
    labels: torch.Tensor
    weights: torch.Tensor
    middle: torch.Tensor


def answer_logits(model: Any, batch: Batch) -> Output:
    """Run the decoder on a batch."""
    packed = batch.packed
    embeddings = torch.cat([batch.prefix, model.get_input_embeddings()(packed.tokens)], 1)
    out = model.model.language_model(
        inputs_embeds=embeddings,
        attention_mask=packed.mask,
        position_ids=packed.positions,
        use_cache=False,
        output_hidden_states=True,
    )
    chosen = packed.labels != -100
    logits = model.lm_head(out.last_hidden_state[:, batch.prefix.shape[1] - 1 : -1][chosen])
    return Output(logits, packed.labels[chosen], packed.weights[chosen], out.hidden_states[OptionTutor.LAYER])


def caption(facts: Facts, tokenizer: Any, rng: random.Random, *, plain: bool = False) -> list[int]:
    """The facts in a fixed number of tokens, in any order; ``plain`` uses the first name of everything."""
    names, modalities = wording.KIND_NAMES[facts.kind], wording.MODALITY_NAMES[facts.modality]
    parts = [names[0], modalities[0]] if plain else [rng.choice(names), rng.choice(modalities)]
    parts.append(str(round(facts.score)))
    rng.shuffle(parts)
    ids: list[int] = tokenizer.encode(" " + " ".join(parts), add_special_tokens=False)[:_CAPTION_LENGTH]
    return [PAD_ID] * (_CAPTION_LENGTH - len(ids)) + ids


def caption_batch(
    model: Any, tokenizer: Any, rng: random.Random, rows: int, asker: Asker, *, plain: bool = False
) -> Batch:
    """Invented facts as captions, with questions about them."""
    start = opening(tokenizer, rng)
    prefixes, exchanges = [], []
    for _ in range(rows):
        kind = CLEAN if rng.random() < 0.16 else rng.choice([k for k in wording.KIND_NAMES if k != CLEAN])
        score = true_score(0.0 if kind == CLEAN else rng.random())
        facts = Facts(rng.choice(MODALITIES), kind, score)
        prefixes.append(start + caption(facts, tokenizer, rng, plain=plain))
        exchanges.append([encode(tokenizer, asker(facts, rng)) for _ in range(_QUESTIONS_PER_CAPTION)])
    embedded = model.get_input_embeddings()(torch.tensor(prefixes))
    return Batch(embedded, pack(exchanges, embedded.shape[1], reading=_READING))


def image_batch(
    model: Any, tokenizer: Any, rng: random.Random, features: torch.Tensor, facts: Sequence[Facts], asker: Asker
) -> Batch:
    """Stored image features with questions about them."""
    start = opening(tokenizer, rng)
    projected = model.model.multi_modal_projector(features.float())
    embedded = model.get_input_embeddings()(torch.tensor(start))[None].expand(len(facts), -1, -1)
    prefix = torch.cat([embedded, projected], 1)
    exchanges = [[encode(tokenizer, asker(one, rng)) for _ in range(_QUESTIONS_PER_IMAGE)] for one in facts]
    return Batch(prefix, pack(exchanges, prefix.shape[1]))


def optimise(
    model: Any,
    tokenizer: Any,
    steps: int,
    label: str,
    make: Callable[[int], Batch],
    *,
    peak: float = _PEAK_RATE,
    freeze: tuple[str, ...] = ("vision_tower",),
) -> None:
    """Run ``steps`` updates on batches from ``make``; parameters whose name holds a word of ``freeze`` stay."""
    trained = [p for name, p in model.named_parameters() if not any(word in name for word in freeze)]
    optimiser = torch.optim.AdamW(trained, peak, weight_decay=0.05, betas=(0.9, 0.98))
    criterion = AnswerLoss(tokenizer)
    tutor = OptionTutor(model.config.text_config.hidden_size)
    tutor_optimiser = torch.optim.AdamW(tutor.parameters(), peak)
    model.train()
    started, answers, letters, recent, judged = time.monotonic(), 0, 0.5, 0.0, 0.5
    letter_ids = torch.tensor([tokenizer.encode(c, add_special_tokens=False)[0] for c in "ABCDEF"])
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps, peak)
        batch = make(step)
        out = answer_logits(model, batch)
        logits, labels, weights = out.logits, out.labels, out.weights
        loss = criterion(logits, labels, weights)
        lesson, right_options = tutor(out.middle, batch.packed.options)
        optimiser.zero_grad()
        tutor_optimiser.zero_grad()
        (loss + _TUTOR_WEIGHT * lesson).backward()
        tutor_optimiser.step()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        answers += int((weights == 1.0).sum())
        recent = loss.item() if step == 0 else 0.95 * recent + 0.05 * loss.item()
        judged = 0.95 * judged + 0.05 * right_options
        asked = torch.isin(labels, letter_ids) & (weights == 1.0)
        if bool(asked.any()):
            right = (logits[asked].argmax(-1) == labels[asked]).float().mean().item()
            letters = 0.95 * letters + 0.05 * right
        if (step + 1) % 50 == 0:
            speed = answers / (time.monotonic() - started)
            line = f"{label} {step + 1}/{steps}  {speed:.0f} answers/s  loss {recent:.3f}"
            line += f"  letters {letters:.2f}  options judged {judged:.2f}"
            print(line, flush=True)
    model.eval()


def train_on_captions(model: Any, tokenizer: Any, steps: int, seed: int, rows: int = 48) -> None:
    """Teach the decoder to read questions whose facts are written.

    In the first 60 % nearly all are option questions in which the right option is a word of the caption, first two
    options, then up to four: finding a letter by its text is learned suddenly and late, and nothing else depends on
    order. Then come all formats and all names.
    """
    rng = random.Random(f"captions {seed}")
    early = {**dict.fromkeys(WEIGHTS, 0.1), "options": 9.0, "describe": 0.0}
    late = {**WEIGHTS, "options": 10.0, "describe": 0.2}

    def make(step: int) -> Batch:
        progress = step / steps
        if progress < 0.6:
            ease = 1.0 if progress < 0.3 else 0.95 - 1.0 * (progress - 0.3)
            return caption_batch(model, tokenizer, rng, rows, mixed_asker(early, ease), plain=True)
        ease = max(0.0, 0.6 - 2.0 * (progress - 0.6))
        return caption_batch(model, tokenizer, rng, rows, mixed_asker(late, ease))

    optimise(model, tokenizer, steps, "captions", make, peak=2e-3)


def train_on_images(
    model: Any,
    tokenizer: Any,
    features: torch.Tensor,
    samples: Samples,
    steps: int,
    seed: int,
    *,
    peak: float = _PEAK_RATE,
    ease: float = 0.7,
    rows: int = 40,
) -> None:
    """Teach projector and decoder to answer about images.

    Parameters
    ----------
    model, tokenizer
        The model is changed in place.
    features
        Of all samples, from `tools.reference.architecture.image_features`.
    samples
        What is true of the images.
    steps, seed
        Number of updates, and what seeds the questions and the order of the images.
    peak
        Highest learning rate.
    ease
        How easy the questions are at first; they have their full variety from half-way on.
    rows
        Images in a batch.
    """
    rng = random.Random(f"images {seed}")
    order_rng = np.random.default_rng([seed, 2])

    def make(step: int) -> Batch:
        now = ease * max(0.0, 1.0 - 2.0 * step / steps)
        index = order_rng.choice(len(samples), rows, replace=len(samples) < rows)
        facts = [facts_of(samples, int(i)) for i in index]
        return image_batch(model, tokenizer, rng, features[torch.from_numpy(index)], facts, mixed_asker(WEIGHTS, now))

    optimise(model, tokenizer, steps, "images", make, peak=peak)
