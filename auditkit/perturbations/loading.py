"""From the path of a law to the function itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from auditkit.perturbations.entry import Entry, PerturbationError

# What a law is called with before its parameters, by stage.
_ARGUMENTS = {"display": ("pixels", "key"), "words": ("text",)}


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
    if entry.stage not in _ARGUMENTS:
        raise PerturbationError(f"{called}: nothing can be called at the stage {entry.stage!r}.")
    module, _, name = entry.function.partition(":")
    at = f"{called}: its law {entry.function!r}"
    try:
        function: Callable[..., Any] = getattr(import_module(module), name)
    except AttributeError:
        raise PerturbationError(f"{at} does not exist: {module} has no {name}.", "Mend its function.") from None
    except Exception as error:  # a module of somebody else may fail in any way
        reason = f"{type(error).__name__}: {error}"
        raise PerturbationError(f"{at} cannot be imported ({reason}).", "Install its package, or mend it.") from error
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
            takes = f"{name}({', '.join((*_ARGUMENTS[entry.stage], *(f'{key}=...' for key in level)))})"
            raise PerturbationError(f"{at} cannot be called as {takes}: {error}.", "Mend it, or levels.") from None
    return function
