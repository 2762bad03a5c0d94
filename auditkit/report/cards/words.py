"""What both cards say, as Markdown, of the run, its data, results and limits; what is not known is said to be so."""

from __future__ import annotations

from collections.abc import Iterable

from auditkit.evidence import VERDICTS, Audit, Estimate, Evidence
from auditkit.report.cards.markdown import bullets, escaped
from auditkit.report.gaps import groups
from auditkit.report.views import UNKNOWN, families, unwanted, verdict_counts
from auditkit.words import (
    OUTCOME_NAMES,
    Scale,
    audit_name,
    beside_name,
    column_name,
    count,
    how_given,
    limit_words,
    modality_name,
    moment,
    people_sentences,
    percent,
    region,
    region_words,
    scale_of,
    whole,
)

NOT_STATED = "not stated"
SHOWN = 5
"""Audits of a family that a card lists at most."""
RULE = (
    f"Up to {SHOWN} audits of each family are listed: the worst verdicts first, then those closest to their limit. "
    "An estimate is over all modalities; the verdict rests on each of them."
)


def stated(text: object) -> str:
    """Return foreign text escaped, or that it was not stated."""
    return escaped(str(text or "").strip()) or NOT_STATED


def intended(evidence: Evidence, key: str) -> str:
    """Return one entry of the protocol's intended use (``purpose``, ``users``, ``population``, ``out_of_scope``)."""
    use = evidence.protocol.criteria.get("intended_use")
    return stated(use.get(key) if isinstance(use, dict) else "")


def conclusion(evidence: Evidence) -> str:
    """Return the verdict of the run and its sentence."""
    return f"{evidence.verdict}: {escaped(evidence.sentence)}"


def counted(audits: Iterable[Audit]) -> str:
    """Return verdicts with their counts, those that occurred: ``5 PASS, 2 FAIL, 3 INCONCLUSIVE``."""
    return ", ".join(f"{whole(n)} {verdict}" for verdict, n in verdict_counts(audits).items() if n)


def data(evidence: Evidence) -> str:
    """Return what the model was shown. The source's own name may be a path of somebody's disk and stays out."""
    given = evidence.data
    synthetic = sum(stratum.n_synthetic for stratum in given.modalities)
    kinds = ", ".join(f"{escaped(modality_name(s.modality))} {whole(s.n_images)}" for s in given.modalities)
    parts = [
        f"{count(given.n_images, 'image')} in {count(given.n_clusters, 'cluster')} (patients, studies or files), "
        f"{whole(synthetic)} of them synthetic phantoms.",
        f"Modalities: {kinds or NOT_STATED}.",
        f"Origins: {_counts(given.sources)}.",
        f"Licences of the images: {_counts(given.licences)}.",
        f"SHA-256 over the images: {stated(given.sha256)}.",
    ]
    parts += [escaped(sentence) for sentence in people_sentences(given.units)]
    if given.n_left_out:
        parts.append(f"{count(given.n_left_out, 'file was', 'files were')} left out.")
    if given.limited_to is not None:
        parts.append(f"Only a part of the patients was taken (limit {whole(given.limited_to)}).")
    if given.notice:
        parts.append(escaped(given.notice))
    return " ".join(parts)


def _counts(named: dict[str, int]) -> str:
    return ", ".join(f"{escaped(name)} {whole(n)}" for name, n in named.items()) or NOT_STATED


def known_strata(evidence: Evidence) -> str:
    """Return for how many images sex, age, site and the like are known."""
    total = evidence.data.n_images
    known = {
        name: sum(level.n_images for level in levels if level.name != UNKNOWN)
        for name, levels in evidence.data.strata.items()
    }
    if not known or not total:
        return "Strata of patients and equipment: not stated."
    parts = ", ".join(f"{escaped(column_name(name))} {percent(n / total, 0)}" for name, n in sorted(known.items()))
    return f"Share of the images for which it is known: {parts}."


def procedure(evidence: Evidence) -> str:
    """Return how it was tested, and by which criteria."""
    protocol, run = evidence.protocol, evidence.run
    first = f", first seen {moment(run.protocol_first_seen)}" if run.protocol_first_seen else ""
    alpha = NOT_STATED if protocol.alpha is None else f"{protocol.alpha:g}"
    text = (
        f"Criteria were declared before the run (protocol SHA-256 {stated(protocol.sha256)}{first}; error rate {alpha} "
        "per side). Conditions are compared within the image, over clusters; Holm's correction within each family of "
        "audits; a pass needs the whole interval on the accepted side."
    )
    if run.earlier_protocols:
        n = count(len(run.earlier_protocols), "earlier protocol")
        text += f" The protocol was changed after the same model and images had been judged ({n})."
    return text


def outcomes(evidence: Evidence) -> str:
    """Return how the answers ended; none is dropped."""
    given = evidence.outcomes
    if not given.total:
        return "No answer was counted."
    parts = [f"{whole(getattr(given, k))} {v.lower()}" for k, v in OUTCOME_NAMES.items()]
    return f"{count(given.total, 'answer')}: {', '.join(parts)}."


def effect(audit: Audit) -> str:
    """Return an audit's estimate with its interval."""
    return escaped(scale_of(audit).full(audit.estimate))


def limit(audit: Audit) -> str:
    """Return the accepted region of an audit where it is the same for its cells."""
    low, high = region(None, audit)
    if low is None and high is None:
        if not limit_words(audit):
            return NOT_STATED
        return f"{escaped(limit_words(audit))}; differs between cells"
    return escaped(region_words(low, high, scale_of(audit)))


def listed(evidence: Evidence) -> list[tuple[str, str, list[Audit], list[Audit]]]:
    """Return for each family its name, its question, the audits a card lists, and all of them."""
    return [(f.name, f.heading, sorted(f.audits, key=_worst_first)[:SHOWN], list(f.audits)) for f in families(evidence)]


def _worst_first(audit: Audit) -> tuple[int, float, float, str]:
    """Worst verdict first; among equals the weakest claim that the limit is kept, not the largest effect."""
    unclear = 1.0 if audit.p_pass is None else audit.p_pass
    return VERDICTS.index(audit.verdict), -unclear, -unwanted(audit), audit.id


def not_passed(audits: Iterable[Audit]) -> list[str]:
    """Return a line for every audit that failed, is undecided or ended in an error."""
    return [
        f"{audit.verdict}, {escaped(audit_name(audit))} ({escaped(audit.id)}): {escaped(audit.sentence)}"
        for audit in audits
        if audit.verdict != "PASS" and not audit.shown
    ]


def gaps(evidence: Evidence) -> list[tuple[str, Estimate, str]]:
    """Return what is compared between the levels of a column, the largest gap between two, and what can be told."""
    every = [(group, gap) for group in groups(evidence) for gap in group.gaps]
    return [(f"{gap.name} by {group.name.lower()}", gap.estimate, gap.sentence) for group, gap in every]


def difference(estimate: Estimate) -> str:
    """Return a largest difference with its interval."""
    return escaped(Scale(estimate.unit, signed=True).full(estimate))


def references(evidence: Evidence) -> list[str]:
    """Return a line for every earlier run that this one was held against."""
    return [
        f"{escaped(r.role)}: run {escaped(r.run)} of {escaped(f'{r.model} {r.revision}')}, "
        + (
            f"cannot be compared: {escaped(r.problem)}"
            if r.problem
            else f"{whole(r.n_answers)} answers on both sides, {whole(r.n_same)} of them equal."
        )
        for r in evidence.references
    ]


def beside(evidence: Evidence) -> list[str]:
    """Return a line for every other model whose answers count."""
    return [
        escaped(f"{m.role}: {beside_name(m)}, {how_given(m)}; fingerprint {m.fingerprint or NOT_STATED}")
        for m in evidence.models
    ]


def limits(evidence: Evidence) -> list[str]:
    """Return what this run and this kind of model cannot tell."""
    said = [escaped(line) for line in (*evidence.limits, *evidence.model.limits)]
    if evidence.not_run:
        said.append(f"{count(len(evidence.not_run), 'declared audit was', 'declared audits were')} not run.")
    return said


def paragraph(*parts: str) -> str:
    """Join the parts that say something, as paragraphs."""
    return "\n\n".join(part for part in parts if part)


def listing(lines: Iterable[str], otherwise: str) -> str:
    """Return lines as a list, or what to say when there are none."""
    return bullets(lines) or otherwise
