"""The ``audit`` fixture: states one criterion about measured data. No audit calls a model."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

from auditkit.conditions import Comparison
from auditkit.errors import AuditkitError
from auditkit.evidence import Audit, Estimate
from auditkit.state import RECORD

if TYPE_CHECKING:
    from auditkit.state import State


class AuditFixture:
    """One method per criterion; each judges, records the verdict on the test item, and fails the test if not PASS.

    Parameters
    ----------
    request : pytest.FixtureRequest
        The test.
    state : State
        The session.
    """

    def __init__(self, request: pytest.FixtureRequest, state: State) -> None:
        self._request = request
        self._state = state

    def equivalent(self, contrast: Comparison) -> Audit:
        """The mean score must stay within the family's margin either way, and few patients may change a lot."""
        return self._judge(contrast, "equivalence")

    def same_in_words(self, wordings: Comparison) -> Audit:
        """The mean score must differ between any two wordings of the question by no more than the family's margin."""
        return self._judge(wordings, "template_equivalence")

    def not_raised(self, series: Comparison) -> Audit:
        """The mean score must not rise by more than the family's margin."""
        return self._judge(series, "not_raised")

    def monotone(self, series: Comparison) -> Audit:
        """From each severity to the next the mean score must not rise by more than the family's tolerance."""
        return self._judge(series, "monotone")

    def sensitive(self, series: Comparison) -> Audit:
        """The score must fall by at least the family's floor per severity step."""
        return self._judge(series, "sensitivity")

    def discriminates(self, series: Comparison) -> Audit:
        """The score must tell clean from corrupted images at the severities the family requires."""
        return self._judge(series, "discrimination")

    def rate_below(self, group: Comparison) -> Audit:
        """The share of refused (or of otherwise unusable) answers must stay below the family's cap."""
        return self._judge(group, "rate")

    def same_rate(self, contrast: Comparison) -> Audit:
        """The share of answers without a score must not rise by more than the family's margin."""
        return self._judge(contrast, "rate_difference")

    def agrees(self, contrast: Comparison) -> Audit:
        """The share of images whose answer changes must stay below the family's cap."""
        return self._judge(contrast, "agreement")

    def _judge(self, comparison: Comparison, gate: str) -> Audit:
        if self._state.problem:
            pytest.fail(self._state.problem, pytrace=False)
        if self._state.run is None:
            pytest.fail(
                f"{comparison} was not part of the plan: parametrize the audit with it (pytest.mark.parametrize), so "
                "that its questions are known before the run.",
                pytrace=False,
            )
        try:
            audit = self._state.run.audit(comparison, gate, self._question())
        except AuditkitError as error:
            self._record(self._unjudged(comparison, gate, str(error)))
            pytest.fail(f"ERROR: {error}", pytrace=False)
        except Exception as error:  # a fault of ours must be a row of the report, not a gap in it; pytest shows where
            self._record(self._unjudged(comparison, gate, f"{type(error).__name__}: {error}"))
            raise
        audit = audit.model_copy(update={"hazard_ids": self._hazards()})
        self._record(audit)
        if audit.verdict == "PASS":
            return audit
        message = f"{audit.verdict}: {audit.sentence}"
        if audit.verdict == "INCONCLUSIVE" and self._request.config.option.audit_allow_inconclusive:
            pytest.xfail(message)
        pytest.fail(message, pytrace=False)

    def _unjudged(self, comparison: Comparison, gate: str, why: str) -> Audit:
        return Audit(
            id=f"{comparison.family}/{comparison.name}",
            question=self._question(),
            family=comparison.family,
            gate=gate,
            title=comparison.name,
            verdict="ERROR",
            sentence=f"It could not be judged: {why}",
            hazard_ids=self._hazards(),
            estimate=Estimate(),
        )

    def _question(self) -> str:
        text = inspect.getdoc(self._request.function) or self._request.node.originalname
        return " ".join(text.split())

    def _hazards(self) -> list[str]:
        """Ids that the test's ``hazard`` markers name, outermost last."""
        return list(dict.fromkeys(str(i) for mark in self._request.node.iter_markers("hazard") for i in mark.args))

    def _record(self, audit: Audit) -> None:
        self._request.node.stash[RECORD] = audit.model_dump(mode="json")
        properties = self._request.node.user_properties
        properties += [("audit", audit.id), ("verdict", audit.verdict)]
        if audit.estimate.value is not None:
            properties += [("estimate", audit.estimate.value), ("unit", audit.estimate.unit)]
        if audit.p_fail is not None:
            properties.append(("p_fail", audit.p_fail))
