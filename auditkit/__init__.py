"""auditkit: audits that decide whether a vision-language model may be trusted with medical images.

What audits, protocols and extensions need is listed here; everything else is the package's own. Names are imported when
they are first used, because every pytest session of an environment with auditkit imports this module.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditkit.errors import AuditkitError
    from auditkit.evidence import Evidence
    from auditkit.images.item import ImageSet, Item, Picture, salted_hash
    from auditkit.models.base import Model, Request, Response
    from auditkit.perturbations import Entry
    from auditkit.protocol import description, diagnosis, medq, prompt, shipped, zero_shot
    from auditkit.protocol.confidence import (
        brier,
        covered,
        grows,
        kept,
        kept_loss,
        overconfidence,
        referred,
        reliability,
        risk,
    )
    from auditkit.protocol.effects import (
        agreement,
        areas,
        behind,
        between,
        calibration,
        change,
        corruptions,
        departure,
        differs,
        displacement,
        errors_over,
        falls,
        follows,
        mean,
        prompt_share,
        rises,
        share,
        steps,
        versus,
        wording_share,
        wordings,
    )
    from auditkit.protocol.read import load_protocol
    from auditkit.protocol.right_answers import accuracy, balanced_accuracy, loses, loss, recall, skill
    from auditkit.tasks import Quantity, Score, Scorer, Wording
    from auditkit.vocabulary import Effect, Part, Perturbation, Question, Value

__version__ = "0.1.0"

__all__ = [
    "AuditkitError",
    "Effect",
    "Entry",
    "Evidence",
    "ImageSet",
    "Item",
    "Model",
    "Part",
    "Perturbation",
    "Picture",
    "Quantity",
    "Question",
    "Request",
    "Response",
    "Score",
    "Scorer",
    "Value",
    "Wording",
    "__version__",
    "accuracy",
    "agreement",
    "areas",
    "balanced_accuracy",
    "behind",
    "between",
    "brier",
    "calibration",
    "change",
    "corruptions",
    "covered",
    "departure",
    "description",
    "diagnosis",
    "differs",
    "displacement",
    "errors_over",
    "falls",
    "follows",
    "grows",
    "kept",
    "kept_loss",
    "load_protocol",
    "loses",
    "loss",
    "mean",
    "medq",
    "overconfidence",
    "prompt",
    "prompt_share",
    "recall",
    "referred",
    "reliability",
    "rises",
    "risk",
    "salted_hash",
    "share",
    "shipped",
    "skill",
    "steps",
    "tracks",
    "versus",
    "wording_share",
    "wordings",
    "zero_shot",
]

_HOMES = {
    "auditkit.errors": ("AuditkitError",),
    "auditkit.evidence": ("Evidence",),
    "auditkit.images.item": ("Item", "ImageSet", "Picture", "salted_hash"),
    "auditkit.models.base": ("Model", "Request", "Response"),
    "auditkit.perturbations": ("Entry",),
    "auditkit.protocol.confidence": (
        "brier", "covered", "grows", "kept", "kept_loss", "overconfidence", "referred", "reliability", "risk",
    ),
    "auditkit.protocol.effects": (
        "agreement", "areas", "behind", "between", "calibration", "change", "corruptions", "departure", "differs",
        "displacement", "errors_over", "falls", "follows", "mean", "prompt_share", "rises", "share", "steps", "versus",
        "wording_share", "wordings",
    ),
    "auditkit.protocol.read": ("load_protocol",),
    "auditkit.protocol.right_answers": ("accuracy", "balanced_accuracy", "loses", "loss", "recall", "skill"),
    "auditkit.protocol.tracking": ("tracks",),
    "auditkit.tasks": ("Quantity", "Score", "Scorer", "Wording"),
    "auditkit.vocabulary": ("Effect", "Part", "Perturbation", "Question", "Value"),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    if name in __all__:  # the shipped effects and those of the packs, a module each
        return import_module(f"auditkit.protocol.{name}")
    raise AttributeError(f"module 'auditkit' has no attribute {name!r}")
