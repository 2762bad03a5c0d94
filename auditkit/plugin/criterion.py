"""Every audit that was asked about ends as a row of the record: one whose test states no criterion is an ERROR.

Imported in every pytest session, so it imports the standard library and pytest only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditkit.plugin.references import effects_of
from auditkit.plugin.state import STATE, STATED

if TYPE_CHECKING:
    from auditkit.vocabulary import Effect

_VERBS = "audit.within, audit.at_most, audit.at_least or audit.shows"


def check_ended(item: pytest.Function, error: BaseException | None) -> None:
    """Put down as ERROR the effects that a test ended without judging, and fail the test where it would not.

    Parameters
    ----------
    item : pytest.Function
        Any test; those that do not use the fixture ``audit`` are left alone.
    error : BaseException or None
        What the test ended with.
    """
    stated = item.stash.get(STATED, None)
    if stated is None or isinstance(error, KeyboardInterrupt | pytest.exit.Exception):
        return
    missing = [effect for effect in effects_of(item) if effect not in stated]
    excused = isinstance(error, pytest.skip.Exception | pytest.xfail.Exception)
    if (excused and not stated) or (stated and not missing):
        return  # the test left itself out, or has judged all that it asks
    state = item.config.stash[STATE]
    if state.problem:
        _fail_unless(error, excused, state.problem)
    why = f"It states no criterion: {item.originalname} ended without calling {_VERBS}."
    if error is not None:
        why = f"It could not be judged: the test ended before its criterion: {_said(error)}"
    _note(item, missing, why)
    _fail_unless(error, excused, f"ERROR: {why}")


def note_setup(item: pytest.Item, error: BaseException) -> None:
    """Put down as ERROR the effects of a test whose fixtures failed before it could judge them."""
    if isinstance(item, pytest.Function):
        _note(item, effects_of(item), f"It could not be judged: the test's fixtures failed: {_said(error)}")


def _fail_unless(error: BaseException | None, excused: bool, message: str) -> None:
    """Fail the test, unless it fails already."""
    if error is None or excused:
        pytest.fail(message, pytrace=False)


def _note(item: pytest.Function, effects: list[Effect], why: str) -> None:
    state = item.config.stash[STATE]
    if state.run is None:
        return
    from auditkit.plugin.fixture import note_unjudged

    for effect in effects:
        note_unjudged(item, effect, why, state)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
