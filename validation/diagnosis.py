"""How often audits of right answers err: skill, recall, loss, wording and position, with the truth on the margin.

Not a part of ``python -m validation``, whose document is written as a whole: ``python -m validation.diagnosis``
measures these rows and prints their table.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from auditkit.images.item import Item
from auditkit.measure.columns import MAIN, SCORED, Column, Measurements
from auditkit.protocol import effects, right_answers
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from auditkit.testing import (
    BaseRate,
    Behaviour,
    ByPosition,
    IgnoresImage,
    Knowing,
    RefusesHard,
    WordingFragile,
    audit_all,
    labelled_images,
    simulate,
)
from auditkit.vocabulary import Effect, Perturbation, Question
from validation.beside import (
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

SUITE = "diagnosis"
PACK = ROOT / "packs" / "diagnosis" / "protocol.toml"
RESULTS = ROOT / "reports" / "validation" / "diagnosis.jsonl"
REPLICATES = 1000
PATIENTS, PREVALENCES, LAYOUTS = (32, 64, 96, 200), (0.5, 0.1), ("1", "1-4")
CLEAN = Question(TASK, "named")
BLURRED, TURNED, AGAIN = Perturbation("jpeg", 3), Perturbation("options_reversed"), Perturbation("again", 1)
GUESSES = "guesses"
"""Where the truth lies: a PASS must not come of that either."""

Answered = dict[Question, "NDArray[np.bool_]"]
"""Whether each image's answer is right."""


@dataclass(frozen=True, slots=True)
class World:
    """The images of one data set, and what is drawn of them.

    Attributes
    ----------
    patients : ndarray of int, shape (n,)
        Patient of each image.
    ill : ndarray of bool, shape (n,)
        The same for all images of a patient.
    rng : numpy.random.Generator
        For the answers.
    """

    patients: NDArray[np.int64]
    ill: NDArray[np.bool_]
    rng: np.random.Generator

    def uniform(self) -> NDArray[np.float64]:
        """Return numbers uniform on 0 to 1 that images of a patient have partly in common; shape (n,)."""
        return uniform(self.rng, self.patients)


def right(world: World, ill: float, well: float) -> NDArray[np.bool_]:
    """Return right answers with these chances by class."""
    return world.uniform() < np.where(world.ill, ill, well)


def after(world: World, before: NDArray[np.bool_], kept: float, found: float) -> NDArray[np.bool_]:
    """Return right answers under a condition: shares of those that were right, and of those that were not."""
    return np.asarray(world.uniform() < np.where(before, kept, found))


def _skill(ill: float, well: float) -> Callable[[World], Answered]:
    return lambda world: {CLEAN: right(world, ill, well)}


def _loss(before: float, kept: float, found: float) -> Callable[[World], Answered]:
    def draw(world: World) -> Answered:
        clean = right(world, before, before)
        return {CLEAN: clean, CLEAN.under(BLURRED): after(world, clean, kept, found)}

    return draw


def _base_rate(world: World) -> Answered:
    clean = ~world.ill
    return {CLEAN: clean, CLEAN.under(BLURRED): clean}


def _wording(kept: float, found: float) -> Callable[[World], Answered]:
    def draw(world: World) -> Answered:
        clean = right(world, 0.85, 0.85)
        return {CLEAN: clean, Question(TASK, "features"): after(world, clean, kept, found)}

    return draw


def _position(noise: float, moved: float) -> Callable[[World], Answered]:
    """Two letters: an asking turns so many answers round, the other order so many more."""
    one = Question("pneumonia.letters", "direct")

    def draw(world: World) -> Answered:
        base = right(world, 0.85, 0.85)
        steady = world.uniform() >= moved
        # Each asking errs by itself: two differ where one of them does.
        err = (1 - (1 - 2 * noise) ** 0.5) / 2
        said = [base ^ (world.uniform() < err) for _ in range(3)]
        # Of those that the order decides, the answer in the other order is the other one.
        return {one: said[0], one.under(TURNED): np.where(steady, said[1], ~said[0]), one.under(AGAIN): said[2]}

    return draw


@dataclass(frozen=True, slots=True)
class Gate:
    """One effect, its limit in the pack, and what is drawn of it.

    Attributes
    ----------
    effect : Effect
        Of a family of the pack.
    cases : dict of (str, str) to callable
        By where the truth lies and a name for how.
    """

    effect: Effect
    cases: dict[tuple[str, str], Callable[[World], Answered]]


def _share_moved(excess: float, noise: float) -> float:
    """Return the share of images that the order decides so that the excess of differing answers is as given."""
    return excess / (1 - noise)


GATES = {
    "skill": Gate(
        right_answers.skill(TASK, family="skill"),
        {
            (MARGIN, "both classes 60 %"): _skill(0.6, 0.6),
            (MARGIN, "ill 30 %, well 90 %"): _skill(0.3, 0.9),
            (INSIDE, "both classes 80 %"): _skill(0.8, 0.8),
            (BEYOND, "both classes 45 %"): _skill(0.45, 0.45),
        },
    ),
    "recall": Gate(
        right_answers.recall(TASK, "yes", family="recall"),
        {
            (MARGIN, "sensitivity 70 %"): _skill(0.7, 0.9),
            (INSIDE, "sensitivity 90 %"): _skill(0.9, 0.9),
            (BEYOND, "sensitivity 40 %"): _skill(0.4, 0.9),
        },
    ),
    "loss": Gate(
        right_answers.loses("jpeg", (3,), task=TASK, family="loss"),
        {
            (MARGIN, "85 % to 75 %"): _loss(0.85, 0.72 / 0.85, 0.2),
            (MARGIN, "95 % to 85 %"): _loss(0.95, 0.84 / 0.95, 0.2),
            (INSIDE, "90 %, as many lost as found"): _loss(0.9, 0.88 / 0.9, 0.2),
            (BEYOND, "90 % to 65 %"): _loss(0.9, 0.64 / 0.9, 0.1),
            (GUESSES, "50 %, nothing lost"): _loss(0.5, 1.0, 0.0),
            (GUESSES, "base rate"): _base_rate,
        },
    ),
    "wording": Gate(
        effects.wordings(TASK, ("named", "features"), "correct", family="wording"),
        {
            (MARGIN, "85 % and 75 %"): _wording(0.72 / 0.85, 0.2),
            (INSIDE, "85 % and 85 %"): _wording(0.83 / 0.85, 0.02 / 0.15),
            (BEYOND, "85 % and 60 %"): _wording(0.59 / 0.85, 0.01 / 0.15),
        },
    ),
    "position": Gate(
        effects.differs(TURNED, alike=[AGAIN], task="pneumonia.letters", name="position", family="position"),
        {
            (MARGIN, "no noise"): _position(0.0, _share_moved(0.1, 0.0)),
            (MARGIN, "20 % differ by noise"): _position(0.2, _share_moved(0.1, 0.2)),
            (INSIDE, "no noise"): _position(0.0, 0.0),
            (INSIDE, "20 % differ by noise"): _position(0.2, 0.0),
            (BEYOND, "no noise"): _position(0.0, 0.3),
        },
    ),
}


PLANTED: dict[str, tuple[Behaviour, tuple[Effect, ...]]] = {
    "knows 90 %": (Knowing(0.9), ()),
    "base rate": (BaseRate(), (GATES["skill"].effect, GATES["recall"].effect)),
    "ignores the image": (IgnoresImage(), (GATES["skill"].effect, GATES["recall"].effect)),
    "letter A for 50 %": (ByPosition(Knowing(0.9), 0.5), (GATES["position"].effect,)),
    "30 % wrong in one wording": (
        WordingFragile(Knowing(0.9), (f"{TASK}.features",), 0.3),
        (GATES["wording"].effect,),
    ),
    "declines the hardest 30 %": (RefusesHard(Knowing(0.7), 0.3), (effects.share("refused", TASK, family="refusals"),)),
}
"""Made-up models by what is wrong with them, and the audits that should find it."""


def planted_effects() -> list[Effect]:
    """Return what every planted model is asked: one audit of each kind, about images as they are."""
    refused = effects.share("refused", TASK, family="refusals")
    return [*(gate.effect for name, gate in GATES.items() if name != "loss"), refused]


def rows() -> Iterator[str]:
    """Yield the name of every row."""
    for model, patients in product(PLANTED, PATIENTS):
        yield f"{PLANTED_ROW}|{model}||{patients}|0.5|1"
    for name, gate in GATES.items():
        for (where, how), patients, ill, layout in product(gate.cases, PATIENTS, PREVALENCES, LAYOUTS):
            # Who is ill changes nothing of what is asked about all alike.
            if ill == PREVALENCES[0] or name in ("skill", "recall", "loss"):
                yield f"{name}|{where}|{how}|{patients}|{ill:g}|{layout}"


def jobs(replicates: int | None = None) -> list[Job]:
    """Return the work."""
    return [job for row in rows() for job in chunks(SUITE, row, replicates or REPLICATES)]


def run(job: Job) -> Counts:
    """Count the verdicts of a row."""
    name, where, how, patients, ill, layout = job.row.split("|")
    if name == PLANTED_ROW:
        return _run_planted(job, where, int(patients))
    gate = GATES[name]
    protocol = _protocol((gate.effect.family,), job.protocol_seed())
    records = images(layout, int(patients), ("xray",))
    counts: Counter[str] = Counter(replicates=job.replicates)
    for seed in job.seeds():
        world = _world(records, float(ill), seed)
        known = with_truth(records, world.ill)
        answered = gate.cases[where, how](world)
        data = Measurements(known, {question: _column(values, world) for question, values in answered.items()})
        with unplanned():
            [audit] = audit_all(data, [gate.effect], protocol).values()
        counts[audit.verdict] += 1
    return dict(counts)


def _run_planted(job: Job, model: str, patients: int) -> Counts:
    """Count how often the audits of a defect fail, and any other, each as if its family had no other decision."""
    behaviour, to_find = PLANTED[model]
    every, found_by = planted_effects(), {f"{effect.family}/{effect.name}" for effect in to_find}
    protocol = _protocol(tuple(dict.fromkeys(effect.family for effect in every)), job.protocol_seed())
    counts: Counter[str] = Counter(replicates=job.replicates)
    for seed in job.seeds():
        ill = np.random.default_rng(seed).random(patients) < 0.5
        labels = ["bacterial" if sick else "normal" for sick in ill.tolist()]
        records = labelled_images(images("1", patients, ("xray",)), "label", labels)
        with unplanned():
            audits = audit_all(simulate(behaviour, records, every, protocol, seed), every, protocol)
        failed = {id for id, audit in audits.items() if audit.verdict == "FAIL"}
        counts[FOUND] += bool(failed & found_by)
        counts[BLAMED] += bool(failed - found_by)
        counts["skill PASS"] += audits[f"skill/{TASK}-skill"].verdict == "PASS"
    return dict(counts)


def _world(records: Sequence[Item], ill: float, seed: int) -> World:
    _, codes = np.unique([record.cluster for record in records], return_inverse=True)
    rng = np.random.default_rng(seed)
    return World(codes.reshape(-1), (rng.random(codes.max() + 1) < ill)[codes.reshape(-1)], rng)


def _column(correct: NDArray[np.bool_], world: World) -> Column:
    """The answers as they would be read: right is to say of the ill that they are."""
    said = np.where(correct == world.ill, "yes", "no").astype(object)
    value = correct.astype(float)
    return Column(
        {MAIN: np.full(value.size, np.nan), "correct": value, "above_chance": 2 * value - 1},
        np.full(value.size, SCORED, dtype=np.int8),
        said,
    )


@lru_cache(maxsize=256)
def _protocol(names: tuple[str, ...], seed: int) -> Protocol:
    """The pack's, with families of one decision: no FAIL is withheld for company."""
    pack = load_protocol(PACK)
    families = {name: pack.families[name].model_copy(update={"size": 1}) for name in names}
    return pack.model_copy(update={"seed": seed, "families": families})


def table(results: dict[str, Counts]) -> Table:
    """Return the rates of every row."""
    keys = ("gate", "truth", "how", "patients", "ill", "images of a patient")
    title = "Right answers: verdicts by where the truth lies"
    return verdict_rates(results, title, keys, (FOUND, BLAMED, "skill PASS"), wrong_pass=(GUESSES,))


if __name__ == "__main__":
    sys.exit(command(SUITE, jobs, table, RESULTS, sys.argv[1:]))
