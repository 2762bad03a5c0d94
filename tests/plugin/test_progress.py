import re
import sys
import time

import pytest

from auditkit.ask.tally import Tally
from auditkit.plugin import progress as module
from auditkit.plugin.progress import progress


def test_silent_when_not_wanted(capsys):
    with progress(enabled=False) as show:
        show(Tally(planned=10, done=5))
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def lines(capsys, monkeypatch):
    """What is printed within half a second where there is no terminal, with a line every twentieth of one."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    monkeypatch.setattr(module, "_EVERY", 0.05)

    def lines(*tallies, **how):
        with progress(enabled=True, **how) as show:
            for tally in tallies:
                show(tally)
            time.sleep(0.5)
        return capsys.readouterr().err.splitlines()

    return lines


def test_where_there_is_no_terminal_lines_go_on_though_no_batch_comes_back(lines):
    found = lines(
        Tally(planned=41070, done=4107, held=4100, ended={"refused": 3, "unparsed": 1200}, errors={"k": "down"})
    )
    assert len(found) >= 3
    pattern = (
        r"auditkit: 4,107 of 41,070 questions \(10 %\), [\d.]+ a second, about [\d.]+ (s|min) left; "
        r"3 refused, 1,200 not readable, 1 error"
    )
    assert all(re.fullmatch(pattern, line) for line in found), found


def test_a_silent_model_is_said_to_be_silent(lines, monkeypatch):
    line = module._line(Tally(planned=10, done=4, held=4), seconds=100.0, quiet=95.0)
    assert line == "auditkit: 4 of 10 questions (40 %); 0 errors; nothing came back for 1.6 min"
    line = module._line(Tally(planned=41070, done=19000, held=0), seconds=100.0, quiet=0.0)
    assert ", 190 a second, about 1.9 min left" in line
    line = module._line(Tally(planned=100, done=50, held=0), seconds=100.0, quiet=0.0)
    assert line == "auditkit: 50 of 100 questions (50 %), 0.5 a second, about 1.7 min left; 0 errors"


def test_nothing_is_printed_before_it_is_known_what_to_ask_nor_after_the_end(lines, capsys):
    assert lines() == []
    time.sleep(0.2)
    assert capsys.readouterr() == ("", "")


def test_a_worker_draws_no_bar_on_a_terminal(lines, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert "auditkit: 1 of 2 questions" in lines(Tally(planned=2, done=1), bar=False)[0]


def test_bar_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress(enabled=True) as show:
        show(Tally())
        show(Tally(planned=10, done=10, errors={"k": "down"}))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "10/10" in shown.err
    assert "1 error" in shown.err
