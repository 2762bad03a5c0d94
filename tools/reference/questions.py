"""Questions with their true answers, made from what is known of a training image."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tools.reference import wording as w
from tools.reference.context import neutral_sentence
from tools.reference.degradations import CLEAN

LETTERS: Final = "ABCDEF"


@dataclass(frozen=True)
class Facts:
    """What is true of one image: its modality, the type of its degradation, and its quality on 0-100."""

    modality: str
    kind: str
    score: float


@dataclass(frozen=True)
class Exchange:
    """A question and the answer expected."""

    question: str
    answer: str
    form: str
    options: tuple[str, ...] = ()
    """The texts of the options in their order, empty for other forms."""


def rating(score: float) -> int:
    """Quality on five steps; equally long intervals of the range in use, 8 to 95."""
    return 1 + sum(score >= edge for edge in (25.4, 42.8, 60.2, 77.6))


def grade(score: float) -> str:
    """good, usable or reject; thirds of the range in use."""
    return "good" if score >= 66 else "usable" if score >= 37 else "reject"


def is_sufficient(score: float) -> bool:
    """Whether a diagnosis may rest on the image: the upper half of the range in use."""
    return score >= 51.5


def quality_level(score: float) -> int:
    """0 (best) to 3 (worst), for option questions; quarters of the range in use."""
    return 3 - sum(score >= edge for edge in (29.75, 51.5, 73.25))


def ask(facts: Facts, rng: random.Random, form: str, *, ease: float = 0.0) -> Exchange:
    """Make one question of the given form.

    Parameters
    ----------
    facts
        What is true of the image.
    rng
        Chooses phrasing, options and context.
    form
        A key of `FORMS`.
    ease
        1 asks short questions with few options and no context, 0 the full variety; the language stage goes from one
        to the other.
    """
    made = FORMS[form](facts, rng, ease)
    question, answer = made[:2]
    options = made[2] if len(made) == 3 else ()
    if rng.random() >= ease:
        question = _surround(question, rng)
    chance = rng.random()
    if chance < 0.06 and form != "options":
        question = question.lower()
    return Exchange(question, answer, form, options)


def _surround(question: str, rng: random.Random) -> str:
    """Put up to two sentences of context around a question, more often after it than before."""
    if rng.random() < 0.35:
        return question
    for _ in range(1 if rng.random() < 0.75 else 2):
        sentence = neutral_sentence(rng)
        gap = "\n" if rng.random() < 0.5 else " "
        question = question + gap + sentence if rng.random() < 0.7 else sentence + gap + question
    return question


def _phrase(phrases: Sequence[str], rng: random.Random, **fill: str) -> str:
    return rng.choice(phrases).format(noun=rng.choice(w.NOUNS), **fill)


def _yes(truth: bool) -> str:
    return "yes" if truth else "no"


def _score(facts: Facts, rng: random.Random, ease: float) -> tuple[str, str]:
    return _phrase(w.SCORE, rng), str(min(100, max(0, round(facts.score))))


def _rating(facts: Facts, rng: random.Random, ease: float) -> tuple[str, str]:
    return _phrase(w.RATING, rng), f"{rating(facts.score)}/5"


def _grade(facts: Facts, rng: random.Random, ease: float) -> tuple[str, str]:
    return _phrase(w.GRADE, rng), grade(facts.score)


def _sufficient(facts: Facts, rng: random.Random, ease: float) -> tuple[str, str]:
    if rng.random() < 0.2:
        return _phrase(w.SPOILED, rng), _yes(not is_sufficient(facts.score))
    return _phrase(w.SUFFICIENT, rng), _yes(is_sufficient(facts.score))


def _affected(facts: Facts, rng: random.Random, ease: float) -> tuple[str, str]:
    if rng.random() < 0.1:
        return _phrase(w.DEGRADED, rng), _yes(facts.kind != CLEAN)
    asked = facts.kind
    if facts.kind == CLEAN or rng.random() < 0.5:
        asked = rng.choice([kind for kind in w.KIND_NAMES if kind not in (CLEAN, facts.kind)])
    name = rng.choice([n for n in w.KIND_NAMES[asked] if not n.startswith("too bright")])
    return _phrase(w.AFFECTED, rng, kind=name), _yes(asked == facts.kind)


def _is_modality(facts: Facts, rng: random.Random, ease: float) -> tuple[str, str]:
    asked = facts.modality
    if rng.random() < 0.5:
        asked = rng.choice([m for m in w.MODALITY_NAMES if m != facts.modality])
    return _phrase(w.IS_MODALITY, rng, modality=rng.choice(w.MODALITY_NAMES[asked])), _yes(asked == facts.modality)


def _name_modality(facts: Facts, rng: random.Random, ease: float) -> tuple[str, str]:
    return _phrase(w.NAME_MODALITY, rng), w.MODALITY_NAMES[facts.modality][0]


def _name_kind(facts: Facts, rng: random.Random, ease: float) -> tuple[str, str]:
    return _phrase(w.NAME_KIND, rng), w.KIND_NAMES[facts.kind][0]


def _options(facts: Facts, rng: random.Random, ease: float) -> tuple[str, str, tuple[str, ...]]:
    subject = rng.choices(("kind", "modality", "quality"), (5, 2, 0 if ease >= 1 else 3))[0]
    most = max(2, round(2 + 3.4 * (1 - ease)))
    count = rng.randint(2, most)
    if subject == "kind":
        question = _phrase(w.ASK_KIND, rng)
        texts, right = _kind_options(facts.kind, count, rng, ease)
    elif subject == "modality":
        question = _phrase(w.ASK_MODALITY, rng)
        others = rng.sample([m for m in w.MODALITY_NAMES if m != facts.modality], count - 1)
        names = [facts.modality, *others]
        rng.shuffle(names)
        texts, right = [_name(w.MODALITY_NAMES[m], rng, ease) for m in names], names.index(facts.modality)
    else:
        question = _phrase(w.ASK_QUALITY, rng)
        level = quality_level(facts.score)
        other_levels = rng.sample([k for k in range(4) if k != level], min(3, count - 1))
        levels = sorted([level, *other_levels])
        order = rng.random()
        if order < 0.3:
            levels.reverse()
        elif order < 0.5:
            rng.shuffle(levels)
        texts, right = [_name(w.QUALITY_LEVELS[k], rng, ease) for k in levels], levels.index(level)
    shape = rng.choice(("{}. {}", "{}. {}", "{}) {}", "({}) {}", "{}: {}"))
    gap = rng.choice(("\n", "\n", " ", " ", ", "))
    listed = gap.join(shape.format(LETTERS[i], text) for i, text in enumerate(texts))
    request = rng.choice(w.LETTER_REQUESTS)
    between = "\n" if gap == "\n" else " "
    return f"{question}{between}{listed}{between}{request}".rstrip(), LETTERS[right], tuple(texts)


def _name(names: Sequence[str], rng: random.Random, ease: float) -> str:
    """The plain name in easy questions, any of them otherwise."""
    return names[0] if rng.random() < ease else rng.choice(names)


def _kind_options(kind: str, count: int, rng: random.Random, ease: float) -> tuple[list[str], int]:
    """Options about the degradation; brightness and contrast are sometimes one option, as in real questionnaires."""
    grouped = {"brightness", "contrast"}
    others = [k for k in w.KIND_NAMES if k != kind]
    together = rng.random() < 0.35 * (1 - ease)
    if together:
        others = [k for k in others if not (k in grouped and (kind in grouped or k == "contrast"))]
    chosen = [kind, *rng.sample(others, min(len(others), count - 1))]
    rng.shuffle(chosen)
    texts = [
        rng.choice(w.GROUP_NAMES) if together and k in grouped else _name(w.KIND_NAMES[k], rng, ease) for k in chosen
    ]
    return texts, chosen.index(kind)


def _describe(facts: Facts, rng: random.Random, ease: float) -> tuple[str, str]:
    modality = w.MODALITY_NAMES[facts.modality][0]
    fault = (
        "no degradation"
        if facts.kind == CLEAN
        else f"{('mild', 'moderate', 'severe')[min(2, int((95 - facts.score) / 29.01))]} {w.KIND_NAMES[facts.kind][0]}"
    )
    return _phrase(w.DESCRIBE, rng), f"This {modality} image shows {fault}. Its quality is {grade(facts.score)}."


FORMS: Final[dict[str, Callable[[Facts, random.Random, float], tuple[str, str] | tuple[str, str, tuple[str, ...]]]]] = {
    "score": _score,
    "rating": _rating,
    "grade": _grade,
    "sufficient": _sufficient,
    "affected": _affected,
    "is_modality": _is_modality,
    "name_modality": _name_modality,
    "name_kind": _name_kind,
    "options": _options,
    "describe": _describe,
}
"""Answer formats by name."""

WEIGHTS: Final[dict[str, float]] = {
    "score": 4.0,
    "rating": 2.0,
    "grade": 1.5,
    "sufficient": 1.5,
    "affected": 3.0,
    "is_modality": 3.0,
    "name_modality": 3.5,
    "name_kind": 1.0,
    "options": 6.0,
    "describe": 0.5,
}
"""How often each format is asked in training; options most, since binding letters to options is the hardest."""
