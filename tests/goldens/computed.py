"""The golden values, computed by today's code."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from auditkit.ask.keys import digest_of, pixel_digest
from auditkit.ask.plan import Plan, distinct, limit_clusters
from auditkit.ask.render import Renderer
from auditkit.ask.requests import Keys
from auditkit.ask.store import Store
from auditkit.evidence import Audit
from auditkit.images.item import Item
from auditkit.images.sources import load_images
from auditkit.judge.judge import Judge
from auditkit.judge.versions import VersionJudge
from auditkit.measure.columns import Column, Measurements
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.tasks import OUTCOMES
from auditkit.testing import questions
from auditkit.vocabulary import Condition, Effect, Part, Perturbation, Probe, Question
from validation.jobs import Job
from validation.jobs import run as run_job
from validation.setting import unplanned

PROTOCOL = Path(__file__).parents[2] / "audits" / "protocol.toml"
MARKS = {"r": "refused", "u": "unparsed", "o": "out_of_range", "t": "truncated", "e": "error", "+": "scored"}
CELL = (
    "required", "verdict", "margin_low", "margin_high", "p_pass", "p_fail", "p_fail_holm", "n_images",
    "n_clusters", "sd", "mde", "rule",
)  # fmt: skip
RENAMED = {
    "score_100": "quality",
    "rating_5": "rating",
    "grade": "grade",
    "yes_no": "yes_no",
    "options.quality": "options.quality.direct",
    "options.degradation": "options.degradation.direct",
    "options.degradation_reversed": "options.degradation_reversed.direct",
}
"""Templates, or their formats, by the names they had."""
ROWS = (
    "gates:equivalence/discrete/1-4/64/margin/none",
    "gates:equivalence/rare/1/64/margin/worst",
    "gates:equivalence, pooled/discrete/1-4/64/margin/none",
    "gates:tail/vs neutral sd 8.5/1/64/margin/none",
    "gates:templates/discrete/1-4/64/margin/none",
    "gates:not raised/discrete/1-4/64/margin/random",
    "gates:monotone/discrete/1-4/64/margin/none",
    "gates:sensitivity/discrete/1-4/64/margin/worst",
    "gates:discrimination/discrete low/1-4/64/margin/random",
    "gates:rate/10 correlated/1-4/64/margin/none",
    "gates:rate difference/10 one way/1-4/64/margin/none",
    "gates:agreement/10 correlated/1-4/64/margin/none",
    "looks:equivalence/discrete/1-4/128/margin/none|2|pocock",
    "looks:rate/10 correlated/1-4/128/margin/none|2|pocock",
)
REPLICATES = 20
LATER = frozenset({"modality"})
FAMILIES = (
    "sensitivity", "discrimination", "direction", "metadata", "placebo", "templates", "answers", "differential",
    "repeatability", "calibration", "scoring", "subgroups", "embeddings",
)  # fmt: skip
"""Those that there were when the answers were recorded: what came later asks more, and must not change these."""


class Nobody:
    """A model that is never asked."""

    name, revision, fingerprint = "golden", "1", "weights-1"


def protocol() -> Protocol:
    return load_protocol(PROTOCOL)


def effects() -> tuple[Effect, ...]:
    every = (effect for family in FAMILIES for effect in SHIPPED[family]())
    early = (replace(effect, parts=tuple(part for part in effect.parts if not _later(part))) for effect in every)
    return distinct(effect for effect in early if effect.parts)


def _later(part: Part) -> bool:
    """Whether a part asks a task that came later."""
    return any(value.question.task in LATER for _, value in part.terms)


def keys(tmp_path: Path) -> dict[str, str]:
    """Return for ten demo images the SHA-256 over the sorted keys of all questions of the shipped plan."""
    declared = protocol()
    images = load_images("demo", salt="golden", max_side=declared.images.max_side)
    records = limit_clusters(images.records, 10, declared.seed)
    store = Store(str(tmp_path / "golden.sqlite"))
    catalogue = declared.catalogue
    renderer, plan = Renderer(store, declared.seed, catalogue), Plan(records, effects(), declared)
    named = Keys(Nobody(), 32, catalogue)
    found = {}
    for record in records:
        digest = pixel_digest(renderer.clean(record))
        rendered: dict[Condition, Any] = {}

        def key(probe: Probe) -> str:
            pixels = catalogue.pictures(probe.question.condition)
            if pixels not in rendered:  # noqa: B023 - called within this turn of the loop only
                rendered[pixels] = renderer.describe(record, pixels, renderer.shown(record, digest, pixels))  # noqa: B023
            return named.of(probe, rendered[pixels])  # noqa: B023

        every = sorted(key(probe) for probe in plan.probes(record))
        found[record.id] = f"{len(every)} {digest_of(every)}"
    store.close()
    return found


def measurements(answers: dict[str, Any], *, disturbed: bool) -> Measurements:
    """Return recorded answers as measurements; disturbed, every fifth is off by some points and some are lost."""
    records = [Item(*image, pictures=(), synthetic=True, source="") for image in answers["images"]]
    columns = {}
    for name, marks in answers["columns"].items():
        scores, outcomes = _read(marks.split())
        if disturbed:
            rng = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))
            off = np.where(rng.random(scores.size) < 0.2, rng.integers(-12, 9, scores.size), 0)
            lost, scored = rng.random(scores.size) < 0.04, outcomes == 0
            scores = np.where(lost & scored, np.nan, np.clip(scores + off, 0, 100))
            outcomes = np.where(lost & scored, OUTCOMES.index("refused"), outcomes).astype(np.int8)
        columns[_question(name)] = Column({"": scores}, outcomes)
    return Measurements(records, columns)


def _question(name: str) -> Question:
    """The question that a column was called by before the vocabulary changed."""
    template, corruption, severity, context, repeat, alone = name.split("|")
    condition = (
        *((Perturbation(corruption, int(severity)),) if corruption != "clean" else ()),
        *((Perturbation(context),) if context != "none" else ()),
        *((Perturbation("again", int(repeat)),) if int(repeat) else ()),
        *((Perturbation("alone"),) if alone == "True" else ()),
    )
    form, _, wording = template.partition(".")
    task, _, wording = (RENAMED.get(template) or f"{RENAMED[form]}.{wording}").rpartition(".")
    return Question(task, wording, condition)


def _read(marks: list[str]) -> tuple[np.ndarray, np.ndarray]:
    scores = np.array([np.nan if mark in MARKS else float(mark) for mark in marks])
    outcomes = np.array([OUTCOMES.index(MARKS.get(mark, "scored")) for mark in marks], dtype=np.int8)
    return scores, outcomes


def verdicts(answers: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the numbers of every audit on the recorded answers, on disturbed ones, and of one against the other.

    Of those whose questions were asked when the answers were recorded: what is measured inside a model, and what came
    later, is left out.
    """
    declared = protocol()
    plain, disturbed = (measurements(answers, disturbed=d) for d in (False, True))
    recorded = set(map(_question, answers["columns"]))
    every = tuple(effect for effect in effects() if recorded >= set(map(declared.resolve, effect.questions())))
    found = {}
    for name, data in (("plain", plain), ("disturbed", disturbed)):
        judge = Judge(declared, data, every)
        with unplanned():
            audits = [judge.audit(effect, "") for effect in every]
        found.update({f"{name} {audit.id}": numbers(audit) for audit in audits})
    deciding = [effect for effect in every if not declared.families[effect.family].shown]
    versions = VersionJudge(declared, disturbed, plain, deciding)
    with unplanned():
        audits = [versions.against("baseline", effect, "", "an earlier run") for effect in deciding]
    return found | {f"versions {audit.id}": numbers(audit) for audit in audits}


def numbers(audit: Audit) -> list[Any]:
    """Return what an audit decided, without its words."""
    cells = [
        [
            cell.stratum.level,
            *(getattr(cell, name) for name in CELL),
            *(_ends(e) for e in (cell.estimate, cell.tail, cell.worst_case)),
        ]
        for cell in audit.parts
    ]
    points = [
        [p.stratum.level, p.level, p.n_images, *(_ends(e) for e in (p.score, p.change, p.auroc))] for p in audit.series
    ]
    return [audit.verdict, _ends(audit.estimate), audit.n_images, audit.n_clusters, cells, points]


def _ends(estimate: Any) -> list[float | None] | None:
    return None if estimate is None else [estimate.value, estimate.low, estimate.high]


def rates() -> dict[str, dict[str, int]]:
    """Return what twenty seeded replicates of some rows of the validation count."""
    found = {}
    with mock.patch.object(questions, "generator", _as_before):
        for row in ROWS:
            suite, _, name = row.partition(":")
            found[row] = run_job(Job(suite, name, 0, REPLICATES))
    return found


_generator = questions.generator
_BEFORE = {f"{new}.": f"{old}." for old, new in RENAMED.items() if not new.endswith(".direct")}


def _as_before(seed: int, *names: str) -> np.random.Generator:
    """Made-up answers are drawn by the names of what is asked: by those it had."""
    return _generator(seed, *map(_name_before, names))


def _name_before(name: str) -> str:
    if name.startswith("options."):
        return name.removesuffix(".direct")
    name = name.replace("again-s1", "repeat1")
    return next((old + name[len(new) :] for new, old in _BEFORE.items() if name.startswith(new)), name)
