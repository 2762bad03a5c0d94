"""What a comparison says in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.errors import AuditkitError
from auditkit.evidence import Estimate
from auditkit.evidence.comparison import ComparedAudit, Correlation, Standing
from auditkit.protocol.changes import changed_entries
from auditkit.protocol.model import Protocol
from auditkit.records.compare.runs import Contestant
from auditkit.words import and_listed, number, some_of


def summary_sentence(
    title: str, labels: Sequence[str], standings: Sequence[Standing], ties: Sequence[Sequence[str]]
) -> str:
    """Order the models by a summary and say which cannot be told apart."""
    known = [(s.rank, label, s) for label, s in zip(labels, standings, strict=True) if s.rank is not None]
    if not known:
        return f"{title}: not measured."
    order = sorted(known, key=lambda entry: entry[:2])
    listed = ", ".join(f"{rank:g}. {label} {_level(s.estimate)}" for rank, label, s in order)
    joined = [some for some in ties if len(some) > 1]
    if any(len(some) == len(labels) for some in joined):
        return f"{title}: no two of the models can be told apart ({listed})."
    if not joined:
        return f"{title}: {listed}; {'the two' if len(labels) == 2 else 'every two'} are told apart."
    return f"{title}: {listed}. Cannot be told apart: {'; '.join(map(and_listed, joined))}."


def _level(estimate: Estimate) -> str:
    """A level carries no plus."""
    return number(estimate.value, estimate.unit, signed=False)


def audits_sentence(audits: Sequence[ComparedAudit]) -> str:
    """Count the audits in which models differ."""
    measured = [a for a in audits if a.what]
    apart = sum(any(d.apart for d in a.differences) for a in measured)
    differ = sum(len({m.verdict for m in a.models if m.verdict}) > 1 for a in audits)
    return (
        f"Audits: at least two models are told apart in {apart} of {len(measured)}; the verdicts differ in {differ} of "
        f"{len(audits)}. Verdicts that differ do not show a difference: one may have missed its limit by a hair."
    )


def correlation_sentence(correlations: Sequence[Correlation]) -> list[str]:
    """Say between which bounds the models order images alike within strata; nothing where it was not measured."""
    whole = [c for c in correlations if (c.modality, c.perturbation) == ("all", "all") and c.estimate.value is not None]
    if not whole:
        return []
    lead = "Order of the images within modality, perturbation and level: Spearman's coefficient"
    least, most = (f(whole, key=lambda c: c.estimate.value or 0.0) for f in (min, max))
    if len(whole) == 1:
        return [f"{lead} {_correlation(least)}."]
    return [f"{lead} from {_correlation(least)} to {_correlation(most)}."]


def _correlation(c: Correlation) -> str:
    ends = "" if c.estimate.low is None else f" [{number(c.estimate.low, '')}, {number(c.estimate.high, '')}]"
    kin = {True: "of one family", False: "of different families", None: "family of at least one not known"}
    return f"{number(c.estimate.value, '')}{ends} between {c.first} and {c.second} ({kin[c.same_family]})"


def notes_of(runs: Sequence[Contestant], protocol: Protocol, verdicts_only: Sequence[str]) -> list[str]:
    """List what readers must know of these runs before they compare."""
    found = []
    for some in _identical(runs):
        found.append(
            f"{and_listed(some)} gave the same score or outcome to every question: the same run twice, or models that "
            "answer alike."
        )
    partial = [f"{run.label} ({len(run.evidence.not_run)})" for run in runs if run.evidence.not_run]
    if partial:
        found.append(f"Declared audits that were not run: {', '.join(partial)}. Their cells are empty.")
    broken = [f"{run.label} ({run.evidence.outcomes.error})" for run in runs if run.evidence.outcomes.error]
    if broken:
        found.append(f"Questions that got no answer (errors), left out of every share: {', '.join(broken)}.")
    if any(len(run.evidence.looks) > 1 for run in runs):
        found.append(
            "Some runs decided audits early, on a part of the patients. Effects rest on the patients that were asked "
            "about, and their intervals take no account of the early looks."
        )
    if verdicts_only:
        found.append(
            "Compared by recorded verdict and estimate only, because their definition is not among those shipped or "
            f"nothing was scored: {some_of(verdicts_only)}."
        )
    gaps = {audit.family: None for run in runs for audit in run.evidence.audits if audit.between}
    if gaps:
        found.append(f"Gaps between groups are not compared; each report has its own: {some_of(list(gaps))}.")
    found += _other_entries(runs[0], protocol)
    unknown = [run.label for run in runs if not run.evidence.model.family]
    if unknown:
        found.append(f"Family not known, so kinship of models cannot be said: {', '.join(unknown)}.")
    return found


def _other_entries(run: Contestant, protocol: Protocol) -> list[str]:
    """Say which perturbations, wordings and scorers are defined otherwise in this auditkit than in the records."""
    try:
        changed = changed_entries(run.evidence.protocol.entries, protocol.entries)
    except AuditkitError as error:
        return [f"This auditkit lacks what the records' protocol names: {error.problem}"]
    if not changed:
        return []
    return [
        f"The records were made with other definitions than this auditkit has of {some_of(changed)}; audits are "
        "matched by their names."
    ]


def _identical(runs: Sequence[Contestant]) -> list[list[str]]:
    groups: list[list[Contestant]] = []
    for run in runs:
        for group in groups:
            if group[0].evidence.answers.columns == run.evidence.answers.columns:
                group.append(run)
                break
        else:
            groups.append([run])
    return [[run.label for run in group] for group in groups if len(group) > 1]
