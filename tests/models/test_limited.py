"""Foreign code that never ends is ended."""

import threading
import time

import pytest

from auditkit.errors import AuditkitError
from auditkit.models import limited
from auditkit.models.doctor.template import chat_findings
from auditkit.models.limited import within
from auditkit.models.local.chat import chat_text, must_fold_system

ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{{ a * b }}{% endfor %}{% endfor %}"


def _alone() -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if not any(thread.name == "auditkit-limited" for thread in threading.enumerate()):
            return True
        time.sleep(0.05)
    return False


def test_what_ends_is_given_and_what_it_raises_is_raised():
    assert within(lambda: 7, "it") == 7
    with pytest.raises(ZeroDivisionError):
        within(lambda: 1 // 0, "it")


def test_what_never_ends_is_stopped():
    def never():
        while True:
            try:
                sum(range(10))
            except Exception:
                continue

    with pytest.raises(AuditkitError, match=r"it does not end: it gave nothing within 0\.2 s"):
        within(never, "it", 0.2)
    assert _alone()  # nothing goes on computing


def test_a_chat_template_that_never_ends_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(limited, "SECONDS", 0.3)
    (tmp_path / "chat_template.jinja").write_text(ENDLESS)
    found = chat_findings(tmp_path, {}, None, "")
    assert [finding.state for finding in found] == ["missing"]
    assert "chat_template.jinja does not end" in found[0].says
    assert _alone()


def test_nor_does_it_keep_a_model_from_being_refused(monkeypatch):
    jinja2 = pytest.importorskip("jinja2.sandbox")

    class Processor:
        def apply_chat_template(self, messages, **arguments):
            return jinja2.ImmutableSandboxedEnvironment().from_string(ENDLESS).render(messages=messages)

    monkeypatch.setattr(limited, "SECONDS", 0.3)
    for ask in (lambda: chat_text(Processor(), "x"), lambda: must_fold_system(Processor())):
        with pytest.raises(AuditkitError, match="chat template does not end"):
            ask()
    assert _alone()
