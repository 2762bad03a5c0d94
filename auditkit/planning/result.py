"""The answer to "how many patients": what each claim takes, and what that comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from auditkit.measure.columns import ALL, MODALITY
from auditkit.planning.claims import Claim, Settles
from auditkit.protocol.model import Protocol
from auditkit.stats.planning import MOST, cells_power

EACH = "each"


class Where(NamedTuple):
    """Which patients: a level of a column, ``each`` of them, or ``all`` together."""

    level: str
    column: str = MODALITY


@dataclass(frozen=True, slots=True)
class Need:
    """Patients that one claim takes.

    Attributes
    ----------
    family, audit : str
        ``audit`` is empty when every audit of the family makes the claim.
    where : Where
        The patients that the claim is about.
    claim, assumed : str
        What must be shown, and what is taken for the truth, in words.
    settles : {"PASS", "FAIL"}
        The verdict that the claim leads to if that is the truth.
    one_audit, whole_gate : int or None
        Patients (of that level, or altogether) with which the claim's audit, or all audits, are settled with the
        power asked for, as far as this claim is concerned; None when no number up to a million is enough.
    """

    family: str
    audit: str
    where: Where
    claim: str
    assumed: str
    settles: Settles
    one_audit: int | None
    whole_gate: int | None


@dataclass(frozen=True, slots=True)
class Total:
    """Patients by stratum and altogether; None when no number is enough."""

    by_stratum: Mapping[Where, int | None]
    total: int | None


@dataclass(frozen=True, slots=True)
class SampleSize:
    """What was planned.

    Attributes
    ----------
    protocol : Protocol
        The criteria, with the profile and margins that were used.
    power : float
        Probability of settling.
    strata : mapping of Where to int
        How many levels each stands for: 8 for ``each`` of eight modalities, or the pilot's with 1 each.
    audits, claims : int
        Audits planned for, and claims that they make together.
    needs : tuple of Need
        One per family and claim, or per audit and stratum.
    notes : tuple of str
        Every assumption, in words.
    """

    protocol: Protocol
    power: float
    strata: Mapping[Where, int]
    audits: int
    claims: int
    needs: tuple[Need, ...]
    notes: tuple[str, ...]

    def patients(self, needs: Iterable[Need], *, whole_gate: bool) -> Total:
        """Return the patients that are enough for all of some needs."""
        by_stratum: dict[Where, int | None] = dict.fromkeys(self.strata, 0)
        together: int | None = 0
        for need in needs:
            n = need.whole_gate if whole_gate else need.one_audit
            if need.where.level == ALL:
                together = _larger(together, n)
            else:
                by_stratum[need.where] = _larger(by_stratum[need.where], n)
        # The same patients are divided by every column.
        totals: dict[str, int] = {}
        for where, n in by_stratum.items():
            if n is None or together is None:
                return Total(by_stratum, None)
            totals[where.column] = totals.get(where.column, 0) + n * self.strata[where]
        return Total(by_stratum, max([*totals.values(), together or 0]))

    def settled(self, patients: int) -> int:
        """Return how many audits of a pilot are settled, each by itself, by so many patients in every stratum."""
        open_ones = {
            need.audit
            for need in self.needs
            if need.one_audit is None or need.one_audit > patients * self._times(need.where)
        }
        return self.audits - len(open_ones)

    def _times(self, where: Where) -> int:
        if where.level != ALL:
            return 1
        return sum(times for stratum, times in self.strata.items() if stratum.column == where.column)


def need_of(claim: Claim, place: tuple[str, str, Where], power: float, sizes: tuple[int, int]) -> Need:
    """Work out one claim.

    Parameters
    ----------
    claim : Claim
        What must be shown.
    place : (str, str, Where)
        Family, audit and patients.
    power : float
        For the audit, and for all.
    sizes : tuple of int
        Claims of the audit, and of all.
    """
    one_audit, whole_gate = (claim.patients(cells_power(power, size)) for size in sizes)
    return Need(*place, claim.words, claim.assumed, claim.settles, one_audit, whole_gate)


def hardest(needs: Iterable[Need]) -> Need:
    """Return the need that takes most patients."""
    return max(needs, key=lambda need: MOST + 1 if need.one_audit is None else need.one_audit)


def _larger(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else max(a, b)
