"""A section for a model card on the Hugging Face Hub: the ``model-index`` for machines, and the same for people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from auditkit.evidence import Audit, Evidence
from auditkit.report.cards import words
from auditkit.report.cards.markdown import escaped, table
from auditkit.report.cards.words import NOT_STATED, listing, paragraph, stated
from auditkit.report.views import verdict_counts
from auditkit.words import VERDICT_ORDER, audit_name, count, moment, scale_of, visible, whole

TASK = "image-text-to-text"
Yaml = str | int | float | bool | Mapping[str, "Yaml"] | Sequence["Yaml"]


def huggingface_card(evidence: Evidence, record: bytes, source_url: str | None = None) -> str:
    """Return Markdown with a YAML block in front.

    Parameters
    ----------
    evidence : Evidence
        The record of a run.
    record : bytes
        The file it was read from; its SHA-256 is stated, so that readers can tell which record this is.
    source_url : str, optional
        Where readers can get the record. Without it the ``model-index`` names no source: the Hub takes none without
        an address.

    Returns
    -------
    str
        Metrics are marked ``verified: false`` (self-reported). Audits without an estimate are not in the
        ``model-index``, which needs a number; the section for people has them.
    """
    block: dict[str, Yaml] = {"tags": ["medical-imaging", "robustness", "auditkit"]}
    if results := _results(evidence, source_url):  # an empty model-index is refused by the Hub
        block["model-index"] = [{"name": visible(evidence.model.name or NOT_STATED), "results": results}]
    return f"---\n{_yaml(block)}---\n\n{_section(evidence, hashlib.sha256(record).hexdigest())}\n"


def _results(evidence: Evidence, source_url: str | None) -> list[Yaml]:
    data = evidence.data
    synthetic = sum(stratum.n_synthetic for stratum in data.modalities)
    dataset = {
        "type": "auditkit-images",
        "name": f"{count(data.n_images, 'image')}, {whole(synthetic)} of them phantoms",
        **({"revision": visible(data.sha256)} if data.sha256 else {}),
    }
    source = (
        {"source": {"name": visible(f"auditkit run {evidence.run.id}"), "url": visible(source_url)}}
        if source_url
        else {}
    )
    return [
        {
            "task": {"type": TASK, "name": visible(question)},
            "dataset": dataset,
            "metrics": [metric for audit in shown for metric in _metric(audit)],
            **source,
        }
        for _, question, shown, _ in words.listed(evidence)
        if any(audit.estimate.value is not None for audit in shown)
    ]


def _metric(audit: Audit) -> list[Yaml]:
    """An audit's estimate. Types are auditkit's own: an AUROC of clean against corrupted is not AUROC of disease."""
    if audit.estimate.value is None:
        return []
    scale = scale_of(audit)
    name = f"{audit_name(audit)}: {audit.verdict}, {scale.full(audit.estimate)}, {count(audit.n_clusters, 'cluster')}"
    return [
        {
            "type": visible(f"auditkit-{audit.statistic}-{audit.quantity}"),
            "value": audit.estimate.value,
            "name": visible(name),
            "verified": False,
        }
    ]


def _yaml(value: Yaml, indent: str = "") -> str:
    """Write YAML in block style.

    Strings are JSON strings, which YAML reads as they are; numbers are written without an exponent, as YAML 1.1 takes
    ``1e-06`` for a word.
    """
    lines = ""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            lines += f"{indent}{key}:{_after(inner, indent)}"
    elif not isinstance(value, str) and isinstance(value, Sequence):
        for inner in value:
            nested = not isinstance(inner, str) and isinstance(inner, (Mapping, Sequence))
            lines += (
                f"{indent}- {_yaml(inner, indent + '  ').lstrip(' ')}" if nested else f"{indent}- {_scalar(inner)}\n"
            )
    return lines


def _after(inner: Yaml, indent: str) -> str:
    if isinstance(inner, (str, int, float)):
        return f" {_scalar(inner)}\n"
    return f"\n{_yaml(inner, indent + '  ')}"


def _scalar(value: object) -> str:
    if isinstance(value, float):
        whole_part, _, decimals = f"{value:.6f}".partition(".")
        return f"{whole_part}.{decimals.rstrip('0') or '0'}"
    return json.dumps(value, ensure_ascii=False)


def _section(evidence: Evidence, record_sha256: str) -> str:
    run = evidence.run
    finished = moment(run.finished) if run.finished else NOT_STATED
    return paragraph(
        "## Audit of robustness and bias",
        f"**{words.conclusion(evidence)}**",
        f"Model {stated(evidence.model.name)}, revision {stated(evidence.model.revision)}, audited by "
        f"auditkit on {escaped(finished)}. INCONCLUSIVE means that the data cannot tell; "
        "it is not a pass. These results are self-reported; they support, and do not establish, conformity or safety.",
        "### Intended use",
        table(
            ("", "As the protocol states it"),
            [
                (name, words.intended(evidence, key))
                for name, key in (
                    ("Purpose", "purpose"),
                    ("Users", "users"),
                    ("Population", "population"),
                    ("Out of scope", "out_of_scope"),
                )
            ],
        ),
        "### Data of the audit",
        words.data(evidence),
        words.known_strata(evidence),
        "### Results",
        _verdicts(evidence),
        words.RULE,
        _audits(evidence),
        f"Answers: {words.outcomes(evidence)}",
        _subgroups(evidence),
        _references(evidence),
        "### Limits",
        listing(words.limits(evidence), "None stated."),
        "### Provenance of the audit",
        words.procedure(evidence),
        listing(
            [
                f"Run {stated(run.id)}; SHA-256 of its record (`evidence.json`): {record_sha256}",
                f"Fingerprint of the model: {stated(evidence.model.fingerprint)}",
                *words.beside(evidence),
                f"auditkit {stated(run.packages.get('auditkit'))}; commit {stated(run.git.get('commit'))}",
            ],
            "",
        ),
    )


def _verdicts(evidence: Evidence) -> str:
    rows = [
        (escaped(f"{question} ({name})"), *(whole(n) for n in verdict_counts(everyone).values()))
        for name, question, _, everyone in words.listed(evidence)
    ]
    return table(("Question (family)", *VERDICT_ORDER), rows) if rows else "No audit was run."


def _audits(evidence: Evidence) -> str:
    rows = [
        (
            escaped(f"{audit_name(audit)} ({audit.id})"),
            audit.verdict,
            words.effect(audit),
            words.limit(audit),
            f"{whole(audit.n_images)} / {whole(audit.n_clusters)}",
        )
        for _, _, shown, _ in words.listed(evidence)
        for audit in shown
    ]
    return table(("Audit", "Verdict", "Estimate", "Accepted", "Images / clusters"), rows) if rows else ""


def _subgroups(evidence: Evidence) -> str:
    rows = [(escaped(name), words.difference(gap), escaped(sentence)) for name, gap, sentence in words.gaps(evidence)]
    if not rows:
        return "Results by subgroup: not measured."
    gates = any(audit.between and not audit.shown for audit in evidence.audits)
    rest = "with the verdicts above" if gates else "for information; no verdict rests on them"
    return paragraph(
        f"Results by subgroup, {rest}:",
        table(("What is compared", "Largest difference", "What can be told"), rows),
    )


def _references(evidence: Evidence) -> str:
    held = words.references(evidence)
    return paragraph("Held against earlier runs:", listing(held, "")) if held else "Held against no earlier version."
