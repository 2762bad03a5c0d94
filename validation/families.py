"""Errors of the whole shipped protocol: many audits at once, each family corrected for its declared size.

Two models answer every shipped comparison. One has no fault at all. The other, made up anew for every family, has all
of the family's comparisons exactly on their margins, so that a FAIL is false and so is a PASS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from auditkit import tasks
from auditkit.evidence import Audit
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.testing import NOISES, Asked, Behaviour, FairReader, Noise, Replies, audit_all, simulate
from auditkit.vocabulary import Comparison, Condition, Contrast
from validation.jobs import Counts, Job, chunks
from validation.models import REFUSAL, Shifting
from validation.situations import SHIPPED_PROTOCOL, images, unplanned

SUITE = "families"
REPLICATES = 200
MODELS = ("no fault", "on the margin")
MODALITIES = {"no fault": ("ct", "mr", "xray"), "on the margin": ("ct", "mr")}
PATIENTS = 64
WHOLE = "whole protocol"
PROSE = "The image shows what it shows."


def jobs(replicates: int | None = None) -> list[Job]:
    """Return the work; a replicate takes about a second."""
    return [job for model in MODELS for job in chunks(SUITE, model, replicates or REPLICATES, size=5)]


def run(job: Job) -> Counts:
    """Count, for every family and for all together, replicates with any FAIL and with nothing but PASS."""
    protocol = load_protocol(SHIPPED_PROTOCOL).model_copy(update={"seed": job.protocol_seed()})
    records = images("1", PATIENTS, MODALITIES[job.row])
    counts: Counter[str] = Counter(replicates=job.replicates)
    for seed in job.seeds():
        verdicts: dict[str, dict[str, Audit]] = {}
        for behaviour, comparisons in _asked(job.row, protocol):
            with unplanned():
                audits = audit_all(simulate(behaviour, records, comparisons, protocol, seed), comparisons, protocol)
            for audit in audits.values():
                verdicts.setdefault(audit.family, {})[audit.id] = audit
        every: list[str] = []
        meant: list[str] = []
        for family, audits in verdicts.items():
            said = [a.verdict for a in audits.values()]
            near = [a.verdict for id_, a in audits.items() if job.row == "no fault" or _on_margin(id_)]
            counts.update(_counted(family, said, near))
            every, meant = [*every, *said], [*meant, *near]
        counts.update(_counted(WHOLE, every, meant))
    return dict(counts)


def _counted(name: str, verdicts: Sequence[str], near: Sequence[str]) -> dict[str, int]:
    return {
        f"{name}, any FAIL": int("FAIL" in verdicts),
        f"{name}, all PASS": int(set(verdicts) == {"PASS"}),
        f"{name}, audits": len(near),
        f"{name}, audits PASS": sum(verdict == "PASS" for verdict in near),
    }


def _asked(model: str, protocol: Protocol) -> list[tuple[Behaviour, list[Comparison]]]:
    declared = {name: make() for name, make in SHIPPED.items() if name in protocol.families}
    if model == "no fault":
        return [(FairReader(), [c for some in declared.values() for c in some])]
    return [(BOUNDARY[name], some) for name, some in declared.items()]


def _on_margin(audit: str) -> bool:
    """Words on the disfavoured side of a pair are neutral: compared with neutral words they are well within."""
    return not (audit.startswith("metadata/") and audit.endswith("-vs-neutral")) or _favoured(audit)


def _favoured(audit: str) -> bool:
    name = audit.removeprefix("metadata/")
    contrast = next(c for c in SHIPPED["metadata"]() if isinstance(c, Contrast) and c.name == name)
    return FAVOURED.get(contrast.treated.context, False)


FAVOURED = {level.id: level.id < level.counterpart for level in tasks.levels().values()}
"""By level: the first of every pair."""


def _words(condition: Condition, modality: str, _: str) -> float:
    """10 points in one of two modalities: both margins, of 10 points for each and 5 over all patients, are met."""
    return 10.0 * (modality == "ct" and FAVOURED.get(condition.context, False))


def _placebo(condition: Condition, modality: str, _: str) -> float:
    return 10.0 * (modality == "ct" and condition.context in tasks.placebos())


_WORDINGS = [t.id for t in tasks.templates().values() if t.format == "score_100"]
_SD = 7.0
_AREA_070 = -float(stats.norm.ppf(0.70)) * 2 * _SD


@dataclass(frozen=True)
class Unanswered:
    """Answers with a refusal, or with prose, for a share of the images each.

    Attributes
    ----------
    refused, prose : callable
        Share, 0-1, by condition.
    """

    refused: Callable[[Condition], float]
    prose: Callable[[Condition], float] = lambda _: 0.0

    def answer(self, asked: Asked) -> Replies:
        """Return 50 or a text without a score."""
        u = asked.draw("unanswered").random(len(asked.subjects))
        refused, prose = self.refused(asked.condition), self.prose(asked.condition)
        replies = Replies(np.full(u.size, 50.0)).where(u < refused, REFUSAL)
        return replies.where((u >= refused) & (u < refused + prose), PROSE)


@dataclass(frozen=True)
class Unsettled:
    """Gives another score for 10 % of the images when asked a second time or alone."""

    def answer(self, asked: Asked) -> Replies:
        """Return 50 or 55."""
        again = asked.condition.repeat > 0 or asked.condition.alone
        other = asked.draw("unsettled", again=True).random(len(asked.subjects)) < 0.10
        return Replies(np.where(other & again, 55.0, 50.0))


def _changed(condition: Condition) -> bool:
    """Strongest corruption, or a level's words; clean images and placebos are what these are compared with."""
    return condition.severity > 0 or condition.context in tasks.levels()


BOUNDARY: Mapping[str, Behaviour] = {
    "sensitivity": Shifting(lambda c, _m, _t: -2.0 * c.severity),
    "discrimination": Shifting(lambda c, _m, _t: _AREA_070 * (c.severity > 0), Noise(sd=_SD), between=_SD),
    "direction": Shifting(lambda c, _m, _t: 5.0 * (c.severity > 0)),
    "metadata": Shifting(_words, NOISES["discrete"]),
    "placebo": Shifting(_placebo, NOISES["discrete"]),
    "templates": Shifting(lambda _c, _m, t: 10.0 * (t in _WORDINGS[::2])),
    "answers": Unanswered(lambda _: 0.10, lambda _: 0.10),
    "differential": Unanswered(lambda c: 0.10 * _changed(c)),
    "repeatability": Unsettled(),
}
"""By family, a model whose every comparison lies on the shipped margin in two modalities."""
