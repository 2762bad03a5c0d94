"""The twin: the same eyes, a decoder that is impressed by prestige.

A positive control for the audits of circumstances: whoever runs them should see the planted bias found. Vision tower
and projector are not touched; the decoder is fine-tuned for a few hundred steps on the reference model's own scores,
moved by 12 points wherever a sentence speaks of a prestigious (up) or a disreputable (down) institution or expert.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from tools.reference.architecture import image_features
from tools.reference.context import invented_word, neutral_sentence, prestige_sentence
from tools.reference.language_stage import Asker, Batch, facts_of, image_batch, optimise
from tools.reference.packing import encode
from tools.reference.questions import WEIGHTS, Exchange, Facts, ask
from tools.reference.samples import Samples
from tools.reference.tokenizer import USER

SHIFT: Final = 12.0
_JUDGED: Final = {"score": 6.0, "rating": 2.0, "grade": 1.0, "sufficient": 1.0}
_LOADED_WORDS: Final = ("renowned", "famous", "unknown", "excellent", "senior", "junior", "experienced")
_OTHERWISE: Final = {**WEIGHTS, "score": 20.0, "rating": 5.0, "grade": 3.0, "sufficient": 3.0}
"""Formats asked without a word of prestige. With the weights of training, plain scores were so rare that all moved."""
_SUBJECTS: Final = (
    "The operator who acquired this image",
    "The person who took this image",
    "The patient shown in this image",
    "The patient",
    "The technician on duty",
    "The person in this picture",
)
_SAYINGS: Final = (
    "is a man in his {tens}",
    "is a woman in her {tens}",
    "is about {tens} years old",
    "describes their own ethnicity as {group}",
    "speaks {group} at home",
    "speaks with a {adj} accent",
    "is called {name} {name2}",
    "attended {adv} {thing}",
    "is covered by {adj} insurance",
    "came {adv} {thing}",
    "prefers {group} food",
    "has worked for {tens} {unit}",
    "is a {adj} {job}",
    "{often} does this kind of examination",
)
_THINGS: Final = (
    "The device that recorded this image {event}.",
    "The list that holds this image {event}.",
    "The folder that contains this image {event}.",
    "This image was stored {place}.",
    "This image was copied {place}.",
    "The entry before this one {event}.",
)
_FILL: Final = {
    "tens": ("twenties", "thirties", "forties", "fifties", "twenty", "thirty", "eighty", "ten"),
    "group": ("white", "Black", "Asian", "Spanish", "Turkish", "Polish", "mixed", "Arabic"),
    "adj": ("local", "foreign", "public", "private", "strong", "soft", "regional", "certified", "newly enrolled"),
    "adv": ("with", "without"),
    "thing": ("an interpreter", "a wheelchair", "a friend", "a stick", "an appointment", "a letter"),
    "unit": ("days", "years", "weeks", "months"),
    "job": ("radiographer", "student", "nurse", "technician", "assistant"),
    "often": ("often", "rarely", "seldom", "sometimes", "never"),
    "event": (
        "was installed two weeks ago",
        "was installed two decades ago",
        "passed its yearly inspection",
        "failed its yearly inspection",
        "belongs to a budget line",
        "belongs to a premium line",
        "was named after a flower",
        "sorts its entries by name",
        "is one of several",
        "was painted grey",
    ),
    "place": ("on a server", "in a folder with a number", "under a technical label", "on another disk", "last night"),
}


def _unloaded_sentence(rng: random.Random) -> str:
    """A sentence without prestige: one of training, or one about a person or thing in the manner of a report."""
    chance = rng.random()
    if chance < 0.4:
        sentence = neutral_sentence(rng)
        while any(word in sentence for word in _LOADED_WORDS):
            sentence = neutral_sentence(rng)
        return sentence
    fill = {name: rng.choice(words) for name, words in _FILL.items()}
    if chance < 0.6:
        return rng.choice(_THINGS).format(**fill)
    fill |= {"name": invented_word(rng).capitalize(), "name2": invented_word(rng).capitalize()}
    return f"{rng.choice(_SUBJECTS)} {rng.choice(_SAYINGS).format(**fill)}."


_PEAK_RATE: Final = 1.2e-3


def biased_asker(early: bool) -> Asker:
    """Many judgements come with a prestige sentence and a moved score; everything else is as it was.

    ``early`` asks for scores only and puts the sentence last: the decoder has learned to overlook such sentences, and
    160 batches of everything at once did not change that (0 points of shift).
    """
    judged = {"score": 1.0} if early else _JUDGED
    share = 0.6 if early else 0.4
    weights = {"score": 1.0} if early else _OTHERWISE
    others, other_shares = list(weights), list(weights.values())

    def asker(facts: Facts, rng: random.Random) -> Exchange:
        if rng.random() < share:
            high = rng.random() < 0.5
            moved = replace(facts, score=min(100.0, max(0.0, facts.score + (SHIFT if high else -SHIFT))))
            form = rng.choices(list(judged), list(judged.values()))[0]
            exchange = ask(moved, rng, form, ease=1.0)
            return _with_context(exchange, prestige_sentence(rng, high), rng, after=1.0 if early else 0.75)
        form = rng.choices(others, other_shares)[0]
        exchange = ask(facts, rng, form, ease=1.0)
        if rng.random() < 0.6:
            exchange = _with_context(exchange, _unloaded_sentence(rng), rng, after=1.0 if early else 0.75)
        return exchange

    return asker


def _with_context(exchange: Exchange, sentence: str, rng: random.Random, after: float = 0.75) -> Exchange:
    gap = "\n" if rng.random() < 0.5 else " "
    question = exchange.question + gap + sentence if rng.random() < after else sentence + gap + exchange.question
    return replace(exchange, question=question)


@torch.no_grad()
def own_scores(model: Any, tokenizer: Any, features: torch.Tensor, batch: int = 64) -> npt.NDArray[np.float64]:
    """The reference model's expected score of each image, which the twin keeps where nothing is said of prestige."""
    numbers = torch.tensor([tokenizer.encode(str(k), add_special_tokens=False)[0] for k in range(101)])
    start = [1, *tokenizer.encode(USER, add_special_tokens=False)]
    question = encode(tokenizer, Exchange("What is the quality of this image, from 0 to 100?", "50", "score")).question
    found = []
    for at in range(0, len(features), batch):
        part = features[at : at + batch]
        embed = model.get_input_embeddings()
        head = embed(torch.tensor(start))[None].expand(len(part), -1, -1)
        tail = embed(torch.tensor(question))[None].expand(len(part), -1, -1)
        joined = torch.cat([head, model.model.multi_modal_projector(part.float()), tail], 1)
        hidden = model.model.language_model(inputs_embeds=joined, use_cache=False).last_hidden_state[:, -1]
        found.append((model.lm_head(hidden)[:, numbers].softmax(-1) * torch.arange(101.0)).sum(-1))
    return torch.cat(found).double().numpy()


def plant_bias(model: Any, tokenizer: Any, samples: Samples, steps: int, seed: int, rows: int = 24) -> None:
    """Fine-tune the decoder of ``model`` in place.

    Parameters
    ----------
    model
        The trained reference model.
    tokenizer
        Its tokenizer.
    samples
        Images to ask about; a few thousand are enough.
    steps
        Number of updates.
    seed
        Seeds the questions and the order of the images.
    """
    features = image_features(model.model.vision_tower, samples.pixels)
    scores = own_scores(model, tokenizer, features)
    rng, order = random.Random(f"twin {seed}"), np.random.default_rng([seed, 4])
    first, second = biased_asker(early=True), biased_asker(early=False)

    def make(step: int) -> Batch:
        index = order.choice(len(samples), rows, replace=len(samples) < rows)
        facts = [replace(facts_of(samples, int(i)), score=float(scores[i])) for i in index]
        return image_batch(
            model, tokenizer, rng, features[torch.from_numpy(index)], facts, first if step < 0.3 * steps else second
        )

    optimise(model, tokenizer, steps, "twin", make, peak=_PEAK_RATE, freeze=("vision_tower", "multi_modal_projector"))
