"""The ``audit`` fixture: states one criterion about measured data. No audit calls a model."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from auditkit.errors import AuditkitError
from auditkit.evidence import Audit, Estimate
from auditkit.plugin.state import RECORD
from auditkit.report.ci.junit import audit_properties
from auditkit.vocabulary import Comparison

if TYPE_CHECKING:
    from auditkit.plugin.state import State


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
        item, state = self._request.node, self._state
        words = question(item)

        def decided() -> Audit:
            if state.run is None:
                pytest.fail(
                    f"{comparison} was not part of the plan: parametrize the audit with it (pytest.mark.parametrize), "
                    "so that its questions are known before the run.",
                    pytrace=False,
                )
            return state.run.audit(comparison, gate, words)

        return judge(item, state, decided, lambda why: _unjudged(comparison, gate, words, why))


def judge(item: pytest.Item, state: State, decided: Callable[[], Audit], unjudged: Callable[[str], Audit]) -> Audit:
    """Decide, put the record on the test item, and fail the test if the verdict is not PASS.

    Parameters
    ----------
    item : pytest.Item
        The test.
    state : State
        The session.
    decided : callable
        Gives the record.
    unjudged : callable
        From the reason to the record of an audit that could not be judged.
    """
    if state.problem:
        pytest.fail(state.problem, pytrace=False)
    hazards = {"hazard_ids": _hazards(item)}
    try:
        audit = decided()
    except AuditkitError as error:
        audit = unjudged(f"It could not be judged: {error}")
    except Exception as error:  # a fault of ours must be a row of the report, not a gap in it; pytest shows where
        why = f"It could not be judged: {type(error).__name__}: {error}"
        _record(item, state, unjudged(why).model_copy(update=hazards))
        raise
    audit = audit.model_copy(update=hazards)
    _record(item, state, audit)
    if audit.verdict == "PASS":
        return audit
    message = f"{audit.verdict}: {audit.sentence}"
    if audit.verdict == "INCONCLUSIVE" and item.config.option.audit_allow_inconclusive:
        pytest.xfail(message)
    pytest.fail(message, pytrace=False)


def question(item: pytest.Function) -> str:
    """Return what an audit asks: its docstring, else its name."""
    return " ".join((inspect.getdoc(item.function) or item.originalname).split())


def _unjudged(comparison: Comparison, gate: str, question: str, why: str) -> Audit:
    return Audit(
        id=f"{comparison.family}/{comparison.name}",
        question=question,
        family=comparison.family,
        gate=gate,
        title=comparison.name,
        verdict="ERROR",
        sentence=why,
        estimate=Estimate(),
    )


def _hazards(item: pytest.Item) -> list[str]:
    """Ids that the test's ``hazard`` markers name, outermost last."""
    return list(dict.fromkeys(str(i) for mark in item.iter_markers("hazard") for i in mark.args))


def _record(item: pytest.Item, state: State, audit: Audit) -> None:
    item.stash[RECORD] = audit.model_dump(mode="json")
    if state.run is not None:
        model = str(getattr(state.run.model, "name", state.run.settings.model))
        item.user_properties += audit_properties(audit, model=model, protocol_sha256=state.run.protocol_sha256)
