"""The test items of a comparison with an earlier run, one beside every audit.

Imported in every pytest session, so it imports the standard library and pytest only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from auditkit.plugin.state import STATE

if TYPE_CHECKING:
    from auditkit.evidence import Audit
    from auditkit.records.baseline.earlier import EarlierRun
    from auditkit.vocabulary import Effect

ROLES = ("baseline", "anchor")
# What was expected of the audit itself says nothing of the comparison; parameters were resolved in making the item.
_NOT_SHARED = ("xfail", "parametrize", "usefixtures")


class ReferenceItem(pytest.Item):
    """Judges one audit's comparison against an earlier run; collected, selected and reported as a test of its own.

    Parameters
    ----------
    audit_item : pytest.Function
        The audit beside which it stands: it shares the place in the file, the marks and the docstring.
    effect : Effect
        What the audit is parametrized with.
    role : {"baseline", "anchor"}
        Which earlier run.
    """

    def __init__(self, *, audit_item: pytest.Function, effect: Effect, role: str, **more: Any) -> None:
        super().__init__(**more)
        self.audit_item = audit_item
        self.effect = effect
        self.role = role
        for mark in reversed(audit_item.own_markers):
            if mark.name not in _NOT_SHARED:
                self.add_marker(getattr(pytest.mark, mark.name).with_args(*mark.args, **mark.kwargs), append=False)

    def iter_markers_with_node(self, name: str | None = None) -> Iterator[tuple[Any, pytest.Mark]]:
        """Leave out what was expected of the audit itself, wherever it was marked: on test, class or module."""
        return (found for found in super().iter_markers_with_node(name) if found[1].name not in _NOT_SHARED)

    def get_closest_marker(self, name: str, default: Any = None) -> Any:
        return next(self.iter_markers(name), default)

    def runtest(self) -> None:
        from auditkit.plugin.fixture import judge, question, skip_unmeasurable

        state = self.config.stash[STATE]
        skip_unmeasurable(self.effect, state)
        words = question(self.audit_item)
        judge(self, state, lambda: _against(self, words), lambda why: _unjudged(self, words, why))

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        path, line, _ = self.audit_item.reportinfo()
        return path, line, self.name


def with_references(made: Iterable[Any], config: pytest.Config) -> list[Any]:
    """Put an item for each earlier run named on the command line beside every audit."""
    roles = [role for role in ROLES if getattr(config.option, f"audit_{role}", None)]
    return [item for audit in made for item in (audit, *(_beside(audit, roles) if roles else ()))]


def effects_of(item: Any) -> list[Effect]:
    """Return the effects among the parameters of an item that uses the ``audit`` fixture, or stands beside one."""
    if isinstance(item, ReferenceItem):
        return [item.effect]
    if not uses_audit(item):
        return []
    from auditkit.vocabulary import Effect

    params = getattr(getattr(item, "callspec", None), "params", {})
    return [value for value in params.values() if isinstance(value, Effect)]


def looks_inside(item: Any) -> bool:
    """Whether an item's effect takes what the model holds inside, which is fetched only when it is asked for."""
    found = effects_of(item)
    if not found:
        return False
    from auditkit import tasks

    return any(question.task in tasks.inside() for effect in found for question in effect.questions())


def asks_others(effect: Effect) -> bool:
    """Whether an effect takes answers of anybody but the audited model."""
    from auditkit.vocabulary import MODEL

    return any(question.role != MODEL for question in effect.questions())


def uses_audit(item: Any) -> bool:
    """Whether an item needs the answers of a run."""
    return isinstance(item, ReferenceItem) or "audit" in getattr(item, "fixturenames", ())


def _beside(item: Any, roles: list[str]) -> Iterator[ReferenceItem]:
    found = effects_of(item)
    for role in roles:
        for effect in found:
            suffix = f"{role}:{effect.name}" if len(found) > 1 else role
            # Inside the brackets: pytest 9 reads what stands in them as the last part of a name.
            name = f"{item.name.removesuffix(']')}@{suffix}]"
            yield ReferenceItem.from_parent(item.parent, name=name, audit_item=item, effect=effect, role=role)


def _against(item: ReferenceItem, question: str) -> Audit:
    state = item.config.stash[STATE]
    earlier: EarlierRun = next(earlier for earlier in state.references if earlier.role == item.role)
    return earlier.audit(item.effect, question)


def _unjudged(item: ReferenceItem, question: str, why: str) -> Audit:
    from auditkit.evidence import Audit, Estimate
    from auditkit.judge.versions import named

    return Audit(**named(item.role, item.effect), question=question, verdict="ERROR", sentence=why, estimate=Estimate())
