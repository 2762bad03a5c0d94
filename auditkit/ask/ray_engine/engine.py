"""The driver: finds what is missing, has the workers find it out, and alone writes the store."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain
from types import TracebackType
from typing import Any

from auditkit.ask.plan import Plan
from auditkit.ask.ray_engine.cluster import cluster, workers_of
from auditkit.ask.ray_engine.parcel import Lookup
from auditkit.ask.ray_engine.worker import Attempts, Job, Resolve, RowResult, Worker, setting_of
from auditkit.ask.requests import Keys, model_identity
from auditkit.ask.store import Store
from auditkit.ask.tally import Progress, Tally
from auditkit.errors import AuditkitError
from auditkit.images.item import Item
from auditkit.models.base import Model, ModelOptions
from auditkit.models.resolve import resolve_model

_BATCHES = 4  # of questions per row: what a killed worker has to do again, and one in five batches at worst is not full
_SHARES = 4  # rows per worker at least, so that none waits long for the last
_MAX_ROWS = 10_000  # the driver takes 8 ms per row (5,000 empty rows: 42 s), whatever is in it


class RayEngine:
    """Asks through Ray Data: every worker holds the model, one per GPU or, without GPUs, one per core.

    Use as a context manager around all passes of a run; the cluster is joined when the first question has to be asked.

    Parameters
    ----------
    name : str
        The model, as given to ``--model``; every worker resolves it for itself.
    options : ModelOptions
        How it is to be loaded.
    workers : int or None
        Workers at most; None for as many as there are GPUs, else cores.
    resolve : callable
        From name and options to the model, importable on every node.
    """

    def __init__(
        self, name: str, options: ModelOptions, *, workers: int | None = None, resolve: Resolve = resolve_model
    ) -> None:
        self._name = name
        self._options = options
        self._workers = workers
        self._resolve = resolve
        self._stack = ExitStack()
        self._ray: Any = None

    def __enter__(self) -> RayEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def prefetch(
        self,
        plan: Plan,
        model: Model,
        store: Store,
        *,
        batch_size: int,
        deadline: float,
        on_progress: Progress,
        tally: Tally | None = None,
        probabilities: bool = True,
        ask_on: bool = True,
    ) -> Tally:
        """Do what `auditkit.ask.prefetch.prefetch` does; what a worker found is committed as it comes in.

        Parameters
        ----------
        plan, store, batch_size, deadline, on_progress, tally, probabilities, ask_on
            As there. The images' ``read`` must be importable on every node, and find its file there.
        model : Model
            The driver's own, for the keys; it is not asked and loads no weights.

        Returns
        -------
        Tally
            What was asked, held, left out and went wrong.

        Raises
        ------
        AuditkitError
            When Ray is missing or fails, a worker cannot have the model or has another one, or its process dies three
            times over the same images. What came in before is committed.
        """
        start = time.monotonic()
        tally = Tally() if tally is None else tally
        tally.planned += plan.size()
        keys = Keys(model, batch_size, plan.protocol.catalogue, probabilities=probabilities)
        lookup = Lookup(plan, store, keys)
        open_ = _still_open(plan, lookup, tally)
        on_progress(tally)
        if open_:
            job = Job(
                name=self._name,
                options=self._options,
                resolve=self._resolve,
                identity=model_identity(model),
                setting=setting_of(plan.effects, plan.protocol),
                effects=plan.effects,
                protocol=plan.protocol,
                roles=plan.roles,
                batch_size=batch_size,
                deadline=deadline,
                probabilities=probabilities,
            )
            ray = self._connected()
            workers, gpus = workers_of(ray.cluster_resources(), self._workers)
            waiting = dict(enumerate(_rows(open_, batch_size, workers)))
            packed = [
                {"number": number, "images": _pickled(ray, [o.record for o in row]), "known": _known(lookup, row)}
                for number, row in waiting.items()
            ]
            with closing(_results(ray, packed, _pickled(ray, job), workers, gpus)) as results:
                for number, result, gave_up in results:
                    if result is not None:
                        result.parcel.put_into(store, str(getattr(model, "name", "model")))
                        _count(result.tally, waiting.pop(number), tally)
                        if waiting and not ask_on:
                            tally.first.check()
                    if gave_up:
                        _give_up(waiting.values(), gave_up, tally)
                        break
                    on_progress(tally)
            on_progress(tally)
        tally.seconds += time.monotonic() - start
        return tally

    def _connected(self) -> Any:
        if self._ray is None:
            self._ray = self._stack.enter_context(cluster())
        return self._ray


@dataclass(frozen=True, slots=True)
class _Open:
    """An image with questions that have no answer yet, and which they are (see `Lookup.missing`)."""

    record: Item
    questions: int
    missing: list[str]


def _still_open(plan: Plan, lookup: Lookup, tally: Tally) -> list[_Open]:
    """Return the images that a worker is needed for; the others' questions are counted as held."""
    open_ = []
    for record in plan.records:
        questions, missing = len(plan.probes(record)), lookup.missing(record)
        if missing:
            open_.append(_Open(record, questions, missing))
        else:
            tally.held += questions
            tally.done += questions
    return open_


def _rows(images: Sequence[_Open], batch_size: int, workers: int) -> list[list[_Open]]:
    """Divide images, in their order, into what a worker does at a time."""
    total = sum(len(image.missing) for image in images)
    enough = max(min(_BATCHES * batch_size, total / (_SHARES * workers)), total / _MAX_ROWS)
    rows: list[list[_Open]] = [[]]
    questions = 0
    for image in images:
        if questions >= enough:
            rows.append([])
            questions = 0
        rows[-1].append(image)
        questions += len(image.missing)
    return rows


def _known(lookup: Lookup, row: Sequence[_Open]) -> str:
    return lookup.parcel(image.record for image in row).to_text()


def _pickled(ray: Any, value: object) -> bytes:
    """Pickle for a worker of this run; nothing that comes back, and nothing that is kept, is ever unpickled."""
    try:
        pickled: bytes = ray.cloudpickle.dumps(value)
    except Exception as error:  # TypeError, PicklingError, or what a stranger's __reduce__ raises
        raise AuditkitError(
            f"--audit-engine=ray: the images or the protocol cannot be sent to another process: {error}.",
            "Make Picture.read an object of a class at the top of its module, or run with --audit-engine=local.",
        ) from None
    return pickled


def _results(
    ray: Any, packed: list[dict[str, Any]], job: bytes, workers: int, gpus: int
) -> Generator[tuple[int, RowResult | None, str], None, None]:
    """Yield number, result and reason to stop, row by row as they come in, each row once.

    Ray Data starts a killed worker again and gives its rows to it or to another; it does so without end, which is why
    the workers count (see `Attempts`).
    """
    attempts = ray.remote(Attempts).options(num_cpus=0).remote()
    rows = iter(
        ray.data.from_items(packed, override_num_blocks=len(packed))
        .map(
            Worker,
            fn_constructor_args=(list(sys.path), job, attempts),
            # One row waits at the worker while it does another: more would have to be done again with it.
            compute=ray.data.ActorPoolStrategy(size=min(workers, len(packed)), max_tasks_in_flight_per_actor=2),
            num_cpus=1,
            num_gpus=gpus,
        )
        .iter_rows()
    )
    try:
        while (row := _next(rows)) is not None:
            if any(row["problem"]):
                raise AuditkitError(*row["problem"])
            yield row["number"], RowResult.from_text(row["result"]) if row["result"] else None, row["gave_up"]
    finally:
        rows.close()  # ends the workers, whether or not all is done


def _next(rows: Iterator[dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return next(rows, None)
    except Exception as error:  # of many kinds; what is known of the workers they have said themselves
        lines = [line for line in str(error).splitlines() if line.strip()]
        raise AuditkitError(
            f"Ray failed: {type(error).__name__}: {lines[0] if lines else 'no reason given'}",
            "Every answer that came in is kept: run the same command again, or with --audit-engine=local.",
        ) from None


def _count(counted: Tally, row: Sequence[_Open], tally: Tally) -> None:
    """Count what a worker tells of the images of a row onto the whole."""
    tally.planned += counted.planned - sum(image.questions for image in row)  # without those that were left out
    tally.done += counted.done
    tally.held += counted.held
    tally.first.add(counted.first)
    for outcome, n in counted.ended.items():
        tally.ended[outcome] = tally.ended.get(outcome, 0) + n
    tally.errors |= counted.errors
    tally.again |= counted.again
    tally.left_out += counted.left_out
    tally.unreadable += counted.unreadable
    tally.undecodable |= counted.undecodable


def _give_up(rows: Iterable[Sequence[_Open]], why: str, tally: Tally) -> None:
    """Count what nobody is asked any more as errors, as the local engine does."""
    tally.gave_up = why
    for image in chain.from_iterable(rows):
        tally.done += image.questions
        tally.held += image.questions - len(image.missing)
        for key in image.missing:
            tally.lose(key, why, again=True)
