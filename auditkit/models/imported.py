"""Models that are Python objects: imported by their path, asked as they are."""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.lookup import imported as named_object
from auditkit.models.base import Model, ModelOptions, Request, Response

_NAMELESS = (
    "The model gives no fingerprint, so nothing tells whether it changed since an earlier run; {then}. Only the file "
    "of its module is hashed, not its weights."
)
_FRESH = "answers stored by earlier runs were not used"
_REUSED = "answers stored by earlier runs were used all the same (--audit-reuse-unfingerprinted)"


def is_import_path(name: str) -> bool:
    """Whether a name has the form ``package.module:attribute``."""
    return ":" in name and os.sep not in name.split(":")[0]


def imported(name: str, options: ModelOptions) -> Model:
    """Return the model that an import path stands for.

    Parameters
    ----------
    name : str
        ``package.module:attribute``: an object with ``generate``, or a class or function without arguments that gives
        one.
    options : ModelOptions
        Of these only ``run``: a model without a fingerprint has answers of its own in every run.

    Raises
    ------
    AuditkitError
        When it cannot be imported or made, or has no ``generate``.
    """
    module_name, _, attribute = name.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:  # `pytest` and `auditkit` do not look here by themselves, `python -m` does
        sys.path.append(here)
    found = named_object(
        name,
        f"--model={name}",
        "Check the path (package.module:attribute) and that it can be imported from here (PYTHONPATH).",
    )
    if inspect.isclass(found) or (callable(found) and not hasattr(found, "generate")):
        try:
            found = found()
        except (Exception, SystemExit) as error:
            raise AuditkitError(
                f"--model={name}: calling {attribute}() failed: {type(error).__name__}: {error}.",
                "Name an object with generate(requests), or something that gives one when called without arguments.",
            ) from None
    if not callable(getattr(found, "generate", None)):
        raise AuditkitError(
            f"--model={name}: {type(found).__name__} has no method generate(requests).",
            "See docs/models.md: generate takes a list of Request and returns a list of Response.",
        )
    return Named(found, name, sys.modules[module_name], options.run)


class Named:
    """An imported object with a name and a fingerprint, whether or not it brings them itself.

    Everything else that is asked of it is the object's own, whatever it is called.

    Attributes
    ----------
    answers_of : str
        The run that its answers belong to; empty where other runs may use them, as of a model with a fingerprint.
    says_who : bool
        Whether it brings a fingerprint.
    """

    def __init__(self, model: Model, name: str, module: Any, run: str = "") -> None:
        self._model = model
        self.name = str(getattr(model, "name", None) or name)
        self.revision = str(getattr(model, "revision", None) or "")
        self.backend = str(getattr(model, "backend", None) or "import")
        own = str(getattr(model, "fingerprint", None) or "")
        self.fingerprint = own or _source_digest(module)
        self.answers_of = "" if own else run
        self.says_who = bool(own)

    @property
    def limits(self) -> tuple[str, ...]:
        """The model's own, and that nothing identifies it where it has no fingerprint."""
        own = tuple(getattr(self._model, "limits", None) or ())
        if self.says_who:
            return own
        return (*own, _NAMELESS.format(then=_FRESH if self.answers_of else _REUSED))

    def generate(self, requests: Sequence[Request]) -> Sequence[Response]:
        """Ask the model."""
        return self._model.generate(requests)

    def close(self) -> None:
        """Close the model, where it can be closed."""
        closing = getattr(self._model, "close", None)
        if callable(closing):
            closing()

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):  # unpickled or half made, there is no model yet to ask
            raise AttributeError(attribute)
        return getattr(self._model, attribute)


def _source_digest(module: Any) -> str:
    """Hash the module's file, so that answers of an edited model are not taken for those of the one before."""
    path = getattr(module, "__file__", None)
    if path is None or not Path(path).is_file():
        return ""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
