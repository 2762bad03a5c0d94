import multiprocessing
import os
import random
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from auditkit.ask.store import Store
from auditkit.errors import AuditkitError
from auditkit.evidence import Data
from auditkit.images.item import UnreadableImage
from auditkit.images.salt import salt_for
from auditkit.models.base import ModelOptions, Response
from auditkit.protocol.effects import share
from auditkit.run.dry_run import Counted, DryRun, _duration
from auditkit.run.session import all_left_out
from auditkit.run.settings import check_writable, remove_temporary_store, temporary_store

NOTHING = Data(source="none", n_images=0, n_clusters=0, modalities=[], synthetic_share=0.0)

fork = multiprocessing.get_context("fork")


def refused(ready, **changes) -> str:
    with pytest.raises(AuditkitError) as raised:
        ready(**changes)
    return str(raised.value)


def test_prepare_asks_nothing_and_opens_the_store_below_the_root(ready, function_model, tmp_path):
    model = function_model()
    run = ready(model=model)
    assert model.batches == []
    assert (tmp_path / ".auditkit" / "answers.sqlite").is_file()
    assert run.protocol_first_seen
    assert run.plan.size() == 18
    run.close()


def test_dry_run_counts_what_a_run_then_asks(ready, records, function_model):
    before = ready()
    (estimate,) = before.estimate().asked
    assert (estimate.planned, estimate.held, estimate.rate) == (18, 0, None)
    before.fetch(lambda tally: None)
    records.reads.clear()
    (after,) = ready(uid="uid-2").estimate().asked
    assert (after.planned, after.held) == (18, 18)
    assert after.rate > 0
    more = ready(some=records(8), uid="uid-3")
    records.reads.clear()
    (estimate,) = more.estimate().asked
    assert (estimate.planned, estimate.held) == (24, 18)
    assert records.reads == {}, "a dry run decodes nothing"
    more.fetch(lambda tally: None)
    assert more.tally.asked == 6


def test_dry_run_counts_conditions_with_equal_pixels_like_the_run(ready, records):
    """Pixelation leaves a flat image as it is: two questions of the plan share one answer."""
    import numpy as np

    flat = [r.with_picture(read=lambda: np.full((24, 24), 90, np.uint8)) for r in records(1)]
    run = ready(some=flat)
    run.fetch(lambda tally: None)
    assert ready(some=flat, uid="uid-2").estimate().asked[0].held == 3


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (DryRun(NOTHING, [Counted("m", 10, 10, None)]), "nothing to ask"),
        (DryRun(NOTHING, [Counted("m", 10, 0, None)]), "unknown"),
        (DryRun(NOTHING, [Counted("m", 100, 0, 2.0)]), "about 50 s at 2 questions/s"),
        (DryRun(NOTHING, [Counted("m", 100, 0, 0.05)]), "about 33 min at 0.05 questions/s"),
    ],
)
def test_dry_run_says_how_long(estimate, words):
    assert any(words in line for line in estimate.lines())
    assert "Nothing was asked" in estimate.lines()[-1]


def test_durations():
    assert [_duration(s) for s in (5, 600, 7200)] == ["5 s", "10 min", "2.0 h"]


def test_second_process_of_a_run_reads_what_the_first_asked(ready, function_model):
    first, second = function_model(lambda r: Response(error="down")), function_model()
    one = ready(model=first)
    one.fetch(lambda tally: None)
    two = ready(model=second)
    two.fetch(lambda tally: None)
    assert second.batches == []
    assert two.tally == one.tally
    assert len(two.tally.errors) == 18
    three = ready(model=second, uid="uid-2")
    three.fetch(lambda tally: None)
    assert len(second.asked) == 18, "errors are asked again by the next run"


def test_answers_only_puts_no_choices_and_finds_its_own_answers(ready, function_model):
    """In the dry run, in the pass and in what is read of it: `--audit-scoring` acts once, where requests are made."""
    model = function_model(lambda request: Response("70", {"70": -0.5}))
    for scoring, choices in (("generate", {False}), ("both", {True})):
        run = ready(model=model, scoring=scoring, uid=scoring)
        assert run.estimate().asked[0].held == 0
        model.batches.clear()
        run.fetch(lambda tally: None)
        assert {request.choices is not None for batch in model.batches for request in batch} == choices
        run.measure()
        assert run.judge.data.total().scored == 18
        columns = [run.judge.data.column(question) for question in run.judge.data.asked()]
        assert {column.expectations is not None for column in columns} == choices
        assert ready(model=model, scoring=scoring, uid=f"{scoring} again").estimate().asked[0].held == 18
        run.close()


def test_rate_is_not_taken_from_errors(ready, function_model):
    run = ready(model=function_model(lambda r: Response(error="down")))
    run.fetch(lambda tally: None)
    assert ready(uid="uid-2").estimate().asked[0].rate is None


def test_unreadable_image_is_left_out_of_the_measurement_by_its_id_not_its_name(ready, records):
    def unreadable():
        raise UnreadableImage("the file ends too early")

    some = [replace(r, name="same name.png") for r in records(4)]
    some[2] = some[2].with_picture(read=unreadable)
    run = ready(some=some)
    run.fetch(lambda tally: None)
    run.measure()
    assert [r.id for r in run.judge.data.records] == ["i0000", "i0001", "i0003"]
    assert [entry.name for entry in all_left_out(run)] == ["same name.png", "z.txt"]
    assert run.judge.data.total().scored == run.judge.data.total().total == 9


def test_no_image_can_be_decoded(ready, records):
    def unreadable():
        raise UnreadableImage("the file ends too early")

    run = ready(some=[r.with_picture(read=unreadable) for r in records(2)])
    run.fetch(lambda tally: None)
    with pytest.raises(AuditkitError, match=r"none of the 2 images .* the file ends too early"):
        run.measure()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"limit": 0}, "--audit-limit=0"),
        ({"options": ModelOptions(deadline=0.0)}, "--audit-deadline=0"),
        ({"options": ModelOptions(deadline=float("nan"))}, "--audit-deadline=nan"),
        ({"options": ModelOptions(deadline=float("inf"))}, "--audit-deadline=inf"),
        ({"options": ModelOptions(batch_size=0)}, "--audit-batch-size=0"),
        ({"profile": "nightly"}, "'nightly' is not declared"),
        ({"engine": "ray"}, "workers know nothing"),
        ({"workers": 2}, "--audit-workers=2 has no effect"),
        ({"engine": "ray", "options": ModelOptions(endpoint="http://x/v1")}, "has them on a server"),
        ({"embeddings": True}, "embed"),
        ({"protocol": Path("nowhere.toml")}, "nowhere.toml does not exist"),
        ({"out": Path("/proc/auditkit")}, "--audit-out=/proc/auditkit cannot be written"),
        ({"store": "http://x/y"}, "names no kind of database"),
        ({"some": ()}, "holds no image"),
        ({"effects": [share("refused", "nothing", name="g", family="answers")]}, "answers/g cannot be asked"),
    ],
    ids=str,
)
def test_what_cannot_work_is_said_before_anything_is_asked(ready, changes, words):
    assert words in refused(ready, **changes)


def test_source_that_gives_one_id_twice(ready, records):
    assert "same id to two images" in refused(ready, some=[*records(2), *records(1)])


def test_limit_takes_patients(ready):
    assert len(ready(limit=2).plan.records) == 2


def test_output_folder_is_tried_and_left_empty(tmp_path):
    check_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_store_may_be_a_path_a_url_or_a_temporary_one(ready, tmp_path):
    for given in ("mine.sqlite", str(tmp_path / "abs.sqlite"), f"sqlite:///{tmp_path / 'url.sqlite'}"):
        ready(store=given).close()
    assert {p.name for p in tmp_path.glob("*.sqlite")} == {"mine.sqlite", "abs.sqlite", "url.sqlite"}
    run = ready(store=None, uid=f"test-{os.getpid()}")
    assert run.store.path == temporary_store(f"test-{os.getpid()}")
    run.close()
    remove_temporary_store(f"test-{os.getpid()}")
    assert not run.store.path.parent.exists()


def test_protocol_is_first_seen_once(ready, tmp_path):
    first = ready().protocol_first_seen
    assert ready(uid="later").protocol_first_seen == first
    store = Store(str(tmp_path / ".auditkit" / "answers.sqlite"))
    assert store.count() == 0


# --- the salt of identifiers ----------------------------------------------------------------------------------------


def test_salt_is_secret_and_stays(tmp_path, monkeypatch):
    monkeypatch.delenv("AUDITKIT_SALT", raising=False)
    salt = salt_for("folder", tmp_path)
    path = tmp_path / ".auditkit" / "salt"
    assert salt_for("folder", tmp_path) == salt == path.read_text()
    assert len(salt) == 32
    assert path.stat().st_mode & 0o077 == 0
    assert salt_for("demo", tmp_path) != salt
    monkeypatch.setenv("AUDITKIT_SALT", "a secret of my own")
    assert salt_for("folder", tmp_path) == "a secret of my own"


@pytest.mark.parametrize(
    "weak", ["own", "changeme", "a" * 40, "0123456789abcdefg", "passwordpassword", "ababababababababab", "ward 7, 2026"]
)
def test_a_salt_that_trying_would_find_is_refused_and_not_repeated(tmp_path, monkeypatch, weak):
    monkeypatch.setenv("AUDITKIT_SALT", weak)
    with pytest.raises(AuditkitError, match="AUDITKIT_SALT is too easily guessed") as raised:
        salt_for("folder", tmp_path)
    assert weak not in str(raised.value)
    assert salt_for("demo", tmp_path)  # it has a salt of its own
    monkeypatch.delenv("AUDITKIT_SALT")
    (tmp_path / ".auditkit").mkdir()
    (tmp_path / ".auditkit" / "salt").write_text(weak)
    with pytest.raises(AuditkitError, match="too easily guessed"):
        salt_for("folder", tmp_path)


@pytest.mark.parametrize("n", [16, 32])
def test_what_chance_makes_is_taken(n, tmp_path, monkeypatch):
    chance = random.Random(n)
    for _ in range(300):
        monkeypatch.setenv("AUDITKIT_SALT", chance.randbytes(n).hex())
        assert len(salt_for("folder", tmp_path)) == 2 * n


def test_git_passes_over_salt_and_store(tmp_path, monkeypatch):
    monkeypatch.delenv("AUDITKIT_SALT", raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    salt_for("folder", tmp_path / "a")
    Store(str(tmp_path / "b" / ".auditkit" / "answers.sqlite")).close()
    Store(str(tmp_path / "c" / "answers.sqlite")).close()
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    status = ["git", "-C", tmp_path, "status", "--porcelain", "-uall"]
    seen = subprocess.run(status, capture_output=True, text=True, check=True).stdout.split()
    assert seen == ["??", "c/answers.sqlite"]  # a folder of the user's is left alone


def test_all_workers_read_one_salt(tmp_path, monkeypatch):
    monkeypatch.delenv("AUDITKIT_SALT", raising=False)
    with fork.Pool(4) as pool:
        assert len(set(pool.starmap(salt_for, [("folder", tmp_path)] * 16, chunksize=1))) == 1


def test_salt_that_cannot_be_had(tmp_path, monkeypatch):
    monkeypatch.delenv("AUDITKIT_SALT", raising=False)
    monkeypatch.setattr("auditkit.images.salt._PATIENCE", 0.05)
    (tmp_path / ".auditkit").mkdir()
    (tmp_path / ".auditkit" / "salt").touch()
    with pytest.raises(AuditkitError, match="is empty"):
        salt_for("folder", tmp_path)
    (tmp_path / ".auditkit" / "salt").write_bytes(b"\xff\xfe")
    with pytest.raises(AuditkitError, match="cannot be read"):
        salt_for("folder", tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(AuditkitError, match="AUDITKIT_SALT"):
        salt_for("folder", tmp_path / "file")
