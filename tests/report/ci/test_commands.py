"""What goes in comes out at the runner, and nothing else does."""

from hypothesis import given
from hypothesis import strategies as st

from auditkit.report.ci.commands import command, pause, resume
from tests.report.ci.runner import Obeyed, obeyed

WORDS = st.text(st.sampled_from("a%:,;=\r\n#[]\u2028 0DA25"), max_size=30)


@given(text=WORDS, title=WORDS.map(lambda t: "x" + t))
def test_any_text_is_one_command_with_that_text(text, title):
    line = command("error", text, file="a.py", line=3, title=title)
    assert obeyed(line) == [Obeyed("error", text, {"file": "a.py", "line": "3", "title": title})]


def test_what_is_not_known_is_left_out():
    assert command("warning", "why", file=None, line=None, title="") == "::warning::why"


def test_nothing_is_obeyed_between_pause_and_resume():
    foreign = "::error::one\n answer: ##[set-env name=X]y\n  ::stop-commands::mine\n::mine::\n::warning::two"
    assert [c.name for c in obeyed(foreign)][:2] == ["error", "set-env"]
    lines = [pause("secret"), foreign, resume("other"), "::error::three", resume("secret"), command("error", "ours")]
    assert obeyed("\n".join(lines)) == [Obeyed("error", "ours", {})]
