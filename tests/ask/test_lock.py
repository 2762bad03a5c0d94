import multiprocessing
import os
import signal
import threading
import time

import pytest

from auditkit.ask import lock
from auditkit.ask.lock import exclusive
from auditkit.ask.store import Store
from auditkit.errors import AuditkitError

fork = multiprocessing.get_context("fork")


def _hold(path: str, uid: str, pipe) -> None:
    with exclusive(Store(path), uid):
        pipe.send("held")
        pipe.poll(30)


@pytest.fixture
def holder(tmp_path):
    """A second process that holds the store for the run "other"."""
    ours, theirs = fork.Pipe()
    process = fork.Process(target=_hold, args=(str(tmp_path / "answers.sqlite"), "other", theirs))
    process.start()
    assert ours.poll(30)
    yield process, ours
    if process.is_alive():
        ours.send("enough")
    process.join(10)


def test_another_run_is_named_with_its_process(store, holder):
    process, _ = holder
    start = time.monotonic()
    words = f"in use by another run \\(process {process.pid}\\), which had not ended after 0.3 s"
    with pytest.raises(AuditkitError, match=words) as raised, exclusive(store, "mine", patience=0.3):
        pytest.fail("two runs at once")
    assert time.monotonic() - start < 5
    assert str(store.path) in str(raised.value)
    assert "--audit-store" in raised.value.remedy


def test_a_run_that_has_time_waits_for_another_and_says_so_once(store, holder, monkeypatch):
    monkeypatch.setattr(lock, "_SILENT", 0.3)
    process, pipe = holder
    said = []
    timer = threading.Timer(1.5, pipe.send, ["enough"])
    timer.start()
    with exclusive(store, "mine", patience=60.0, on_wait=said.append):
        process.join(5)
        assert not process.is_alive()
    (line,) = said
    assert f"is in use by another run (process {process.pid}); waiting up to 60 s for it to end." in line


def test_process_of_the_same_run_waits_beyond_all_patience(store, holder):
    process, pipe = holder
    timer = threading.Timer(1.0, pipe.send, ["enough"])
    timer.start()
    start = time.monotonic()
    with exclusive(store, "other", patience=0.0):
        assert time.monotonic() - start > 0.5
        process.join(5)
        assert not process.is_alive()


def test_killed_holder_leaves_no_lock(store, holder):
    process, _ = holder
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with exclusive(store, "mine", patience=1.0):
        pass


def test_lock_is_released_after_an_error_and_leaves_no_note(store):
    with pytest.raises(ZeroDivisionError), exclusive(store, "mine"):
        raise ZeroDivisionError
    with exclusive(store, "next", patience=0.0):
        pass
    assert not store.path.with_name("answers.sqlite.holder").exists()


def test_store_without_a_file_can_be_held():
    with exclusive(Store("sqlite://"), "mine", patience=1.0):
        pass


def test_unreadable_note_does_not_stop_anyone(store):
    store.path.with_name("answers.sqlite.holder").write_bytes(b"\xff[1]")
    with exclusive(store, "mine", patience=0.5):
        pass
