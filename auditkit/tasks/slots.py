"""Slots of a question, ``{name}``: what an item's columns, and what an earlier answer, put into it."""

from __future__ import annotations

import re
from collections.abc import Mapping

OPTIONS, ANSWER, TRUE, WRONG, CONTEXT = "options", "answer", "truth", "wrong", "context"
OPTION = "option"
"""Where a class prompt has the text of an option."""
OWN = frozenset((OPTIONS, ANSWER, TRUE, WRONG, CONTEXT))
"""Slots that are no columns: the options, the answer that a task is about, the right and a wrong answer, sentences."""

_SLOT = re.compile(r"\{([A-Za-z_]\w*)\}")


def slots(text: str) -> tuple[str, ...]:
    """Return the names of a text's slots, each once, in order."""
    return tuple(dict.fromkeys(_SLOT.findall(text)))


def filled(text: str, values: Mapping[str, str]) -> str:
    """Fill every slot that has a value, in one pass: what is put in is data, and slots in it are letters like others.

    Examples
    --------
    >>> filled("{question} {context}", {"question": "What is {context}?"})
    'What is {context}? {context}'
    """
    return _SLOT.sub(lambda slot: values.get(slot[1], slot[0]), text)


def fenced(answer: str) -> str:
    """Return another model's answer as it stands in a question: marked as data that ends where the fence does.

    The fence is of a length that the answer does not hold, so that no text can close it and go on as the question.
    Slots of the question are filled in the same pass (`filled`), so that slots in the answer stay letters.
    """
    fence = "=" * max(8, 2 + max((len(run) for run in re.findall(r"=+", answer)), default=0))
    return f"{fence}\n{answer.strip()}\n{fence}"
