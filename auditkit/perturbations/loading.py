"""From the path of a law to the function itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from auditkit.lookup import imported
from auditkit.perturbations.entry import Entry, PerturbationError

# What a law is called with before its parameters, by stage.
_ARGUMENTS = {
    "pictures": ("pictures", "donor"),
    "display": ("pixels", "key"),
    "order": ("number",),
    "options": ("number",),
    "words": ("text",),
    "answer": ("text",),
}


@cache
def law(entry: Entry) -> Callable[..., Any]:
    """Return the function of an entry; call it once before a long run, because it imports the function's module.

    Raises
    ------
    PerturbationError
        Naming the entry and the path: when the stage has no law, the module cannot be imported, the name is missing
        in it, or the function does not take the parameters of every level.
    """
    called = f"perturbation {entry.name!r}"
    if entry.given:
        raise PerturbationError(f"{called} has no law: its pictures are those that the data hold.")
    if entry.stage not in _ARGUMENTS:
        raise PerturbationError(f"{called}: nothing can be called at the stage {entry.stage!r}.")
    at = f"{called}: its law {entry.function!r}"
    function: Callable[..., Any] = imported(entry.function, at, kind=PerturbationError)
    if not callable(function):
        raise PerturbationError(
            f"{at} is of type {type(function).__name__} and cannot be called.", "Mend its function."
        )
    try:
        signature = inspect.signature(function)
    except ValueError:  # some functions written in C do not say what they take
        return function
    for level in entry.levels:
        try:
            signature.bind(*_ARGUMENTS[entry.stage], **level)
        except TypeError as error:
            name = entry.function.partition(":")[2]
            takes = f"{name}({', '.join((*_ARGUMENTS[entry.stage], *(f'{key}=...' for key in level)))})"
            raise PerturbationError(f"{at} cannot be called as {takes}: {error}.", "Mend it, or levels.") from None
    return function
