import math
import multiprocessing
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from auditkit.ask import database
from auditkit.ask.database import is_there
from auditkit.ask.store import NotedImage, Rendered, Store, StoredAnswer
from auditkit.errors import AuditkitError
from tests.sealed import seal

fork = multiprocessing.get_context("fork")
ANSWER = StoredAnswer("4/5", "stop")


def keys(n: int, letter: str = "a") -> list[str]:
    return [f"{letter}{i:063d}" for i in range(n)]


def change_rows(path: Path, statement: str, *, sealed: bool = False) -> None:
    with closing(sqlite3.connect(path)) as raw, raw:
        assert raw.execute(statement).rowcount > 0
    if sealed:
        seal(path)


def message(url: object) -> str:
    with pytest.raises(AuditkitError) as raised:
        Store(str(url))
    return str(raised.value)


def test_answers_survive_reopening(tmp_path):
    path = tmp_path / "new folder" / "answers.sqlite"
    store = Store(str(path))
    given_answers = {
        "k1": StoredAnswer("4/5\n", "stop"),
        "k2": StoredAnswer("", "length", {"A": -0.5, "B": -math.inf}),
        "k3": StoredAnswer("é \U0001f600 \x07\x1b[31m", "stop", {}),
    }
    store.add_answers(given_answers, "m")
    store.close()
    again = Store(str(path))
    assert again.answers(["k3", "k1", "k2", "k2", "unknown"]) == given_answers
    assert again.known(["k1", "unknown"]) == {"k1"}
    assert again.count() == 3


def test_first_answer_counts(store):
    store.add_answers({"k": StoredAnswer("1", "stop")}, "m")
    store.add_answers({"k": StoredAnswer("2", "stop"), "l": ANSWER}, "m")
    assert store.answers("kl") == {"k": StoredAnswer("1", "stop"), "l": ANSWER}


def test_more_keys_than_one_statement_takes(store):
    many = keys(2100)
    store.add_answers(dict.fromkeys(many, ANSWER), "m")
    assert store.known(many) == set(many)
    assert len(store.answers(many)) == store.count() == 2100
    store.add_answers({}, "m")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_comes_back_as_it_was(store, text):
    key = f"{hash(text)}"
    store.add_answers({key: StoredAnswer(text, "stop")}, "m")
    assert store.answers([key])[key].text == text


def test_digests_and_doses_are_remembered(store):
    store.add_renders({"r": Rendered("d", 0.5, 30.0), "same": Rendered("e", 1.0, math.inf)})
    store.add_sources({"c": "d"})
    assert store.renders(["r", "same"]) == {"r": Rendered("d", 0.5, 30.0), "same": Rendered("e", 1.0, None)}
    assert store.sources(["c", "x"]) == {"c": "d"}


def test_protocol_sessions_and_rates(store):
    first = store.protocol_first_seen("p")
    assert store.protocol_first_seen("p") == first
    assert store.rate("m") is None
    store.note_rate("m", 12.5)
    store.note_rate("m", 3.25)
    assert store.rate("m") == 3.25
    store.save_session("run1", {"done": 3})
    store.save_session("run2", {"done": 4})
    assert (store.session("run1"), store.session("run2")) == (None, {"done": 4})


def test_odd_characters_in_the_file_name(tmp_path):
    path = tmp_path / "50%25 done? #1.sqlite"
    Store(str(path)).add_answers({"k": ANSWER}, "m")
    assert path.is_file()
    assert Store(str(path)).count() == 1


def _open_many(path: str, results) -> None:
    try:
        store = Store(path)
        store.protocol_first_seen("p")
        store.add_sources({f"c{i}": "d" for i in range(50)})
        results.put(store.session("x") or "ok")
    except BaseException as error:
        results.put(repr(error))


def test_workers_may_open_and_fill_a_new_store_at_the_same_moment(tmp_path):
    results = fork.Queue()
    workers = [fork.Process(target=_open_many, args=(str(tmp_path / "s.sqlite"), results)) for _ in range(6)]
    for worker in workers:
        worker.start()
    found = [results.get(timeout=30) for _ in workers]
    for worker in workers:
        worker.join()
    assert found == ["ok"] * 6


def test_kill_while_the_tables_are_made_leaves_a_store_that_opens(tmp_path):
    path = tmp_path / "s.sqlite"
    with sqlite3.connect(path) as half:  # what an unfinished creation without a transaction would leave
        half.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT)")
    half.close()
    store = Store(str(path))
    store.add_answers({"k": ANSWER}, "m")
    assert store.count() == 1


# --- what can go wrong ----------------------------------------------------------------------------------------------


def test_full_disk_keeps_what_was_committed(tmp_path):
    def small(connection, _record):
        connection.execute("PRAGMA max_page_count=40")

    sa.event.listen(sa.engine.Engine, "connect", small)
    try:
        store = Store(str(tmp_path / "s.sqlite"))
        store.add_answers(dict.fromkeys(keys(5), ANSWER), "m")
        with pytest.raises(AuditkitError, match="disk is full") as raised:
            store.add_answers(dict.fromkeys(keys(20, "b"), StoredAnswer("x" * 9000, "stop")), "m")
    finally:
        sa.event.remove(sa.engine.Engine, "connect", small)
    assert "Every answer committed before is kept" in str(raised.value)
    assert "--audit-store" in raised.value.remedy
    assert store.count() == 5
    store.close()
    again = Store(str(tmp_path / "s.sqlite"))
    again.add_answers(dict.fromkeys(keys(20, "b"), StoredAnswer("x" * 9000, "stop")), "m")
    assert again.count() == 25


def test_garbage_is_named_as_such_and_left_alone(tmp_path):
    path = tmp_path / "s.sqlite"
    path.write_bytes(b"this is no database at all, but long enough" * 100)
    before = path.read_bytes()
    text = message(path)
    assert "damaged or is not a database" in text
    assert f"mv {path}" in text
    assert path.read_bytes() == before


def test_truncated_file(tmp_path):
    path = tmp_path / "s.sqlite"
    store = Store(str(path))
    store.add_answers(dict.fromkeys(keys(500), StoredAnswer("x" * 500, "stop")), "m")
    store.close()
    assert not path.with_name("s.sqlite-wal").exists()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(AuditkitError, match=r"damaged|disk I/O|malformed") as raised:
        Store(str(path)).answers(keys(500))
    assert "--audit-store" in str(raised.value)


def test_empty_file_becomes_a_store(tmp_path):
    path = tmp_path / "s.sqlite"
    path.touch()
    assert Store(str(path)).count() == 0


@pytest.mark.parametrize("table", ["CREATE TABLE urls (id INTEGER)", "CREATE TABLE meta (key TEXT, count INTEGER)"])
def test_database_of_another_program_is_not_touched(tmp_path, table):
    path = tmp_path / "History"
    with sqlite3.connect(path) as other:
        other.execute(table)
    other.close()
    assert "another program" in message(path)
    with sqlite3.connect(path) as other:
        assert len(other.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()) == 1
    other.close()


def test_other_schema_version(tmp_path):
    path = tmp_path / "s.sqlite"
    Store(str(path)).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE meta SET value = '99' WHERE name = 'schema'")
    raw.close()
    assert "schema version 99" in message(path)


@pytest.mark.parametrize("url", ["://", "postgresql://host:port/x", "postgresql://me:secret@host:port/x"])
def test_no_url(url):
    text = message(url)
    assert "is not a database URL" in text
    assert "secret" not in text


@pytest.mark.parametrize(
    "url",
    ["postgresql://me:a@secret@host/x", "postgresql://me:12@34/secret@host/x", "postgresql://me:a/b@secret@host:1/x"],
)
def test_address_that_reads_in_two_ways_is_not_asked(url):
    text = message(url)
    assert "can be read in more than one way" in text
    assert "%40 for @" in text
    assert "secret" not in text


@pytest.mark.parametrize(
    "url",
    ["postgresql://me:s3/cret%40x@host/x", "postgresql://host/x?user=me&password=s3/cret%40x&sslmode=require"],
)
def test_driver_that_quotes_the_address_has_it_masked(monkeypatch, url):
    def refuses(_):
        words = f"no connection to postgresql://me:s3/cret@x@host ('s3/cret@x', s3%2Fcret%40x): {url}"
        raise OperationalError("", {}, Exception(words))

    monkeypatch.setattr(database, "_engine", lambda _: None)
    monkeypatch.setattr(database.Database, "_prepare", refuses)
    text = message(url)
    assert "could not be opened: no connection to" in text
    assert "s3" not in text
    assert "cret" not in text


def test_databases_that_are_shown_as_one_have_locks_of_their_own():
    first, second = (database._parsed_url(f"postgresql://host/x?options=-csearch_path%3D{name}") for name in "ab")
    assert database._shown(first) == database._shown(second) == "postgresql://host/x?options=***"
    assert database._place(first) != database._place(second)


def test_unknown_kind_of_database():
    assert "names no kind of database" in message("http://me:secret@example.org/answers")
    assert "secret" not in message("http://me:secret@example.org/answers")


@pytest.mark.skipif(bool(__import__("importlib.util").util.find_spec("cx_Oracle")), reason="the driver is installed")
def test_database_without_driver():
    text = message("oracle+cx_oracle://me:secret@host/x")
    assert "needs a driver that is not installed: cx_Oracle." in text
    assert "secret" not in text
    assert "not installed: cx_Oracle." in message("oracle+cx_oracle://me:a@host/x")  # a letter of the name


def test_folder_instead_of_file_and_path_below_a_file(tmp_path):
    assert "could not be opened" in message(tmp_path)
    (tmp_path / "file").write_text("x")
    assert "could not be opened" in message(tmp_path / "file" / "s.sqlite")


def _as_nobody(path: str, results) -> None:
    if os.getuid() == 0:
        os.setuid(65534)
    try:
        Store(path).add_answers({"k": ANSWER}, "m")
        results.put("written")
    except AuditkitError as error:
        results.put(str(error))


@pytest.mark.parametrize("existing", [True, False])
def test_place_that_may_not_be_written(existing):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.sqlite"
        if existing:
            Store(str(path)).close()
            path.chmod(0o444)
        Path(folder).chmod(0o555)
        results = fork.Queue()
        child = fork.Process(target=_as_nobody, args=(str(path), results))
        child.start()
        text = results.get(timeout=30)
        child.join()
        Path(folder).chmod(0o755)
    assert "could not be" in text
    assert "may be written" in text
    assert str(path) in text


def test_locked_by_another_program(tmp_path, monkeypatch):
    monkeypatch.setattr("auditkit.ask.database._PATIENCE", 0.2)
    path = tmp_path / "s.sqlite"
    store = Store(str(path))
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(AuditkitError, match="locked by another program"):
            store.add_answers({"k": ANSWER}, "m")
        other.execute("ROLLBACK")
    other.close()
    store.add_answers({"k": ANSWER}, "m")
    assert store.count() == 1


DAMAGED = {
    "another text": ("text = '5'", False),
    "no text": ("text = x'34'", False),
    "another end": ("finish_reason = 'length'", False),
    "other probabilities": ("logprobs = '{\"A\": -2.0}'", False),
    "an end that there is not": ("finish_reason = 'tired'", True),
    "half a table": ("logprobs = '{half'", True),
    "words as probabilities": ('logprobs = \'{"A": "likely"}\'', True),
    "a list of probabilities": ("logprobs = '[1]'", True),
}


@pytest.mark.parametrize(("change", "sealed"), DAMAGED.values(), ids=DAMAGED)
def test_damaged_answer_is_none_and_is_replaced_by_the_next(tmp_path, change, sealed):
    """Also where the digest fits: what cannot be an answer is none, whoever wrote it."""
    path = tmp_path / "s.sqlite"
    store = Store(str(path))
    answer = StoredAnswer("4", "stop", {"A": -1.0})
    store.add_answers({"k": answer, "l": ANSWER}, "m")
    change_rows(path, f"UPDATE answers SET {change} WHERE key = 'k'", sealed=sealed)
    assert (store.known("kl"), store.answers("kl")) == ({"l"}, {"l": ANSWER})
    assert store.damaged == {("answers", "k")}
    store.add_answers({"k": answer, "l": StoredAnswer("another", "stop")}, "m")
    assert store.answers("kl") == {"k": answer, "l": ANSWER}
    store.add_answers({"k": StoredAnswer("another", "stop")}, "m")
    assert store.answers("k") == {"k": answer}, "once mended, the first answer counts again"
    assert store.damaged == {("answers", "k")}, "it is still said that one was"


@pytest.mark.parametrize("table", ["sources", "renders"])
def test_damaged_digest_of_a_picture_is_none(store, table):
    """It would lead to the answer to another picture."""
    store.add_sources({"k": "d"})
    store.add_renders({"k": Rendered("d", 0.5, 30.0)})
    change_rows(store.path, f"UPDATE {table} SET digest = 'e'")
    held = {"sources": store.sources("k"), "renders": store.renders("k")}
    assert held.pop(table) == {}
    assert len(held) == len(next(iter(held.values()))) == 1
    assert store.damaged == {(table, "k")}


def test_judged_protocols_are_kept_in_the_order_of_their_first_use(tmp_path):
    path = str(tmp_path / "store.sqlite")
    store = Store(path)
    seen = store.protocol_first_seen("b" * 64)
    [first] = store.note_judged("model and images", "b" * 64, {"margin": 5.0})
    assert (first.sha256, first.first_seen, first.criteria) == ("b" * 64, seen, {"margin": 5.0})
    second = store.note_judged("model and images", "a" * 64, {"margin": 8.0})
    assert [known.sha256[0] for known in second] == ["b", "a"]
    assert second[1].first_seen == "", "never announced"
    assert store.note_judged("other images", "a" * 64, {})[0].sha256 == "a" * 64
    assert len(store.note_judged("other images", "a" * 64, {})) == 1
    store.close()
    # Judging again, in another process, changes neither times nor order.
    again = Store(path).note_judged("model and images", "b" * 64, {"margin": 5.0})
    assert again == second


def images(*names: str, modality: str = "ct") -> list[NotedImage]:
    return [NotedImage(name, f"p-{name}", modality, False, name * 64) for name in names]


def test_images_of_a_run_are_noted_once_for_each_way_they_were_named(tmp_path):
    store = Store(str(tmp_path / "s.sqlite"))
    assert store.manifests("h") == []
    store.note_manifest("h", images("b", "a"))
    store.note_manifest("h", images("a", "b"))
    store.note_manifest("other", images("c"))
    assert store.manifests("h") == [tuple(images("a", "b"))]
    # The same bytes with other ids, patients or modalities do not take the place of the first.
    store.note_manifest("h", images("a", "b", modality="mr"))
    store.close()
    again = Store(str(tmp_path / "s.sqlite")).manifests("h")
    assert sorted(again) == [tuple(images("a", "b")), tuple(images("a", "b", modality="mr"))]


@pytest.mark.parametrize("text", ["{", '[["id"]]', '"id"'])
def test_damaged_note_of_images(tmp_path, text):
    store = Store(str(tmp_path / "s.sqlite"))
    store.note_manifest("h", images("a"))
    change_rows(store.path, f"UPDATE manifests SET images = '{text}'")
    assert store.manifests("h") == []
    seal(store.path)
    with pytest.raises(AuditkitError, match="damaged"):
        store.manifests("h")


def test_store_of_before_gets_the_table_it_lacks_and_keeps_its_answers(tmp_path):
    path = tmp_path / "s.sqlite"
    store = Store(str(path))
    store.add_answers({"k": ANSWER}, "m")
    store.close()
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TABLE manifests")
    raw.close()
    again = Store(str(path))
    again.note_manifest("h", images("a"))
    assert again.answers("k") == {"k": ANSWER}
    again.close()
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT count(*) FROM meta WHERE name = 'schema'").fetchone() == (1,)
    raw.close()


def test_whether_there_is_a_store_is_told_without_making_one(tmp_path):
    path = tmp_path / "s.sqlite"
    urls = (str(path), f"sqlite:///{path}")
    assert not any(map(is_there, urls))
    assert list(tmp_path.iterdir()) == []
    Store(str(path)).close()
    assert all(map(is_there, urls))
    assert is_there("postgresql://u@host/name"), "a server is asked when it is opened"


# --- embeddings -----------------------------------------------------------------------------------------------------


def test_embeddings_survive_reopening_at_two_bytes_a_number(tmp_path):
    path = tmp_path / "s.sqlite"
    store = Store(str(path))
    vectors = dict(zip(keys(600), np.random.default_rng(1).normal(0, 1e6, (600, 64)).astype(np.float32), strict=True))
    store.add_embeddings(vectors, "vision", "m")
    store.add_embeddings({}, "vision", "m")
    store.close()
    again = Store(str(path))
    assert again.known_embeddings([*vectors, "unknown"]) == set(vectors)
    found = again.embeddings([*vectors, "unknown"])
    assert found.keys() == vectors.keys()
    assert all(found[key] == pytest.approx(vectors[key], rel=2.0**-11) for key in vectors)
    with sqlite3.connect(path) as raw:
        rows = raw.execute("SELECT DISTINCT kind, d, dtype, length(blob), model FROM embeddings").fetchall()
    raw.close()
    assert rows == [("vision", 64, "float16", 128, "m")]


def test_first_embedding_counts(store):
    store.add_embeddings({"k": np.array([1.0, 2.0])}, "vision", "m")
    store.add_embeddings({"k": np.array([5.0, 5.0]), "l": np.array([3.0])}, "vision", "m")
    assert {key: value.tolist() for key, value in store.embeddings("kl").items()} == {"k": [1.0, 2.0], "l": [3.0]}


def test_batch_with_a_number_that_is_none_is_not_stored_at_all(store):
    with pytest.raises(ValueError, match="finite"):
        store.add_embeddings({"k": np.ones(2), "l": np.array([1.0, np.nan])}, "vision", "m")
    assert store.known_embeddings("kl") == set()


@pytest.mark.parametrize("sealed", [False, True])
def test_damaged_embedding(store, sealed):
    store.add_embeddings({"k": np.ones(4)}, "vision", "m")
    change_rows(store.path, "UPDATE embeddings SET blob = x'00'", sealed=sealed)
    assert (store.known_embeddings("k"), store.embeddings("k")) == (set(), {})
    store.add_embeddings({"k": np.ones(4)}, "vision", "m")
    assert store.embeddings("k")["k"].tolist() == [1.0] * 4
