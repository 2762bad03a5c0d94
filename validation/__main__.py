"""Measure how often the verdicts err: ``python -m validation [--only NAME] [--replicates N] [--check]``.

Without options everything is measured and put into docs/validation.md. Results are kept as they come, so a run that was
killed goes on where it stopped.
"""

from __future__ import annotations

import argparse
import os
import sys

# Before NumPy is loaded, here and by the worker processes: two workers with two threads each would stand in each
# other's way.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")


def main(arguments: list[str]) -> int:
    """Measure, print or write, and with ``--check`` return 1 when something is worse than the document says."""
    from validation import document, tables
    from validation.check import problems
    from validation.jobs import Ledger, digest, to_stderr, work

    given = _parser().parse_args(arguments)
    every = [job for suite in document.SUITES for job in suite.jobs(given.replicates)]
    jobs = [job for job in every if not given.only or any(part in f"{job.suite}:{job.row}" for part in given.only)]
    if not jobs:
        print(f"no row has {' or '.join(given.only)} in its name; see validation/gates.py.", file=sys.stderr)
        return 2
    before = {job.suite: digest(job.suite) for job in jobs}
    ledger = Ledger()
    failed = work(jobs, ledger, given.workers, to_stderr)
    digest.cache_clear()
    if any(digest(suite) != known for suite, known in before.items()):
        print("sources changed while this ran: run again, what is still valid is kept.", file=sys.stderr)
        return 2
    found = tables.tables_of(ledger.add_up(jobs))
    text = document.DOCUMENT.read_text(encoding="utf-8")
    if given.check:
        worse = problems(found, text) + [f"{job.id}: {said}" for job, said in failed.items()]
        print("\n".join(worse) or "nothing is worse than docs/validation.md says")
        return 1 if worse else 0
    command = " ".join(["python -m validation", *arguments])
    if given.only or given.replicates or failed:
        print(document.generated(found, command, text))
    else:
        document.write(document.DOCUMENT, document.generated(found, command, text))
        print(f"written: docs/{document.DOCUMENT.name}", file=sys.stderr)
    for job, said in failed.items():
        print(f"FAILED {job.id}: {said}", file=sys.stderr)
    return 2 if failed else 0


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 1 or more")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m validation", description=__doc__)
    parser.add_argument(
        "--only", action="append", default=[], help="part of a suite's or a row's name; may be repeated"
    )
    parser.add_argument("--replicates", type=_count, help="replicates of every row, instead of those planned")
    parser.add_argument("--workers", type=_count, default=2, help="processes (default 2)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the document is exceeded")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
