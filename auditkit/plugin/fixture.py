"""The ``audit`` fixture: states one criterion about measured data. No audit calls a model."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from auditkit.errors import AuditkitError
from auditkit.evidence import Audit, Estimate
from auditkit.plugin.state import RECORDS, STATED
from auditkit.report.ci.junit import audit_properties
from auditkit.vocabulary import Effect

if TYPE_CHECKING:
    from auditkit.plugin.state import State
    from auditkit.protocol.model import Family, Verb


class AuditFixture:
    """One method per verb of the protocol; each judges, records the verdict on the test item, and fails the test if it
    is not PASS.

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
        request.node.stash[STATED] = set()

    def within(self, effect: Effect) -> Audit:
        """The effect must stay within the family's limit to either side of zero."""
        return self._judge(effect, "within")

    def at_most(self, effect: Effect) -> Audit:
        """The effect must stay below the family's limit."""
        return self._judge(effect, "at_most")

    def at_least(self, effect: Effect) -> Audit:
        """The effect must stay above the family's limit."""
        return self._judge(effect, "at_least")

    def shows(self, effect: Effect) -> Audit:
        """The effect is measured and shown, whatever it is: for families with ``shown = true``."""
        return self._judge(effect, None)

    def _judge(self, effect: Effect, verb: Verb | None) -> Audit:
        item, state = self._request.node, self._state
        words = question(item)
        skip_unmeasurable(effect, state)
        item.stash[STATED].add(effect)

        def decided() -> Audit:
            if state.run is None:
                pytest.fail(
                    f"{effect} was not part of the plan: parametrize the audit with it (pytest.mark.parametrize), "
                    "so that its questions are known before the run.",
                    pytrace=False,
                )
            return state.run.audit(effect, words, verb)

        return judge(item, state, decided, lambda why: _unjudged(effect, verb, words, why, state))


def judge(item: pytest.Item, state: State, decided: Callable[[], Audit], unjudged: Callable[[str], Audit]) -> Audit:
    """Decide, put the record on the test item, and fail the test if the verdict is not PASS.

    What is only shown fails nothing: where it could not be measured, pytest skips the test with the reason.

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
    hazards = {"hazard_ids": marked(item, "hazard")}
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
    if audit.verdict == "PASS" or (audit.shown and audit.verdict != "ERROR"):
        return audit
    if audit.shown:
        pytest.skip(audit.sentence)
    message = f"{audit.verdict}: {audit.sentence}"
    if audit.verdict == "INCONCLUSIVE" and item.config.option.audit_allow_inconclusive:
        pytest.xfail(message)
    pytest.fail(message, pytrace=False)


def skip_unmeasurable(effect: Effect, state: State) -> None:
    """Skip a test whose effect the model's back end cannot give; it leaves no trace in the record."""
    why = state.run.lacks(effect) if state.run is not None and not state.problem else ""
    if why:
        pytest.skip(why)


def question(item: pytest.Function) -> str:
    """Return what an audit asks: its docstring, else its name."""
    return " ".join((inspect.getdoc(item.function) or item.originalname).split())


def note_unjudged(item: pytest.Function, effect: Effect, why: str, state: State) -> None:
    """Put an ERROR on a test item about an effect that its test did not get to judge."""
    family = _family(effect, state)
    audit = _unjudged(effect, None if family is None else family.verb, question(item), why, state)
    _record(item, state, audit.model_copy(update={"hazard_ids": marked(item, "hazard")}))


def _family(effect: Effect, state: State) -> Family | None:
    return None if state.run is None else state.run.protocol.family_of(effect)


def _unjudged(effect: Effect, verb: Verb | None, question: str, why: str, state: State) -> Audit:
    family = _family(effect, state)
    return Audit(
        id=f"{effect.family}/{effect.name}",
        question=question,
        family=effect.family,
        verb=verb or "",
        title=effect.name,
        shown=family is not None and family.shown,
        verdict="ERROR",
        sentence=why,
        estimate=Estimate(),
    )


def marked(item: pytest.Item, marker: str) -> list[str]:
    """What the markers of one name say, each once, outermost last."""
    return list(dict.fromkeys(str(i) for mark in item.iter_markers(marker) for i in mark.args))


def _record(item: pytest.Item, state: State, audit: Audit) -> None:
    item.stash.setdefault(RECORDS, []).append(audit.model_dump(mode="json"))
    if state.run is not None:
        model = str(getattr(state.run.model, "name", state.run.settings.model))
        item.user_properties += audit_properties(audit, model=model, protocol_sha256=state.run.protocol_sha256)
