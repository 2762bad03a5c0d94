"""How often audits of confidence err with the truth on the margin: overconfidence, Brier score, kept, and covered.

Not a part of ``python -m validation``, whose document is written as a whole: ``python -m validation.confidence``
measures these rows and prints their table. Probabilities go in, verdicts come out, by the code that judges real runs.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from auditkit.measure.columns import MAIN, SCORED, Column, Expectations, Measurements
from auditkit.protocol import confidence
from auditkit.protocol.effects import share
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from auditkit.tasks import BRIER, CONFIDENCE, CORRECT
from auditkit.tasks.truth import COLUMN_OF
from auditkit.testing import AbstainsOn, Behaviour, Confident, audit_all, labelled_images, simulate
from auditkit.vocabulary import Effect, Perturbation, Question
from validation.beside import (
    ANSWERS,
    BEYOND,
    BLAMED,
    FOUND,
    INSIDE,
    MARGIN,
    PLANTED_ROW,
    TASK,
    command,
    uniform,
    verdict_rates,
    with_truth,
)
from validation.jobs import ROOT, Counts, Job, chunks
from validation.rates import Table
from validation.setting import images, unplanned

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUITE = "confidence"
PACK = ROOT / "packs" / "diagnosis" / "protocol.toml"
RESULTS = ROOT / "reports" / "validation" / "confidence.jsonl"
REPLICATES = 1000
PATIENTS, LAYOUTS = (32, 64, 96, 200), ("1", "1-4")
DECIDES = {("kept", "number"), ("covered", "number")}
"""The rows of `auditkit.judge.procedures.TABLE` whose procedures are measured here, beside those of means."""
CLEAN = Question(TASK, "named")
DONE = Perturbation("jpeg", 3)

Answered = dict[Question, tuple["NDArray[np.float64]", "NDArray[np.bool_]"]]
"""Of each question the confidence in the answers, and whether they are right."""


@dataclass(frozen=True, slots=True)
class World:
    """The patients of one data set, and what is drawn of them.

    Attributes
    ----------
    patients : ndarray of int, shape (n,)
        Patient of each image.
    rng : numpy.random.Generator
        For the answers.
    """

    patients: NDArray[np.int64]
    rng: np.random.Generator

    def uniform(self) -> NDArray[np.float64]:
        """Return numbers uniform on 0 to 1 that images of a patient have partly in common; shape (n,)."""
        return uniform(self.rng, self.patients)


Drawn = tuple["NDArray[np.float64]", "NDArray[np.bool_]"]
Draw = Callable[[World], Drawn]


def stated(world: World, chances: NDArray[np.float64], over: float) -> Drawn:
    """Return answers that are right by their chances, said to be right by so much more."""
    return chances + over, world.uniform() < chances


def in_tens(over: float) -> Draw:
    """Confidence is 60, 70, 80 or 90 %, and so much more than is true."""
    return lambda w: stated(w, 0.6 + 0.1 * np.floor(4 * w.uniform()) - over, over)


def always_sure(over: float) -> Draw:
    """Confidence is 1, whatever is right."""
    return lambda w: stated(w, np.full(w.patients.size, 1.0 - over), over)


def rarely_wrong(over: float) -> Draw:
    """Sure and right, but for one patient in so many, of whom all is wrong."""

    def draw(world: World) -> Drawn:
        ill = world.rng.random(int(world.patients.max()) + 1)[world.patients] < over
        return np.ones(ill.size), ~ill

    return draw


def _alone(draw: Draw) -> Callable[[World], Answered]:
    return lambda world: {CLEAN: draw(world)}


def _both(clean: Draw, done: Draw) -> Callable[[World], Answered]:
    return lambda world: {CLEAN: clean(world), CLEAN.under(DONE): done(world)}


def _steady(over: float, share: float) -> Callable[[World], Answered]:
    """The same answers under the perturbation; a share of the patients turns wrong and stays sure."""

    def draw(world: World) -> Answered:
        sure, right = in_tens(0.0)(world)
        hit = world.rng.random(int(world.patients.max()) + 1)[world.patients] < share
        moved = np.where(hit, np.clip(sure + over, 0.0, 1.0), sure)
        return {CLEAN: (sure, right), CLEAN.under(DONE): (moved, right & ~hit)}

    return draw


def _brier(sure: float, accuracy: float) -> Draw:
    """One confidence for all: a Brier score of a (1 - s)^2 + (1 - a) s^2."""
    return lambda w: (np.full(w.patients.size, sure), w.uniform() < accuracy)


def ranked(top: float, rest: float, share: float, ties: int = 0) -> Draw:
    """Of the most confident share so many are right, and of the rest so many; equal confidences in so many steps."""

    def draw(world: World) -> Drawn:
        u = world.uniform()
        chance = np.where(u >= 1 - share, top, rest)
        right = world.uniform() < chance
        sure = np.floor(u * ties) / ties if ties else u
        return 0.5 + sure / 2, right

    return draw


def sloped(kept_right: float, share: float, slope: float, ties: int = 0) -> Draw:
    """The chance rises with the rank, so that at the threshold it is far from the mean of those kept."""

    def draw(world: World) -> Drawn:
        u = world.uniform()
        middle = 1 - share / 2  # mean rank of those kept
        right = world.uniform() < np.clip(kept_right + slope * (u - middle), 0.0, 1.0)
        sure = np.floor(u * ties) / ties if ties else u
        return 0.5 + sure / 2, right

    return draw


def informed(world: World) -> Drawn:
    """Always right, with a confidence of 50 to 100 %: a threshold that covers whatever is not sure and wrong."""
    return 0.5 + world.uniform() / 2, np.ones(world.patients.size, dtype=bool)


@dataclass(frozen=True, slots=True)
class Gate:
    """One effect, its limit, and what is drawn of it."""

    effect: Effect
    verb: str
    limit: float
    cases: dict[tuple[str, str], Callable[[World], Answered]]


OVER = confidence.overconfidence(TASK, family="overconfidence")
SCORE = confidence.brier(TASK, family="brier")
GATES = {
    "overconfidence": Gate(
        OVER,
        "at_most",
        0.10,
        {
            (MARGIN, "steps of ten"): _alone(in_tens(0.10)),
            (MARGIN, "always sure, 10 % wrong"): _alone(always_sure(0.10)),
            (MARGIN, "always sure, one patient in ten wrong"): _alone(rarely_wrong(0.10)),
            (INSIDE, "steps of ten, calibrated"): _alone(in_tens(0.0)),
            (INSIDE, "always sure, 2 % wrong"): _alone(always_sure(0.02)),
            (BEYOND, "always sure, 30 % wrong"): _alone(always_sure(0.30)),
        },
    ),
    "overconfidence grows": Gate(
        confidence.grows(OVER, DONE, family="overconfidence_under"),
        "at_most",
        0.10,
        {
            (MARGIN, "other answers, steps of ten"): _both(in_tens(0.0), in_tens(0.10)),
            (MARGIN, "one patient in ten turns sure and wrong"): _steady(1.0, 0.10 / 1.0),
            (INSIDE, "nothing changes"): _steady(0.0, 0.0),
            (INSIDE, "other answers, calibrated"): _both(in_tens(0.0), in_tens(0.0)),
            (BEYOND, "steps of ten, 30 % over"): _both(in_tens(0.0), in_tens(0.30)),
        },
    ),
    "brier grows": Gate(
        confidence.grows(SCORE, DONE, family="brier_under"),
        "at_most",
        0.05,
        {
            (MARGIN, "right 90 %, then 83.75 %, at 90 %"): _both(_brier(0.9, 0.9), _brier(0.9, 0.8375)),
            (MARGIN, "always sure, 0 then 5 % wrong"): _both(always_sure(0.0), always_sure(0.05)),
            (INSIDE, "nothing changes"): _both(always_sure(0.0), always_sure(0.0)),
            (INSIDE, "right 90 % at 90 %, other answers"): _both(_brier(0.9, 0.9), _brier(0.9, 0.9)),
            (BEYOND, "always sure, 5 then 30 % wrong"): _both(always_sure(0.05), always_sure(0.30)),
        },
    ),
    "kept": Gate(
        confidence.kept(TASK, 0.8, family="kept"),
        "at_least",
        0.80,
        {
            (MARGIN, "alike at every confidence"): _alone(ranked(0.8, 0.8, 0.8)),
            (MARGIN, "the rest all wrong"): _alone(ranked(0.8, 0.0, 0.8)),
            (MARGIN, "rising, 60 % right at the threshold"): _alone(sloped(0.8, 0.8, 0.5)),
            (MARGIN, "one confidence for all"): _alone(ranked(0.8, 0.8, 0.8, ties=1)),
            (MARGIN, "seven steps, rising"): _alone(sloped(0.8, 0.8, 0.5, ties=7)),
            (INSIDE, "95 % right"): _alone(ranked(0.95, 0.5, 0.8)),
            (BEYOND, "60 % right"): _alone(ranked(0.6, 0.5, 0.8)),
        },
    ),
    "kept loss": Gate(
        confidence.kept_loss(DONE, task=TASK, share=0.8, family="kept_loss"),
        "at_most",
        0.10,
        {
            (MARGIN, "other answers, 90 then 80 %"): _both(ranked(0.9, 0.5, 0.8), ranked(0.8, 0.5, 0.8)),
            (MARGIN, "rising, 85 then 75 %"): _both(sloped(0.85, 0.8, 0.3), sloped(0.75, 0.8, 0.3)),
            (INSIDE, "nothing changes"): _steady(0.0, 0.0),
            (INSIDE, "other answers, both 95 %"): _both(ranked(0.95, 0.5, 0.8), ranked(0.95, 0.5, 0.8)),
            (BEYOND, "95 then 60 %"): _both(ranked(0.95, 0.5, 0.8), ranked(0.6, 0.5, 0.8)),
        },
    ),
    "covered": Gate(
        confidence.covered(TASK, ANSWERS, DONE, family="covered"),
        "at_least",
        0.80,
        {
            (MARGIN, "20 % sure and wrong"): _both(informed, always_sure(0.20)),
            (MARGIN, "one patient in five sure and wrong"): _both(informed, rarely_wrong(0.20)),
            (INSIDE, "3 % sure and wrong"): _both(informed, always_sure(0.03)),
            (BEYOND, "50 % sure and wrong"): _both(informed, always_sure(0.50)),
        },
    ),
}


GROWS = GATES["overconfidence grows"].effect
REFUSED = tuple(
    share("refused", TASK, family="refusals_by_class").where(COLUMN_OF + TASK, answer).named(f"{TASK}-refused-{answer}")
    for answer in ANSWERS
)
PLANTED: dict[str, tuple[Behaviour, tuple[Effect, ...]]] = {
    "right as often as it says": (Confident(), ()),
    "right less often under corruption, and says so": (Confident(falls=0.05), ()),
    "surer under corruption, and more often wrong": (Confident(falls=0.1, over_corrupted=0.3), (GROWS,)),
    "declines 40 % of the ill": (AbstainsOn(Confident(), "yes", 0.4), REFUSED[:1]),
}
"""Made-up models by what is wrong with them, and the audits that should find it."""


def rows() -> Iterator[str]:
    """Yield the name of every row."""
    for model, patients in product(PLANTED, PATIENTS):
        yield f"{PLANTED_ROW}|{model}||{patients}|1"
    for name, gate in GATES.items():
        for (where, how), patients, layout in product(gate.cases, PATIENTS, LAYOUTS):
            yield f"{name}|{where}|{how}|{patients}|{layout}"


def jobs(replicates: int | None = None) -> list[Job]:
    """Return the work."""
    return [job for row in rows() for job in chunks(SUITE, row, replicates or REPLICATES)]


def run(job: Job) -> Counts:
    """Count the verdicts of a row."""
    name, where, how, patients, layout = job.row.split("|")
    if name == PLANTED_ROW:
        return _run_planted(job, where, int(patients))
    gate = GATES[name]
    protocol = _protocol(gate.effect.family, gate.verb, gate.limit, job.protocol_seed())
    records = images(layout, int(patients), ("xray",))
    _, codes = np.unique([record.cluster for record in records], return_inverse=True)
    counts: Counter[str] = Counter(replicates=job.replicates)
    for seed in job.seeds():
        world = World(codes.reshape(-1), np.random.default_rng(seed))
        ill = world.rng.random(len(records)) < 0.5
        answered = gate.cases[where, how](world)
        data = Measurements(with_truth(records, ill), {q: column(*drawn, ill) for q, drawn in answered.items()})
        with unplanned():
            [audit] = audit_all(data, [gate.effect], protocol).values()
        counts[audit.verdict] += 1
    return dict(counts)


def _run_planted(job: Job, model: str, patients: int) -> Counts:
    """Count how often the audits of a defect fail, and any other, each as if its family had no other decision."""
    behaviour, to_find = PLANTED[model]
    every = (OVER, GROWS, *REFUSED)
    pack = load_protocol(PACK)
    families = {e.family: pack.families[e.family].model_copy(update={"size": 2}) for e in every}
    protocol = pack.model_copy(update={"seed": job.protocol_seed(), "families": families})
    counts: Counter[str] = Counter(replicates=job.replicates)
    for seed in job.seeds():
        ill = np.random.default_rng(seed).random(patients) < 0.5
        labels = ["bacterial" if sick else "normal" for sick in ill.tolist()]
        records = labelled_images(images("1", patients, ("xray",)), "label", labels)
        with unplanned():
            audits = audit_all(simulate(behaviour, records, every, protocol, seed), every, protocol)
        failed = {id for id, audit in audits.items() if audit.verdict == "FAIL"}
        found_by = {f"{effect.family}/{effect.name}" for effect in to_find}
        counts[FOUND] += bool(failed & found_by)
        counts[BLAMED] += bool(failed - found_by)
    return dict(counts)


def column(sure: NDArray[np.float64], right: NDArray[np.bool_], ill: NDArray[np.bool_]) -> Column:
    """Return answers between two as they would be read, with these confidences."""
    sure, correct = np.round(sure, 6), right.astype(float)
    n, chances = sure.size, Expectations.none(sure.size, 1.0)
    yes = np.where(right == ill, sure, 1.0 - sure)
    chances.chances.update(yes=yes, no=1.0 - yes)
    return Column(
        {
            MAIN: np.full(n, np.nan),
            CORRECT.name: correct,
            CONFIDENCE.name: sure,
            BRIER.name: np.round((sure - correct) ** 2, 6),
        },
        np.full(n, SCORED, dtype=np.int8),
        expectations=chances,
    )


@lru_cache(maxsize=256)
def _protocol(family: str, verb: str, limit: float, seed: int) -> Protocol:
    """The pack's, with one family of one decision: no FAIL is withheld for company."""
    pack = load_protocol(PACK)
    plain = type(pack.families["skill"]).model_validate({verb: limit, "size": 1})
    return pack.model_copy(update={"seed": seed, "families": {family: plain}})


def table(results: dict[str, Counts]) -> Table:
    """Return the rates of every row."""
    keys = ("gate", "truth", "how", "patients", "images of a patient")
    return verdict_rates(results, "Confidence: verdicts by where the truth lies", keys)


if __name__ == "__main__":
    sys.exit(command(SUITE, jobs, table, RESULTS, sys.argv[1:]))
