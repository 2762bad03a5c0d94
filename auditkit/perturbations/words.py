"""What is done to the words of a question and to the answer it is about, and how several are applied in turn."""

from __future__ import annotations

from auditkit.perturbations.entry import Entry, PerturbationError
from auditkit.perturbations.loading import law

SLOT = "{context}"
"""Where words are put into a question. It stands at the end, so that all before it is the same for every condition."""


def sentence(text: str, *, sentence: str) -> str:
    """Put a sentence where the slot is; the slot stays behind it, so that another one can follow.

    Parameters
    ----------
    text : str
        A question with the slot ``{context}``.
    sentence : str
        What is said.
    """
    return text.replace(SLOT, f"{sentence} {SLOT}")


def reworded(text: str, entry: Entry, level: int = 0) -> str:
    """Apply one perturbation of the stage ``words``.

    Parameters
    ----------
    text : str
        A question with the slot ``{context}``.
    entry : Entry
        What is done.
    level : int
        How strongly; 0 where there is a single strength.

    Returns
    -------
    str
        The question, with the slot still in it. Remove it with `closed`.

    Raises
    ------
    PerturbationError
        Naming the entry, when it is of another stage, has no such level, or its law fails or does not give back a text
        with one slot.
    """
    if entry.stage != "words":
        raise PerturbationError(f"perturbation {entry.name!r} changes {entry.stage}, not words.")
    parameters = entry.parameters(level)
    function = law(entry)
    at = f"perturbation {entry.name!r}: its law {entry.function!r}"
    try:
        result = function(text, **parameters)
    except Exception as error:  # a law of somebody else may fail in any way
        raise PerturbationError(f"{at} failed with {type(error).__name__}: {error}.") from error
    if not isinstance(result, str) or result.count(SLOT) != 1:
        raise PerturbationError(f"{at} gave {result!r:.80}.", f"It must give back the text with one {SLOT} in it.")
    return result


def appended(text: str, *, sentences: str) -> str:
    """Put sentences behind an answer, as a paragraph of their own.

    Parameters
    ----------
    text : str
        The answer.
    sentences : str
        What is added.
    """
    return f"{text.rstrip()}\n\n{sentences}"


def altered(answer: str, entry: Entry, level: int = 0) -> str:
    """Apply one perturbation of the stage ``answer`` to the answer that a question is about.

    Raises
    ------
    PerturbationError
        Naming the entry, when it is of another stage, or its law fails or gives no text.
    """
    if entry.stage != "answer":
        raise PerturbationError(f"perturbation {entry.name!r} changes {entry.stage}, not an answer.")
    at = f"perturbation {entry.name!r}: its law {entry.function!r}"
    try:
        found = law(entry)(answer, **entry.parameters(level))
    except PerturbationError:
        raise
    except Exception as error:  # a law of somebody else may fail in any way
        raise PerturbationError(f"{at} failed with {type(error).__name__}: {error}.") from error
    if not isinstance(found, str) or not found.strip():
        raise PerturbationError(f"{at} gave {found!r:.80}.", "It must give back a text.")
    return found


def reversed_order(number: int) -> tuple[int, ...]:
    """Return the order that shows the last of so many first."""
    return tuple(reversed(range(number)))


def order(entry: Entry, number: int, level: int = 0) -> tuple[int, ...]:
    """Apply one perturbation of the stage ``order`` or ``options``.

    Parameters
    ----------
    entry : Entry
        What is done.
    number : int
        How many pictures or options there are.
    level : int
        How strongly; 0 where there is a single strength.

    Returns
    -------
    tuple of int
        Which is shown first, second and so on.

    Raises
    ------
    PerturbationError
        Naming the entry, when it is of another stage, or its law fails or gives no order.
    """
    if entry.stage not in ("order", "options"):
        raise PerturbationError(f"perturbation {entry.name!r} changes {entry.stage}, not an order.")
    at = f"perturbation {entry.name!r}: its law {entry.function!r}"
    try:
        found = tuple(law(entry)(number, **entry.parameters(level)))
    except Exception as error:  # a law of somebody else may fail in any way
        raise PerturbationError(f"{at} failed with {type(error).__name__}: {error}.") from error
    if sorted(found, key=str) != sorted(range(number), key=str):
        raise PerturbationError(f"{at} gave {found!r:.80}.", f"It must give each of 0 to {number - 1} once.")
    return found


def closed(text: str) -> str:
    """Return a question without its slot and without blanks at its end."""
    return text.replace(SLOT, "").rstrip()
