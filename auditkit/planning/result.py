"""The answer to "how many patients": what each claim takes, and what that comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from auditkit.measure.columns import ALL
from auditkit.planning.claims import Claim, Settles
from auditkit.protocol.model import Protocol
from auditkit.stats.planning import MOST, cells_power

EACH = "each"


@dataclass(frozen=True, slots=True)
class Need:
    """Patients that one claim takes.

    Attributes
    ----------
    family, audit : str
        ``audit`` is empty when every audit of the family makes the claim.
    modality : str
        ``each``, a modality, or ``all`` when the claim is about all patients together.
    claim, assumed : str
        What must be shown, and what is taken for the truth, in words.
    settles : {"PASS", "FAIL"}
        The verdict that the claim leads to if that is the truth.
    one_audit, whole_gate : int or None
        Patients (of that modality, or altogether) with which the claim's audit, or all audits, are settled with the
        power asked for, as far as this claim is concerned; None when no number up to a million is enough.
    """

    family: str
    audit: str
    modality: str
    claim: str
    assumed: str
    settles: Settles
    one_audit: int | None
    whole_gate: int | None


@dataclass(frozen=True, slots=True)
class Total:
    """Patients by modality and altogether; None when no number is enough."""

    by_modality: Mapping[str, int | None]
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
    modalities : mapping of str to int
        How many modalities each name stands for: ``{"each": 8}``, or the pilot's with 1 each.
    audits, claims : int
        Audits of the gate, and claims that they make together.
    needs : tuple of Need
        One per family and claim, or per audit and modality.
    notes : tuple of str
        Every assumption, in words.
    """

    protocol: Protocol
    power: float
    modalities: Mapping[str, int]
    audits: int
    claims: int
    needs: tuple[Need, ...]
    notes: tuple[str, ...]

    def patients(self, needs: Iterable[Need], *, whole_gate: bool) -> Total:
        """Return the patients that are enough for all of some needs."""
        by_modality: dict[str, int | None] = dict.fromkeys(self.modalities, 0)
        together: int | None = 0
        for need in needs:
            n = need.whole_gate if whole_gate else need.one_audit
            if need.modality == ALL:
                together = _larger(together, n)
            else:
                by_modality[need.modality] = _larger(by_modality[need.modality], n)
        total = 0
        for name, n in by_modality.items():
            if n is None or together is None:
                return Total(by_modality, None)
            total += n * self.modalities[name]
        return Total(by_modality, max(total, together or 0))

    def settled(self, patients: int) -> int:
        """Return how many audits of a pilot are settled, each by itself, by so many patients in every modality."""
        open_ones = {
            need.audit
            for need in self.needs
            if need.one_audit is None
            or need.one_audit > patients * (sum(self.modalities.values()) if need.modality == ALL else 1)
        }
        return self.audits - len(open_ones)


def need_of(claim: Claim, place: tuple[str, str, str], power: float, sizes: tuple[int, int]) -> Need:
    """Work out one claim.

    Parameters
    ----------
    claim : Claim
        What must be shown.
    place : tuple of str
        Family, audit and modality.
    power : float
        For the audit, and for the gate.
    sizes : tuple of int
        Claims of the audit, and of the gate.
    """
    one_audit, whole_gate = (claim.patients(cells_power(power, size)) for size in sizes)
    return Need(*place, claim.words, claim.assumed, claim.settles, one_audit, whole_gate)


def hardest(needs: Iterable[Need]) -> Need:
    """Return the need that takes most patients."""
    return max(needs, key=lambda need: MOST + 1 if need.one_audit is None else need.one_audit)


def _larger(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else max(a, b)
