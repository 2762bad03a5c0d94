"""What a situation is: who answers, about how many patients, and what is true.

Every situation is named by a `Setting`; the truth lies exactly on the gate's margin, well inside it, or at twice it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast
from unittest import mock

from auditkit.evidence import Audit, Cell, Point
from auditkit.images.item import Item
from auditkit.judge.judge import Judge
from auditkit.judge.versions import VersionJudge
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from auditkit.testing import Behaviour, audit_all, made_up_images
from auditkit.vocabulary import Effect, Perturbation
from validation.asking import answers

SHIPPED_PROTOCOL = Path(__file__).resolve().parent.parent / "audits" / "protocol.toml"
LAYOUTS: dict[str, tuple[int, ...]] = {
    "1": (1,),
    "1-4": (1, 1, 2, 4),
    "4": (4,),
    "1-12": tuple(range(1, 13)),
    "1 or 12": (12, *(1,) * 7),
}
"""Images per patient, over again from the first: of eight patients with "1 or 12" one has twelve."""
FAMILY = "measured"
WORDS = Perturbation("institution.neutral")
TAIL = {"beyond": 25.0, "share": 0.10}
"""As shipped."""
EFFECTS = {"inside": 0.0, "margin": 1.0, "outside": 2.0}
"""The effect in units of the margin."""

Truth = Literal["inside", "margin", "outside"]
Missing = Literal["none", "random", "worst", "best"]


@dataclass(frozen=True, slots=True)
class Setting:
    """Names a situation.

    Attributes
    ----------
    gate : str
        Key of `GATES`.
    kind : str
        Kind of noise or of events.
    layout : str
        Key of `LAYOUTS`.
    patients : int
        Per modality.
    truth : {"inside", "margin", "outside"}
        No effect (or a fall and an area well above the floor); exactly the margin; twice it (or no fall at all).
    missing : {"none", "random", "worst", "best"}
        Which 5 % of the changed images are refused: any of them, those that speak most against the model, or those that
        speak most for it.
    """

    gate: str
    kind: str
    layout: str
    patients: int
    truth: Truth = "margin"
    missing: Missing = "none"

    def __str__(self) -> str:
        return "/".join(str(value) for value in asdict(self).values())

    @classmethod
    def parse(cls, text: str) -> Setting:
        """Return the setting that has this name."""
        gate, kind, layout, patients, truth, missing = text.split("/")
        return cls(gate, kind, layout, int(patients), cast(Truth, truth), cast(Missing, missing))


@dataclass(frozen=True)
class Situation:
    """What to simulate, and what is true.

    Attributes
    ----------
    behaviour : Behaviour
        Who answers.
    effect : Effect
        What is judged, of the family `FAMILY`.
    family : dict
        Its declaration; a family of one effect.
    modalities : tuple of str
        Each with the setting's number of patients.
    value : callable
        True value of a cell's estimate; NaN where it is not known.
    on_margin : callable
        Whether a cell's true value lies on its margin.
    tail : float
        True excess of jumps over those by noise; NaN where it is not known.
    change : callable or None
        Expected change of the score at a severity, for the points of the figures.
    old : Behaviour or None
        Who answered in an earlier run; then what is judged is how much worse the effect has become.
    baseline : dict
        Margins of that, in place of the shipped ones.
    """

    behaviour: Behaviour
    effect: Effect
    family: Mapping[str, Any]
    value: Callable[[Cell], float]
    modalities: tuple[str, ...] = ("ct",)
    on_margin: Callable[[Cell], bool] = lambda _: True
    tail: float = math.nan
    change: Callable[[int], float] | None = None
    old: Behaviour | None = None
    baseline: Mapping[str, float] = field(default_factory=dict)


def protocol_of(what: Situation, seed: int) -> Protocol:
    """Return the shipped protocol with one family of one effect, margins against an earlier run, and another seed."""
    shipped = load_protocol(SHIPPED_PROTOCOL)
    content = shipped.model_dump() | {"seed": seed, "families": {FAMILY: {"size": 1, **what.family}}}
    if what.baseline:
        content["baseline"] = dict(what.baseline)
    return Protocol.model_validate(content)


def judged(what: Situation, records: Sequence[Item], protocol: Protocol, seed: int) -> Audit:
    """Ask, read and judge: the one audit of a situation."""
    data = answers(what.behaviour, records, [what.effect], protocol, seed)
    with unplanned(figures=what.change is not None):
        if what.old is None:
            (audit,) = audit_all(data, [what.effect], protocol).values()
            return audit
        before = answers(what.old, records, [what.effect], protocol, seed)
        return VersionJudge(protocol, data, before, [what.effect]).against("baseline", what.effect, "", "earlier")


@contextmanager
def unplanned(*, figures: bool = False) -> Iterator[None]:
    """Leave out "about N more patients would settle it", and the data of the figures, while judging.

    On the margin nearly every answer is INCONCLUSIVE, and that number takes most of the time (for means of 64 patients
    40 of 60 ms); no verdict and no interval of a cell depends on either.
    """
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(Judge, PLANNING, _nothing, create=True))
        if not figures:
            stack.enter_context(mock.patch.object(Judge, FIGURES, _no_points, create=True))
        yield


PLANNING, FIGURES = "_more_clusters", "_series"


def _nothing(*_: object) -> None:
    """Stands in for what is left out."""


def _no_points(*_: object) -> list[Point]:
    """Stands in for the data of a figure."""
    return []


@lru_cache(maxsize=8)
def images(setting_layout: str, patients: int, modalities: tuple[str, ...]) -> tuple[Item, ...]:
    """Return the made-up images of a layout."""
    return made_up_images(dict.fromkeys(modalities, patients), LAYOUTS[setting_layout])
