"""The progress of the pass: questions done, rate, time left, and what came back without a score."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from auditkit.ask.tally import Progress, Tally
from auditkit.words import OUTCOME_NAMES, count, duration, percent, whole

_EVERY = 30.0
"""Seconds between lines where there is no terminal to draw on."""


@contextmanager
def progress(enabled: bool, bar: bool = True) -> Iterator[Progress]:
    """Give the function to call with the `Tally` after every batch.

    Parameters
    ----------
    enabled : bool
        Whether anything is shown.
    bar : bool
        Whether a bar may be drawn where standard error is a terminal. Elsewhere (CI logs, a worker of pytest-xdist) a
        plain line is printed every half minute, whether or not a batch came back.
    """
    if not enabled:
        yield lambda tally: None
        return
    with _bar() if bar and sys.stderr.isatty() else _lines() as show:
        yield show


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
        TextColumn("{task.fields[lost]}"),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("asking", total=None, rate="", lost="")
        start = time.monotonic()

        def show(tally: Tally) -> None:
            rate = tally.asked / max(time.monotonic() - start, 1e-9)
            bar.update(task, total=tally.planned, completed=tally.done, rate=f"{rate:.0f}/s", lost=_lost(tally))

        yield show


@contextmanager
def _lines() -> Iterator[Progress]:
    start, ended, latest = time.monotonic(), threading.Event(), list[Tally]()

    def tick() -> None:
        seen, since = -1, start
        while not ended.wait(_EVERY):
            if not latest:
                continue
            tally, now = latest[-1], time.monotonic()
            if tally.done != seen:
                seen, since = tally.done, now
            print(_line(tally, now - start, now - since), file=sys.stderr, flush=True)

    def show(tally: Tally) -> None:
        latest[:] = [tally]

    thread = threading.Thread(target=tick, name="auditkit progress", daemon=True)
    thread.start()
    try:
        yield show
    finally:
        ended.set()
        thread.join()


def _line(tally: Tally, seconds: float, quiet: float) -> str:
    """Say where a pass stands after so many seconds, the last of them without anything coming back."""
    done = f"{whole(tally.done)} of {whole(tally.planned)} questions"
    if tally.planned:
        done += f" ({percent(tally.done / tally.planned, 0)})"
    rate = tally.asked / max(seconds, 1e-9)
    speed = whole(round(rate)) if rate >= 10 else f"{rate:.2g}"
    left = f", {speed} a second, about {duration((tally.planned - tally.done) / rate)} left" if rate else ""
    waiting = f"; nothing came back for {duration(quiet)}" if quiet >= 1 else ""
    return f"auditkit: {done}{left}; {_lost(tally)}{waiting}"


def _lost(tally: Tally) -> str:
    ended = [f"{whole(n)} {OUTCOME_NAMES[outcome].lower()}" for outcome, n in sorted(tally.ended.items())]
    return ", ".join([*ended, count(len(tally.errors), "error")])
