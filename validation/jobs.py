"""Work in small pieces whose results are kept: a run that was killed goes on where it stopped.

A job is so many replicates of one row of a suite. What it counts depends on the row, the chunk and the sources alone,
never on the number of workers or on what was run before.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import import_module
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "reports" / "validation" / "results.jsonl"
CHUNK = 100
"""Replicates of one job: about a second of work, and a few hundredths of it to draw the resamples."""

# What the counts depend on. A change here, be it a comment, makes the results stale: nobody has to judge which do.
JUDGED = (
    "auditkit/stats", "auditkit/judge", "auditkit/tasks", "auditkit/testing", "auditkit/evidence",
    "auditkit/measure/columns.py", "auditkit/measure/effects.py", "auditkit/measure/excess.py",
    "auditkit/measure/reader.py",
    "auditkit/perturbations/catalogue.toml", "auditkit/perturbations/sentences.toml",
    "auditkit/perturbations/words.py", "auditkit/protocol/catalogue.py", "auditkit/protocol/effects.py",
    "auditkit/protocol/model.py", "auditkit/protocol/right_answers.py", "auditkit/protocol/shipped.py",
    "auditkit/run/truths.py", "auditkit/vocabulary.py", "auditkit/ask/plan.py", "audits/protocol.toml",
)  # fmt: skip
SIMULATED = tuple(
    f"validation/{name}.py"
    for name in ("asking", "models", "rare", "setting", "situations", "versions", "measured", "counting")
)
ALONE = {
    "gate": (
        "auditkit/ask/donors.py", "auditkit/protocol/declared.py", "auditkit/run/kinds.py", "validation/direct.py",
        "validation/hospitals.py",
    ),
    "diagnosis": ("validation/beside.py",),
    "confidence": ("validation/beside.py",),
}  # fmt: skip
"""By suite, what its counts alone depend on."""

Counts = dict[str, int]
Results = Mapping[tuple[str, str], Counts]
"""Counts by (suite, row), added up over the chunks; "replicates" is always one of them."""


@dataclass(frozen=True, order=True, slots=True)
class Job:
    """A chunk of the replicates of one row.

    Attributes
    ----------
    suite : str
        Module of this package; its ``run`` does the work.
    row : str
        Names the row within the suite.
    chunk : int
        0, 1, 2, ...
    replicates : int
        In this chunk.
    """

    suite: str
    row: str
    chunk: int
    replicates: int

    @property
    def id(self) -> str:
        return f"{self.suite}:{self.row}:{self.chunk}:{self.replicates}"

    def seeds(self) -> Iterator[int]:
        """Yield a seed for every replicate."""
        for replicate in range(self.replicates):
            yield seed(self.suite, self.row, str(self.chunk), str(replicate))

    def protocol_seed(self) -> int:
        """Return the seed of the protocol: chunks do not share the error of one set of bootstrap resamples."""
        return seed("protocol", self.suite, self.row, str(self.chunk))


def seed(*names: str) -> int:
    """Return a seed below 2**63 that depends on the names only."""
    return int.from_bytes(hashlib.sha256("\x1f".join(names).encode()).digest()[:8], "big") >> 1


def chunks(suite: str, row: str, replicates: int, size: int = CHUNK) -> list[Job]:
    """Cut the replicates of a row into jobs."""
    return [Job(suite, row, at // size, min(size, replicates - at)) for at in range(0, replicates, size)]


def run(job: Job) -> Counts:
    """Do a job, in whatever process."""
    counts: Counts = import_module(f"validation.{job.suite}").run(job)
    return counts


@lru_cache(maxsize=32)
def digest(suite: str, root: Path = ROOT) -> str:
    """Return the first 16 hex digits of the SHA-256 over the sources that a suite's counts depend on."""
    found = hashlib.sha256()
    for name in (*JUDGED, *SIMULATED, *ALONE.get(suite, ()), f"validation/{suite}.py"):
        top = root / name
        files = sorted(p for p in top.rglob("*") if p.suffix in (".py", ".toml")) if top.is_dir() else [top]
        for file in files:
            found.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()[:16]


class Ledger:
    """The results so far, one JSON object a line, only ever added to.

    Parameters
    ----------
    path : pathlib.Path
        File; made with its folder when the first result is kept.
    digest_of : callable
        Digest of a suite's sources: results of other sources are left alone and not used.
    """

    def __init__(self, path: Path = RESULTS, digest_of: Callable[[str], str] = digest) -> None:
        self.path = path
        self._digest_of = digest_of
        self._known: dict[str, Counts] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue  # the last line of a run that was killed while it wrote
            if entry["digest"] == digest_of(entry["job"].partition(":")[0]):
                self._known[entry["job"]] = entry["counts"]

    def __contains__(self, job: Job) -> bool:
        return job.id in self._known

    def keep(self, job: Job, counts: Counts, seconds: float) -> None:
        """Add a result."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        entry = {
            "job": job.id,
            "digest": self._digest_of(job.suite),
            "counts": dict(sorted(counts.items())),
            "cpu_seconds": round(seconds, 3),
        }
        torn = self.path.exists() and not self.path.read_bytes().endswith(b"\n")
        with self.path.open("a", encoding="utf-8") as file:
            file.write(("\n" if torn else "") + json.dumps(entry) + "\n")
        self._known[job.id] = counts

    def add_up(self, jobs: Iterable[Job]) -> dict[tuple[str, str], Counts]:
        """Return the counts of every row, in the order of the jobs; rows of which a job is missing are left out."""
        total: dict[tuple[str, str], Counter[str]] = {}
        torn = set()
        for job in jobs:
            if job in self:
                total.setdefault((job.suite, job.row), Counter()).update(self._known[job.id])
            else:
                torn.add((job.suite, job.row))
        for row in torn:
            total.pop(row, None)
        return {key: dict(sorted(counts.items())) for key, counts in total.items()}


def work(
    jobs: Sequence[Job], ledger: Ledger, workers: int = 2, say: Callable[[str], None] | None = None
) -> dict[Job, str]:
    """Do the jobs whose results are not known yet, and keep each result as it comes.

    Parameters
    ----------
    jobs : sequence of Job
        In the order in which to start them.
    ledger : Ledger
        Where results are looked up and kept.
    workers : int
        Processes; 1 works in this one.
    say : callable, optional
        Told about progress every few seconds.

    Returns
    -------
    dict of Job to str
        Jobs that raised, and what: one that fails does not throw away the work of the others.
    """
    todo = [job for job in jobs if job not in ledger]
    progress = _Progress(len(jobs), len(todo), say or (lambda _: None))
    failed: dict[Job, str] = {}

    def settle(job: Job, outcome: Callable[[], tuple[Counts, float]]) -> None:
        try:
            counts, seconds = outcome()
        except Exception as error:  # whatever a gate raises belongs to this job alone
            failed[job] = f"{type(error).__name__}: {error}"
            (say or to_stderr)(f"FAILED {job.id}: {failed[job]}")
        else:
            ledger.keep(job, counts, seconds)
        progress.done(job)

    if workers == 1:
        for job in todo:
            settle(job, partial(_timed, job))
        return failed
    # "spawn", so that workers read OMP_NUM_THREADS before they load NumPy, on every platform.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = iter(todo)
        running: dict[Future[tuple[Counts, float]], Job] = {}
        try:
            while True:
                for job in islice(waiting, 2 * workers - len(running)):
                    running[pool.submit(_timed, job)] = job
                if not running:
                    return failed
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    settle(running.pop(future), future.result)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _timed(job: Job) -> tuple[Counts, float]:
    start = time.process_time()
    counts = run(job)
    return counts, time.process_time() - start


class _Progress:
    def __init__(self, total: int, todo: int, say: Callable[[str], None]) -> None:
        self._todo, self._finished, self._say = todo, 0, say
        self._start = self._last = time.monotonic()
        say(f"{total} jobs, {total - todo} of them known from earlier runs")

    def done(self, job: Job) -> None:
        self._finished += 1
        now = time.monotonic()
        if now - self._last < 10 and self._finished < self._todo:
            return
        self._last = now
        spent = now - self._start
        left = spent / self._finished * (self._todo - self._finished)
        self._say(
            f"{self._finished} of {self._todo} jobs in {spent:.0f} s, about {left:.0f} s left; {job.suite}: {job.row}"
        )


def to_stderr(line: str) -> None:
    """Print a line of progress."""
    print(line, file=sys.stderr, flush=True)
