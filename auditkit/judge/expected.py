"""Expected scores beside generated ones: the gates' estimates from them, and how far the two agree in a run.

For information only: no verdict, p-value or sentence reads any of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from auditkit.evidence import Estimate, Expected, ScoringInfo
from auditkit.measure.columns import ERROR, Column, Measurements
from auditkit.tasks import READINGS

if TYPE_CHECKING:
    from numpy.typing import NDArray


def expected_record(
    estimate: Estimate,
    treated: Sequence[Column],
    control: Sequence[Column],
    mask: NDArray[np.bool_],
    n: tuple[int, int],
) -> Expected:
    """Put an estimate from expected scores together with how sure the model was of them.

    Parameters
    ----------
    estimate : Estimate
        By the rule of the gate.
    treated : sequence of Column
        The treated answers.
    control : sequence of Column
        The control answers; none where nothing is compared.
    mask : ndarray of bool, shape (n,)
        The images of the modality.
    n : (int, int)
        Images and patients behind the estimate.
    """
    return Expected(
        **dict(estimate),
        n_images=n[0],
        n_clusters=n[1],
        entropy=_mean(treated, "entropy", mask),
        control_entropy=_mean(control, "entropy", mask),
        max_entropy=max_entropy(treated),
        mass=_mean(treated, "mass", mask),
        control_mass=_mean(control, "mass", mask),
    )


def _mean(columns: Sequence[Column], name: str, mask: NDArray[np.bool_]) -> float | None:
    """Mean over the answers that have a value; None without any."""
    found = [getattr(c.expectations, name)[mask] for c in columns if c.expectations is not None]
    values = np.concatenate(found) if found else np.empty(0)
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else None


def scoring(data: Measurements) -> list[ScoringInfo]:
    """Compare what was generated with the probabilities of the choices, over all distinct questions of a run.

    Parameters
    ----------
    data : Measurements
        The answers.

    Returns
    -------
    list of ScoringInfo
        One per template, by id; of templates for which at least one answer came with log-probabilities, so none when
        the back end does not offer them.
    """
    columns: dict[str, list[Column]] = {}
    for question in data.asked():
        columns.setdefault(question.words, []).append(data.column(question))
    return [
        _info(template, columns[template], most)
        for template in sorted(columns)
        if (most := max_entropy(columns[template])) is not None
    ]


class _Sums(NamedTuple):
    """What is counted and added up over the answers of a column, so that no more than one is looked at together."""

    answers: float
    read: float = 0.0
    invalid: float = 0.0
    low_mass: float = 0.0
    compared: float = 0.0
    agreeing: float = 0.0
    both: float = 0.0
    difference: float = 0.0
    entropy: float = 0.0
    weighed: float = 0.0
    mass: float = 0.0

    @classmethod
    def of(cls, column: Column) -> _Sums:
        answers = ((column.outcomes >= 0) & (column.outcomes != ERROR)).sum()
        found = column.expectations
        if found is None:
            return cls(answers)
        read, invalid, low_mass = (float((found.readings == code).sum()) for code in range(len(READINGS)))
        difference = np.abs(found.scores - column.scores)
        return cls(
            answers=answers,
            read=read,
            invalid=invalid,
            low_mass=low_mass,
            compared=(found.agrees >= 0).sum(),
            agreeing=(found.agrees == 1).sum(),
            both=np.isfinite(difference).sum(),
            difference=np.nansum(difference),
            entropy=np.nansum(found.entropy),
            weighed=np.isfinite(found.mass).sum(),
            mass=np.nansum(found.mass),
        )


def _info(template: str, columns: Sequence[Column], most: float) -> ScoringInfo:
    total = _Sums(*np.sum([_Sums.of(column) for column in columns], axis=0))
    return ScoringInfo(
        words=template,
        answers=int(total.answers),
        read=int(total.read),
        absent=int(total.answers - total.read - total.invalid - total.low_mass),
        invalid=int(total.invalid),
        low_mass=int(total.low_mass),
        n_compared=int(total.compared),
        agreement=_share(total.agreeing, total.compared),
        difference=_share(total.difference, total.both),
        entropy=_share(total.entropy, total.read),
        max_entropy=most,
        mass=_share(total.mass, total.weighed),
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def max_entropy(columns: Sequence[Column]) -> float | None:
    """Return the entropy of equally likely choices, in bits; None where no answer came with log-probabilities."""
    return max((c.expectations.max_entropy for c in columns if c.expectations is not None), default=None)
