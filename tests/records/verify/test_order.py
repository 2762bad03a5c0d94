"""Which protocol came first is told by the order of the store's notes, whatever the clock said."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from auditkit.ask import store as module
from auditkit.errors import AuditkitError
from auditkit.records.verify import exit_code
from tests.records.verify.conftest import IDS, Impressed, Made, run_once
from tests.sealed import seal

SOME = IDS[:1]
Turn = Callable[[timedelta], None]


@pytest.fixture(autouse=True)
def salted(salt: None) -> None:
    """Ids as everywhere."""


@pytest.fixture
def turn(monkeypatch: pytest.MonkeyPatch) -> Turn:
    """Turn the clock."""

    class Clock(datetime):
        by = timedelta()

        @classmethod
        def now(cls, tz=None):
            return datetime(2026, 6, 1, tzinfo=UTC) + cls.by

    monkeypatch.setattr(module, "datetime", Clock)
    return lambda by: setattr(Clock, "by", by)


def changed(made: Made) -> list[str]:
    [earlier] = made.evidence.run.earlier_protocols
    return earlier.changes


@pytest.mark.parametrize("days", [-400, 0, 400])
def test_changed_protocol_is_found_whatever_the_clock_did(tmp_path, pictures, turn: Turn, days):
    first = run_once(tmp_path, pictures, ids=SOME)
    turn(timedelta(days=days))
    second = run_once(tmp_path, pictures, uid="second", ids=SOME, margin=9.0)
    assert changed(second) == ["families.metadata.within: 5.0, now 9.0"]
    assert second.evidence.run.earlier_protocols[0].sha256 == first.evidence.protocol.sha256
    turn(timedelta(days=-2 * days))
    again = run_once(tmp_path, pictures, uid="again", ids=SOME)
    assert again.evidence.run.earlier_protocols == [], "it was the first, and is not changed by being run again"
    third = run_once(tmp_path, pictures, uid="third", ids=SOME, margin=7.0)
    assert len(third.evidence.run.earlier_protocols) == 2
    for made in (first, second, again, third):
        assert [check for check in made.verify() if check.state != "ok"] == []


class GivesUp(Impressed):
    """Answers the questions of the first look, and then no more."""

    left = 10  # of batches of 16, of which the 140 questions of a look take 9

    def generate(self, requests):
        if not self.left:
            raise AuditkitError("the licence ran out")
        self.left -= 1
        return super().generate(requests)


def test_look_of_a_run_that_did_not_end_counts(tmp_path, pictures):
    """Whoever stops a run of several looks has seen what the first of them came to."""
    with pytest.raises(AuditkitError, match="licence"):
        run_once(tmp_path, pictures, uid="stopped", ids=SOME, looks=2, model=GivesUp())
    made = run_once(tmp_path, pictures, uid="second", ids=SOME, looks=2, margin=9.0)
    assert changed(made) == ["families.metadata.within: 5.0, now 9.0"]


def three(tmp_path, pictures) -> Made:
    """Return the third of three runs by three protocols."""
    made = [run_once(tmp_path, pictures, uid=f"run{i}", ids=SOME, margin=5.0 + i) for i in range(3)]
    return made[-1]


TAMPERED = {
    "one taken out": ("DELETE FROM judged WHERE key LIKE '%:2'", True),
    "the first taken out": ("DELETE FROM judged WHERE key LIKE '%:1'", True),
    "one changed": ("UPDATE judged SET criteria = '{}' WHERE key LIKE '%:2'", True),
    "one damaged": ("UPDATE judged SET criteria = '{}' WHERE key LIKE '%:2'", False),
    "another protocol put in": ("UPDATE judged SET sha256 = replace(sha256, 'a', 'b') WHERE key LIKE '%:1'", True),
}


@pytest.mark.parametrize(("statement", "sealed"), TAMPERED.values(), ids=TAMPERED)
def test_what_is_done_to_the_notes_hides_no_earlier_protocol(tmp_path, pictures, statement, sealed):
    made = three(tmp_path, pictures)
    with closing(sqlite3.connect(made.store)) as raw, raw:
        assert raw.execute(statement).rowcount == 1
    if sealed:
        seal(made.store)
    checks = made.verify()
    assert exit_code(checks) == 3
    assert any("notes of protocols are damaged, or one was taken out" in check.words for check in checks)
    again = run_once(tmp_path, pictures, uid="again", ids=SOME, margin=7.0).evidence.run
    assert len(again.earlier_protocols) == 2
    assert any("damaged" in change for earlier in again.earlier_protocols for change in earlier.changes)
