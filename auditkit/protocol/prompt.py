"""The effects of the prompt pack: how much of a score is due to the words and to the scale of the question.

The question is the same throughout: how good is the image. Each row of `SCALES` asks it in one way on four scales, and
`PARAPHRASES` asks it in eight ways on one. The families are declared in ``packs/prompt/protocol.toml``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

from auditkit.protocol import effects
from auditkit.vocabulary import Effect, Part, Question, Value


def _asked(*words: str) -> tuple[Question, ...]:
    """Return questions by task.wording."""
    parts = (one.rpartition(".") for one in words)
    return tuple(Question(task, wording) for task, _, wording in parts)


PARAPHRASES = _asked(
    "quality.direct",
    "quality.reader",
    "quality.acceptance",
    "quality.inspector",
    "prompt.to_100.terse",
    "prompt.to_100.colleague",
    "prompt.to_100.checklist",
    "prompt.to_100.number_first",
)
"""The ways to ask for a number from 0 to 100."""
NAMES_OF_SCALES = ("0-100", "1-5", "0-10", "words")
SCALES: Mapping[str, tuple[Question, ...]] = {
    "direct": _asked("quality.direct", "rating.direct", "prompt.to_10.direct", "grade.direct"),
    "reader": _asked("quality.reader", "rating.reader", "prompt.to_10.reader", "prompt.in_words.reader"),
    "archive": _asked("quality.acceptance", "rating.acceptance", "prompt.to_10.acceptance", "grade.archive"),
}
"""By way of asking, the questions in the order of `NAMES_OF_SCALES`."""
EVERY = tuple(dict.fromkeys((*PARAPHRASES, *(question for row in SCALES.values() for question in row))))
"""Every prompt once."""


def shares() -> list[Effect]:
    """The share of what the score varies by that is due to the words, to the scale in each way of asking, and to both.

    Points of every scale are 0-100, so that the scales can stand in one table.
    """
    made = [effects.prompt_share(PARAPHRASES, name="due-to-words", family="shares")]
    for way, row in SCALES.items():
        made.append(effects.prompt_share(row, name=f"due-to-scale-in-{way}-wording", family="shares"))
    return [*made, effects.prompt_share(EVERY, name="due-to-words-and-scale", family="shares")]


def paraphrases() -> list[Effect]:
    """The mean difference between every two wordings on the scale from 0 to 100."""
    return [_pairs(PARAPHRASES, [question.words for question in PARAPHRASES], "wordings-to-100", "paraphrases")]


def scales() -> list[Effect]:
    """The mean difference between every two scales, in each way of asking."""
    return [_pairs(row, NAMES_OF_SCALES, f"scales-in-{way}-wording", "scales") for way, row in SCALES.items()]


def refusals() -> list[Effect]:
    """Every prompt, for the share of refused and of otherwise unusable answers."""
    return [
        effects.share(kind, question.task, wording=question.wording, family="refusals")
        for question in EVERY
        for kind in ("refused", "unusable")
    ]


def _pairs(asked: Sequence[Question], names: Sequence[str], name: str, family: str) -> Effect:
    parts = tuple(
        Part(f"{other} vs {one}", ((1.0, Value(second)), (-1.0, Value(first))))
        for (one, first), (other, second) in combinations(zip(names, asked, strict=True), 2)
    )
    return Effect(name, family, parts)


FAMILIES: Mapping[str, Callable[[], list[Effect]]] = {
    "shares": shares,
    "paraphrases": paraphrases,
    "scales": scales,
    "refusals": refusals,
}
"""From the name of a family to its effects."""
