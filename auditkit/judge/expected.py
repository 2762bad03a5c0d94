"""Expected scores beside generated ones: the gates' estimates from them.

For information only: no verdict, p-value or sentence reads any of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate, Expected
from auditkit.measure.columns import Column

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


def max_entropy(columns: Sequence[Column]) -> float | None:
    """Return the entropy of equally likely choices, in bits; None where no answer came with log-probabilities."""
    return max((c.expectations.max_entropy for c in columns if c.expectations is not None), default=None)
