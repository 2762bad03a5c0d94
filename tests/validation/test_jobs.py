"""Work in pieces: the same counts however it is cut, ordered, killed or shared out."""

from __future__ import annotations

import json
import shutil

import pytest

from validation import jobs as jobs_module
from validation.jobs import ROOT, Job, Ledger, chunks, digest, seed, work

RATE = "rate/10 independent/1/32/margin/none"
AGREEMENT = "agreement/10 independent/1/32/margin/none"


def some_jobs() -> list[Job]:
    return [*chunks("gates", RATE, 12, size=4), *chunks("gates", AGREEMENT, 10, size=4)]


def test_chunks_hold_all_replicates_once():
    cut = chunks("gates", RATE, 250)
    assert [job.replicates for job in cut] == [100, 100, 50]
    seeds = [s for job in cut for s in job.seeds()]
    assert len(set(seeds)) == 250
    assert all(0 <= s < 2**63 for s in [*seeds, *(job.protocol_seed() for job in cut)])


def test_seeds_are_the_same_everywhere():
    assert seed("gates", "a") == 8527925808577163215
    assert seed("gates", "a") != seed("gatesa")


def test_more_replicates_keep_the_chunks_that_are_there():
    assert set(chunks("gates", RATE, 200)) < set(chunks("gates", RATE, 1000))


def test_a_job_gives_the_same_counts_twice():
    job = some_jobs()[0]
    assert jobs_module.run(job) == jobs_module.run(job)


def test_a_killed_run_goes_on_where_it_stopped(tmp_path, monkeypatch):
    whole = Ledger(tmp_path / "whole.jsonl")
    work(some_jobs(), whole, workers=1)

    killed = Ledger(tmp_path / "killed.jsonl")
    work(some_jobs()[::-1][:2], killed, workers=1)
    with killed.path.open("a", encoding="utf-8") as file:
        file.write('{"job": "gates:rate/10 ind')  # killed while it wrote

    again = Ledger(killed.path)
    done = []
    real = jobs_module.run
    monkeypatch.setattr(jobs_module, "run", lambda job: done.append(job) or real(job))
    work(some_jobs(), again, workers=1)
    assert done == some_jobs()[: len(some_jobs()) - 2]
    assert again.add_up(some_jobs()) == whole.add_up(some_jobs())
    assert Ledger(killed.path).add_up(some_jobs()) == whole.add_up(some_jobs())
    assert sum(counts["replicates"] for counts in whole.add_up(some_jobs()).values()) == 22


def test_two_workers_give_what_one_gives(tmp_path):
    one, two = Ledger(tmp_path / "one.jsonl"), Ledger(tmp_path / "two.jsonl")
    said = []
    work(some_jobs(), one, workers=1)
    work(some_jobs(), two, workers=2, say=said.append)
    assert list(one.add_up(some_jobs()).items()) == list(two.add_up(some_jobs()).items())
    assert said[0] == "6 jobs, 0 of them known from earlier runs"
    assert said[-1].startswith("6 of 6 jobs")


def test_changed_sources_are_computed_again(tmp_path):
    path = tmp_path / "results.jsonl"
    job = some_jobs()[0]
    before = Ledger(path, digest_of=lambda suite: "old")
    work([job], before, workers=1)
    after = Ledger(path, digest_of=lambda suite: "new")
    assert job in Ledger(path, digest_of=lambda suite: "old")
    assert job not in after
    work([job], after, workers=1)
    assert [json.loads(line)["digest"] for line in path.read_text().splitlines()] == ["old", "new"]


def test_the_digest_follows_the_gates_and_not_the_tables(tmp_path):
    for name in (*jobs_module.JUDGED, *jobs_module.SIMULATED, "validation/gates.py", "validation/tables.py"):
        source, copy = ROOT / name, tmp_path / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)

    def now() -> str:
        digest.cache_clear()
        return digest("gates", tmp_path)

    first = now()
    assert first == now() != digest("looks", ROOT)
    (tmp_path / "validation/tables.py").write_text("# other words")
    assert now() == first
    for name in ("auditkit/stats/rates.py", "auditkit/perturbations/sentences.toml", "validation/gates.py"):
        file = tmp_path / name
        file.write_text(file.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
        changed = now()
        assert changed != first, name
        first = changed


def test_a_job_that_fails_does_not_lose_the_others(tmp_path, monkeypatch):
    real = jobs_module.run

    def broken(job: Job) -> dict[str, int]:
        if job.row == RATE and job.chunk == 1:
            raise ValueError("no such thing")
        return real(job)

    monkeypatch.setattr(jobs_module, "run", broken)
    ledger = Ledger(tmp_path / "results.jsonl")
    failed = work(some_jobs(), ledger, workers=1, say=lambda _: None)
    assert {job.id: said for job, said in failed.items()} == {f"gates:{RATE}:1:4": "ValueError: no such thing"}
    assert list(ledger.add_up(some_jobs())) == [("gates", AGREEMENT)]  # a row is whole or not there


@pytest.mark.parametrize("suite", ["gates", "families", "looks", "matrix"])
def test_every_suite_names_its_work(suite):
    from importlib import import_module

    planned = import_module(f"validation.{suite}").jobs(3)
    assert planned
    assert {job.suite for job in planned} == {suite}
    assert len({job.id for job in planned}) == len(planned)
