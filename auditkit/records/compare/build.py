"""From the records of several runs to one comparison."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np

from auditkit.errors import AuditkitError
from auditkit.evidence import VERDICTS, Estimate, Evidence
from auditkit.evidence.comparison import ComparedModel, Comparison, Correlation
from auditkit.judge.rules import seed_for
from auditkit.protocol.model import Protocol
from auditkit.protocol.recorded import own_protocol
from auditkit.records.compare.audits import compared, measure, titled, verdicts_only
from auditkit.records.compare.correlation import pooled, score_conditions
from auditkit.records.compare.joint import Settings, joint_intervals
from auditkit.records.compare.runs import Contestant, contestants, identical, same_family
from auditkit.records.compare.sentences import audits_sentence, correlation_sentence, notes_of
from auditkit.records.compare.summaries import summaries
from auditkit.stats.reduce import FloatArray
from auditkit.vocabulary import Question

MAX_MODELS = 20


def compare(evidences: Sequence[Evidence], sources: Sequence[str] | None = None) -> Comparison:
    """Compare runs of one protocol on the same images.

    Parameters
    ----------
    evidences : sequence of Evidence
        2 to 20 records with answers; their order changes nothing.
    sources : sequence of str, optional
        What each is called in messages (its path); the run's id by default.

    Returns
    -------
    Comparison

    Raises
    ------
    AuditkitError
        Too few or too many records, records without answers or with damaged ones, or records of different protocols
        or images, with what differs and the line that compares those alike.
    """
    names = [e.run.id for e in evidences] if sources is None else list(sources)
    if len(evidences) > MAX_MODELS:
        raise AuditkitError(
            f"{len(evidences)} records are too many: every two models are compared, and {MAX_MODELS} models are "
            f"{MAX_MODELS * (MAX_MODELS - 1) // 2} pairs.",
            f"Give at most {MAX_MODELS}.",
        )
    runs = contestants(evidences, names)
    first = runs[0].evidence
    remedy = "Compare with the auditkit that wrote the record."
    protocol = own_protocol(first, named=runs[0].source, remedy=remedy)
    settings = Settings.of(protocol, seed_for(protocol.seed, "compare"))
    measured = measure(runs, protocol, settings)
    audits = [*compared(measured, runs, settings), *verdicts_only(runs, {m.id for m in measured})]
    audits = titled(audits, runs, protocol)
    found = summaries(measured, runs, settings)
    correlations = _correlations(runs, protocol, settings)
    return Comparison(
        models=[_model(run, runs) for run in runs],
        protocol=first.protocol.name,
        protocol_sha256=first.protocol.sha256,
        profile=first.protocol.profile,
        alpha=protocol.alpha,
        seed=protocol.seed,
        resamples=settings.resamples,
        data=first.data,
        audits=audits,
        summaries=found,
        correlations=correlations,
        sentences=[
            *(summary.sentence for summary in found),
            audits_sentence(audits),
            *correlation_sentence(correlations),
        ],
        notes=notes_of(runs, protocol, [audit.id for audit in audits if not audit.what]),
    )


def _correlations(runs: Sequence[Contestant], protocol: Protocol, settings: Settings) -> list[Correlation]:
    conditions = score_conditions([run.data for run in runs], protocol.catalogue)
    if not conditions:
        return []
    pairs = list(combinations(runs, 2))
    score = protocol.resolve(Question())
    every = [pooled(a.data, b.data, conditions, score) for a, b in pairs]
    found = []
    for place in every[0]:
        own = [each[place] for each in every]
        joint = joint_intervals(*_bounded(np.stack([p.patients for p in own], axis=1)), settings)
        for (a, b), p, interval, sparse in zip(pairs, own, joint.intervals, joint.sparse, strict=True):
            usable = interval.n_clusters > 0 and not sparse
            ends = (float(np.tanh(interval.low)), float(np.tanh(interval.high))) if usable else (None, None)
            found.append(
                Correlation(
                    first=a.label,
                    second=b.label,
                    same_family=same_family(a.evidence, b.evidence),
                    modality=place[0],
                    perturbation=place[1],
                    estimate=Estimate(
                        value=p.value, low=ends[0], high=ends[1], level=1 - 2 * settings.alpha, unit="correlation"
                    ),
                    n_strata=p.n_strata,
                    n_scores=p.n_scores,
                    n_missing=p.n_missing,
                    n_clusters=p.n_clusters,
                    note=_why(p.value, usable),
                )
            )
    return found


def _bounded(P: FloatArray) -> tuple[FloatArray, float]:
    """Fisher's z has no range: whatever was seen is within it, and where that would decide no interval is given."""
    return P, float(np.nanmax(np.abs(P), initial=1.0))


def _why(value: float, usable: bool) -> str:
    if not np.isfinite(value):
        return "the scores of one of the two do not vary within the strata"
    if abs(value) >= 1 - 1e-9:
        return "the same order everywhere" if value > 0 else "the contrary order everywhere"
    return "" if usable else "too few patients say anything for an interval"


def _model(run: Contestant, runs: Iterable[Contestant]) -> ComparedModel:
    evidence = run.evidence
    counts = {v: sum(audit.verdict == v for audit in evidence.deciding) for v in VERDICTS}
    return ComparedModel(
        label=run.label,
        model=evidence.model,
        run=evidence.run.id,
        finished=evidence.run.finished,
        verdict=evidence.verdict,
        counts=counts,
        n_not_run=len(evidence.not_run),
        outcomes=evidence.outcomes,
        identical_to=[other.label for other in runs if other is not run and identical(run, other)],
    )
