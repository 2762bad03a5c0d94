"""The progress bar of the pass: questions done, rate, time left, errors so far."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from auditkit.ask.tally import Progress, Tally

_EVERY = 15.0  # seconds between lines where there is no terminal to draw on


@contextmanager
def progress(enabled: bool) -> Iterator[Progress]:
    """Give the function to call with the `Tally` after every batch.

    On a terminal a bar is drawn on standard error; elsewhere (CI logs) a line is printed now and then.
    """
    if not enabled:
        yield lambda tally: None
    elif sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _lines()


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(),
        TextColumn("asking"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[errors]}"),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("asking", total=None, rate="", errors="")
        start = time.monotonic()

        def show(tally: Tally) -> None:
            rate = tally.asked / max(time.monotonic() - start, 1e-9)
            bar.update(task, total=tally.planned, completed=tally.done, rate=f"{rate:.0f}/s", errors=_errors(tally))

        yield show


def _lines() -> Progress:
    start = last = time.monotonic()

    def show(tally: Tally) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _EVERY:
            return
        last = now
        rate = tally.asked / max(now - start, 1e-9)
        left = f", {rate:.2g}/s, about {(tally.planned - tally.done) / rate:.0f} s left" if rate else ""
        print(
            f"auditkit: {tally.done} of {tally.planned} questions{left}, {_errors(tally)}",
            file=sys.stderr,
            flush=True,
        )

    return show


def _errors(tally: Tally) -> str:
    return f"{len(tally.errors)} error{'s' * (len(tally.errors) != 1)}"
