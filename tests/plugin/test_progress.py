import sys

from auditkit.ask.tally import Tally
from auditkit.plugin import progress as module
from auditkit.plugin.progress import progress


def test_silent_when_not_wanted(capsys):
    with progress(enabled=False) as show:
        show(Tally(planned=10, done=5))
    assert capsys.readouterr() == ("", "")


def test_lines_now_and_then_where_there_is_no_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    with progress(enabled=True) as show:
        show(Tally(planned=10, done=1))
        assert capsys.readouterr().err == ""
        monkeypatch.setattr(module, "_EVERY", 0.0)
        show(Tally(planned=10))
        show(Tally(planned=10, done=4, held=2, errors={"k": "down"}))
    first, second = capsys.readouterr().err.splitlines()
    assert first == "auditkit: 0 of 10 questions, 0 errors"
    assert second.startswith("auditkit: 4 of 10 questions, ")
    assert second.endswith(" s left, 1 error")


def test_bar_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress(enabled=True) as show:
        show(Tally())
        show(Tally(planned=10, done=10, errors={"k": "down"}))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "10/10" in shown.err
    assert "1 error" in shown.err
