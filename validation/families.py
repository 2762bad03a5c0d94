"""Errors of the whole shipped protocol: many audits at once, each family corrected for its declared size.

Two models answer every question of the shipped effects. One has no fault at all. The other, another one for every
family, has all of the family's effects exactly on their margins, so that a FAIL is false and so is a PASS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats

from auditkit import perturbations, tasks
from auditkit.evidence import Audit
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.testing import NOISES, Asked, Behaviour, FairReader, Noise, Replies, audit_all
from auditkit.vocabulary import Effect, Question
from validation.asking import answers
from validation.jobs import Counts, Job, chunks
from validation.models import REFUSAL, Shifting, severity
from validation.setting import SHIPPED_PROTOCOL, images, unplanned

SUITE = "families"
REPLICATES = 100
MODELS = ("no fault", "on the margin")
MODALITIES = {"no fault": ("ct", "mr", "xray"), "on the margin": ("ct", "mr")}
PATIENTS = 64
WHOLE = "whole protocol"
LABELLED = frozenset(("recognition", "recognition_loss", "recognition_looking", "authority_answers"))
"""Families about right answers: their shares, balanced or not, and losses are measured in `validation.diagnosis`."""
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
        for behaviour, effects in _asked(job.row, protocol):
            with unplanned():
                audits = audit_all(answers(behaviour, records, effects, protocol, seed), effects, protocol)
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


def _asked(model: str, protocol: Protocol) -> list[tuple[Behaviour, list[Effect]]]:
    declared = {
        name: make() for name, make in SHIPPED.items() if not protocol.families[name].shown and name not in LABELLED
    }
    if model == "no fault":
        return [(FairReader(), [effect for some in declared.values() for effect in some])]
    return [(BOUNDARY[name], some) for name, some in declared.items()]


def _on_margin(audit: str) -> bool:
    """Words on the disfavoured side of a pair are neutral: compared with neutral words they are well within."""
    if audit.endswith("-poor-vs-neutral"):
        return False
    return not (audit.startswith("metadata/") and audit.endswith("-vs-neutral")) or _favoured(audit)


@lru_cache(maxsize=256)
def _favoured(audit: str) -> bool:
    effect = next(effect for effect in SHIPPED["metadata"]() if effect.name == audit.removeprefix("metadata/"))
    return any(_favours(question) for part in effect.parts for question in part.treated)


FAVOURED = {level.id: level.id < level.counterpart for level in perturbations.levels().values()}
"""By level: the first of every pair."""


def _favours(question: Question) -> bool:
    return any(FAVOURED.get(perturbation.name, False) for perturbation in question.condition)


def _says(question: Question, names: Container[str]) -> bool:
    return any(perturbation.name in names for perturbation in question.condition)


def _words(question: Question, modality: str) -> float:
    """10 points in one of two modalities: both margins, of 10 points for each and 5 over all patients, are met."""
    return 10.0 * (modality == "ct" and _favours(question))


def _placebo(question: Question, modality: str) -> float:
    return 10.0 * (modality == "ct" and _says(question, perturbations.placebos()))


_WORDINGS = list(tasks.shipped()["quality"].wordings)
_SD = 7.0
_AREA_070 = -float(stats.norm.ppf(0.70)) * 2 * _SD


@dataclass(frozen=True)
class Unanswered:
    """Answers with a refusal, or with prose, for a share of the images each.

    Attributes
    ----------
    refused, prose : callable
        Share, 0-1, by question.
    """

    refused: Callable[[Question], float]
    prose: Callable[[Question], float] = lambda _: 0.0

    def answer(self, asked: Asked) -> Replies:
        """Return 50 or a text without a score."""
        u = asked.draw("unanswered").random(len(asked.subjects))
        refused, prose = self.refused(asked.question), self.prose(asked.question)
        replies = Replies(np.full(u.size, 50.0)).where(u < refused, REFUSAL)
        return replies.where((u >= refused) & (u < refused + prose), PROSE)


@dataclass(frozen=True)
class Unsettled:
    """Gives another score for 10 % of the images when asked a second time or alone."""

    def answer(self, asked: Asked) -> Replies:
        """Return 50 or 55."""
        again = bool(asked.catalogue.asking(asked.condition))
        other = asked.draw("unsettled", again=True).random(len(asked.subjects)) < 0.10
        return Replies(np.where(other & again, 55.0, 50.0))


@dataclass(frozen=True)
class Flagging:
    """Finds nothing to use in a share of the pictures.

    Attributes
    ----------
    share : callable
        By question, 0-1.
    """

    share: Callable[[Question], float]

    def answer(self, asked: Asked) -> Replies:
        """Return 0 or 100 points."""
        flagged = asked.draw("flagging").random(len(asked.subjects)) < self.share(asked.question)
        return Replies(np.where(flagged, 0.0, 100.0))


def _praised(question: Question, modality: str) -> float:
    """10 points in one of two modalities, as for words about people."""
    return 10.0 * (modality == "ct" and any(p.name.endswith(".excellent") for p in question.condition))


_BLANKS = frozenset(("black", "grey", "noise"))


def _changed(question: Question) -> bool:
    """Strongest corruption, or a level's words; clean images and placebos are what these are compared with."""
    return severity(question) > 0 or _says(question, perturbations.levels())


BOUNDARY: Mapping[str, Behaviour] = {
    "sensitivity": Shifting(lambda q, _m: -2.0 * severity(q)),
    "discrimination": Shifting(lambda q, _m: _AREA_070 * (severity(q) > 0), Noise(sd=_SD), between=_SD),
    "direction": Shifting(lambda q, _m: 5.0 * (severity(q) > 0)),
    "metadata": Shifting(_words, NOISES["discrete"]),
    "placebo": Shifting(_placebo, NOISES["discrete"]),
    "templates": Shifting(lambda q, _m: 10.0 * (q.wording in _WORDINGS[::2])),
    "answers": Unanswered(lambda _: 0.10, lambda _: 0.10),
    "differential": Unanswered(lambda q: 0.10 * _changed(q)),
    "repeatability": Unsettled(),
    "looking": Shifting(lambda q, _m: -10.0 * _says(q, _BLANKS)),
    "flags": Flagging(lambda q: 0.50 * bool(q.condition)),
    "spared": Flagging(lambda q: 0.10 * bool(q.condition)),
    "burnt_in": Shifting(_praised, NOISES["discrete"]),
    "authority": Shifting(_praised, NOISES["discrete"]),
}
"""By family, a model whose every effect lies on the shipped margin in two modalities."""
