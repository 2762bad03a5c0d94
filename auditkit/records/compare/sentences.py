"""What a comparison says in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.evidence import Estimate
from auditkit.evidence.comparison import ComparedAudit, Correlation, Standing
from auditkit.judge.wording import number
from auditkit.protocol.model import Protocol
from auditkit.records.compare.runs import Contestant

SHOWN = 4


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
    """A number that is no change carries no plus."""
    return number(estimate.value, estimate.unit).lstrip("+")


def audits_sentence(audits: Sequence[ComparedAudit]) -> str:
    """Count the audits in which models differ."""
    measured = [a for a in audits if a.what]
    apart = sum(any(d.apart for d in a.differences) for a in measured)
    differ = sum(len({m.verdict for m in a.models if m.verdict}) > 1 for a in audits)
    return (
        f"Audits: at least two models are told apart in {apart} of {len(measured)}; the verdicts differ in {differ} of "
        f"{len(audits)}. A verdict that differs is no difference shown: one may have missed its limit by a hair."
    )


def correlation_sentence(correlations: Sequence[Correlation]) -> list[str]:
    """Say between which bounds the models order images alike within strata; nothing where it was not measured."""
    whole = [c for c in correlations if (c.modality, c.corruption) == ("all", "all") and c.estimate.value is not None]
    if not whole:
        return []
    lead = "Order of the images within modality, corruption and severity: Spearman's coefficient"
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
        more = f" and {len(verdicts_only) - SHOWN} more" if len(verdicts_only) > SHOWN else ""
        found.append(
            f"Compared by recorded verdict and estimate only, because their definition is not among those shipped or "
            f"nothing was scored: {', '.join(verdicts_only[:SHOWN])}{more}."
        )
    parts, now = runs[0].evidence.protocol.parts, protocol.parts()
    if any(parts.get(name, now[name]) != now[name] for name in ("prompts", "corruptions")):
        found.append(
            "The records were made with another wording of prompts or other corruptions than this auditkit ships; "
            "audits are matched by their names."
        )
    unknown = [run.label for run in runs if not run.evidence.model.family]
    if unknown:
        found.append(f"Family not known, so kinship of models cannot be said: {', '.join(unknown)}.")
    return found


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


def and_listed(names: Sequence[str]) -> str:
    """Join names: ``A, B and C``."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
