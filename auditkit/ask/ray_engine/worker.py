"""A worker: holds the model in a process of its own and puts the questions about a few images at a time to it."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from auditkit.ask.keys import digest_of
from auditkit.ask.plan import Plan
from auditkit.ask.prefetch import prefetch
from auditkit.ask.ray_engine.parcel import Lookup, Parcel
from auditkit.ask.render import LIBRARIES, Renderer
from auditkit.ask.requests import Keys, model_identity
from auditkit.ask.store import Store
from auditkit.ask.tally import Tally
from auditkit.errors import AuditkitError
from auditkit.models.base import Model, ModelOptions
from auditkit.protocol.entries import entries_used
from auditkit.protocol.model import Protocol
from auditkit.vocabulary import Effect

MAX_ATTEMPTS = 3
"""How often the same images are tried when the worker's process dies over them."""

Resolve = Callable[[str, ModelOptions], Model]


@dataclass(frozen=True)
class Job:
    """What all workers of a pass are told once.

    Attributes
    ----------
    name, options
        The model, which every worker resolves for itself: weights are not sent about.
    resolve : callable
        From name and options to the model; importable on every node.
    identity, setting : str
        What the driver's model, wording, perturbations and libraries are: every answer's key depends on them.
    effects, protocol, roles
        The questions, and whose they are.
    batch_size, deadline, probabilities
        As of `prefetch`.
    """

    name: str
    options: ModelOptions
    resolve: Resolve
    identity: str
    setting: str
    effects: tuple[Effect, ...]
    protocol: Protocol
    roles: tuple[str, ...]
    batch_size: int
    deadline: float
    probabilities: bool = True


@dataclass(slots=True)
class RowResult:
    """What a worker gives back for the images of one row: everything to be kept, and how they went."""

    parcel: Parcel
    tally: Tally

    def to_text(self) -> str:
        """Return it as JSON."""
        return json.dumps([self.parcel.to_text(), self.tally.to_record()])

    @classmethod
    def from_text(cls, text: str) -> RowResult:
        """Return what `to_text` wrote."""
        parcel, tally = json.loads(text)
        return cls(Parcel.from_text(parcel), Tally.from_record(tally))


class Attempts:
    """Counts how often work on a row was begun; outlives the workers, which cannot remember their own death."""

    def __init__(self) -> None:
        self._begun: dict[int, int] = {}

    def begin(self, number: int) -> int:
        """Return how often this row was begun, this time included."""
        self._begun[number] = self._begun.get(number, 0) + 1
        return self._begun[number]


class Worker:
    """What Ray Data calls with one row after the other, in one process as long as it lives.

    Nothing is raised, because Ray would wrap it into tracebacks of its own: a problem is part of the row that is
    returned.

    Parameters
    ----------
    paths : sequence of str
        The driver's ``sys.path``: the user's models and perturbations are importable there.
    job : bytes
        The `Job`, pickled by the driver of the same run.
    attempts : ray actor handle
        The `Attempts` of the run.
    """

    def __init__(self, paths: Sequence[str], job: bytes, attempts: Any) -> None:
        import ray

        sys.path.extend(path for path in paths if path not in sys.path)
        self._attempts = attempts
        self._gave_up = ""
        self._problem: AuditkitError | None = None
        try:
            self._job: Job = ray.cloudpickle.loads(job)
            self._model = _model_of(self._job)
        except Exception as error:  # most of it is foreign: the model, the image source
            self._problem = _explained(error)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return, as text, the row's number and result, why nothing more can be asked, or what is wrong."""
        result, problem = "", self._problem
        if problem is None and not self._gave_up:
            try:
                self._begin(row["number"])
                result = self._ask(row).to_text()
            except Exception as error:
                problem = _explained(error)
        said = ["", ""] if problem is None else [problem.problem, problem.remedy]
        return {"number": row["number"], "result": result, "gave_up": self._gave_up, "problem": said}

    def _begin(self, number: int) -> None:
        import ray

        if ray.get(self._attempts.begin.remote(number)) > MAX_ATTEMPTS:
            raise AuditkitError(
                f"the process of a worker died {MAX_ATTEMPTS} times over the same images; the memory may not be enough "
                "for a copy of the model in each.",
                "Every answer before is kept. Give fewer workers (--audit-workers=N) or smaller batches "
                "(--audit-batch-size=N), or see how it dies with --audit-engine=local.",
            )

    def _ask(self, row: dict[str, Any]) -> RowResult:
        import ray

        job = self._job
        plan = Plan(tuple(ray.cloudpickle.loads(row["images"])), job.effects, job.protocol, job.roles)
        store = Store(":memory:")
        try:
            Parcel.from_text(row["known"]).put_into(store, job.name)
            tally = prefetch(
                plan,
                self._model,
                store,
                Renderer(store, job.protocol.seed, job.protocol.catalogue),
                batch_size=job.batch_size,
                deadline=job.deadline,
                on_progress=lambda tally: None,
                probabilities=job.probabilities,
            )
            keys = Keys(self._model, job.batch_size, job.protocol.catalogue, probabilities=job.probabilities)
            result = RowResult(Lookup(plan, store, keys).parcel(plan.records), tally)
        finally:
            store.close()
        self._gave_up = tally.gave_up  # its call is still going on: no other may be put beside it
        return result


def setting_of(effects: Sequence[Effect], protocol: Protocol) -> str:
    """Return what must be the same on every node for a key to mean the same there, in words."""
    entries = entries_used(protocol.catalogue, (question for effect in effects for question in effect.questions()))
    return f"protocol {protocol.sha256()[:12]}, catalogue {digest_of(entries)[:12]}, {LIBRARIES}"


def _model_of(job: Job) -> Model:
    setting = setting_of(job.effects, job.protocol)
    if setting != job.setting:
        raise AuditkitError(
            f"node {platform.node()} has other versions than the driver: {setting}; the driver: {job.setting}.",
            "Install the same versions of auditkit and its packages on every node.",
        )
    model = job.resolve(job.name, job.options)
    if model_identity(model) != job.identity:
        parts = ", ".join(f"{part} {getattr(model, part, '')!s:.40}" for part in ("name", "revision", "fingerprint"))
        raise AuditkitError(
            f"--model={job.name} on node {platform.node()} is not the driver's: it has {parts}.",
            "Give every node the same weights and the same versions of the packages.",
        )
    return model


def _explained(error: Exception) -> AuditkitError:
    if isinstance(error, AuditkitError):
        return error
    return AuditkitError(
        f"a worker on node {platform.node()} failed: {type(error).__name__}: {error}.",
        "See where with --audit-engine=local. Modules of your own must be importable on every node.",
    )
