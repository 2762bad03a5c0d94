"""Putting a run's record together: what was asked of what, thumbnails, limits, and the verdict of the whole."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from auditkit import tasks
from auditkit.ask.prefetch import pixel_condition
from auditkit.evidence import (
    Answers,
    Audit,
    CalibrationCurve,
    Data,
    EarlierProtocol,
    EmbeddingShift,
    Evidence,
    Example,
    LeftOutEntry,
    Level,
    LookInfo,
    ModelInfo,
    Outcomes,
    Probes,
    PromptInfo,
    ProtocolInfo,
    Reference,
    Run,
    ScoringInfo,
    Stratum,
    Subgroup,
    Verdict,
    overall,
)
from auditkit.images.record import UNKNOWN, ImageRecord
from auditkit.images.thumbnail import jpeg_thumbnail
from auditkit.judge.expected import scoring
from auditkit.judge.reliability import calibration_curves
from auditkit.judge.subgroups import subgroups
from auditkit.measure.recorded import data_sha256, to_answers
from auditkit.protocol.changes import changes
from auditkit.protocol.shipped import SHIPPED
from auditkit.run.session import AuditRun, all_left_out
from auditkit.version import code_version
from auditkit.vocabulary import CLEAN, Comparison, Condition, Series

MAX_LISTED = 200
MAX_EXAMPLE_IMAGES = 6
PACKAGES = ("pytest", "numpy", "scipy", "pillow", "pydicom", "torch", "transformers", "tokenizers")


def header(run: AuditRun, references: Sequence[Reference] = ()) -> dict[str, Any]:
    """Return everything of the evidence but the audits, as plain data that can cross process borders.

    Parameters
    ----------
    run : AuditRun
        Measured.
    references : sequence of Reference
        The earlier runs it was held against.
    """
    data = run.judge.data
    return {
        "run": {
            "started": run.started,
            "protocol_first_seen": run.protocol_first_seen,
            **_history(run),
            "probes": Probes(
                planned=run.tally.planned,
                asked=run.tally.asked,
                from_store=run.tally.held,
                errors=len(run.tally.errors),
                saved=max(run.plan.size() - run.tally.planned, 0) if run.looks_made else 0,
                seconds=round(run.tally.seconds, 1),
            ).model_dump(mode="json"),
        },
        "model": _model(run).model_dump(mode="json"),
        "protocol": _protocol(run).model_dump(mode="json"),
        "data": _data(run, data.records).model_dump(mode="json"),
        "prompts": [p.model_dump(mode="json") for p in _prompts(run)],
        "outcomes": data.total().model_dump(mode="json"),
        "examples": [e.model_dump(mode="json") for e in _examples(run)],
        "looks": [look.model_dump(mode="json") for look in run.looks_made],
        "embeddings": [shift.model_dump(mode="json") for shift in _embeddings(run)],
        "notes": _notes(run),
        "references": [reference.model_dump(mode="json") for reference in references],
        "subgroups": [group.model_dump(mode="json") for group in subgroups(data, run.plan)],
        "calibration": [curve.model_dump(mode="json") for curve in calibration_curves(data, run.plan)],
        "scoring": [info.model_dump(mode="json") for info in scoring(data)],
        "answers": to_answers(data, run.batch_size).model_dump(mode="json"),
    }


def _notes(run: AuditRun) -> list[str]:
    """What went wrong beside the answers."""
    failed = {} if run.embedded is None else run.embedded.errors
    if not failed:
        return []
    return [
        f"{len(failed)} of {run.embedded.planned if run.embedded else 0} embeddings could not be had; the first: "
        f"{next(iter(failed.values()))}. They are asked for again on the next run."
    ]


def _embeddings(run: AuditRun) -> list[EmbeddingShift]:
    """Measure how corruption moves the embeddings; imported here, because it takes SciPy."""
    if run.embedded is None:
        return []
    from auditkit.judge.embeddings import embedding_shifts

    return embedding_shifts(run.plan, run.model, run.judge.data, run.store, run.renderer)


def _history(run: AuditRun) -> dict[str, Any]:
    """Say when these criteria were first applied to these images, and which were applied to them before."""
    sha256, criteria = run.protocol_sha256, run.protocol.model_dump(mode="json")
    place = next(i for i, known in enumerate(run.judged_by) if known.sha256 == sha256)
    earlier = [
        EarlierProtocol(
            sha256=known.sha256,
            first_seen=known.first_seen,
            first_judged=known.first_judged,
            changes=changes(known.criteria, criteria),
        ).model_dump(mode="json")
        for known in run.judged_by[:place]
    ]
    return {"protocol_first_judged": run.judged_by[place].first_judged, "earlier_protocols": earlier}


def evidence(parts: Mapping[str, Any], audits: Sequence[Audit], *, run_id: str, command: str, root: Path) -> Evidence:
    """Return the record of a run.

    Parameters
    ----------
    parts : mapping
        What `header` gave.
    audits : sequence of Audit
        The judged audits, in any order.
    run_id, command : str
        For the provenance.
    root : pathlib.Path
        Where the git checkout is looked for.
    """
    ordered = sorted(audits, key=lambda audit: audit.id)
    ran = {audit.id for audit in ordered}
    references = [Reference(**r) for r in parts["references"]]
    declared = [f"{family}/{c.name}" for family, listed in SHIPPED.items() for c in listed()]
    declared += [f"{r.role}/{audit}" for r in references for audit in declared]
    not_run = sorted(set(declared) - ran)
    verdict, sentence = whole_verdict(ordered, not_run)
    return Evidence(
        run=Run(
            id=run_id,
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            command=command,
            git=_git(root),
            packages=_packages(),
            machine={
                "python": platform.python_version(),
                "system": f"{platform.system()} {platform.machine()}",
                "cores": os.cpu_count() or 0,
            },
            **parts["run"],
        ),
        model=ModelInfo(**parts["model"]),
        protocol=ProtocolInfo(**parts["protocol"]),
        data=Data(**parts["data"]),
        prompts=[PromptInfo(**p) for p in parts["prompts"]],
        outcomes=Outcomes(**parts["outcomes"]),
        audits=ordered,
        looks=[LookInfo(**look) for look in parts["looks"]],
        embeddings=[EmbeddingShift(**shift) for shift in parts["embeddings"]],
        scoring=[ScoringInfo(**info) for info in parts["scoring"]],
        references=references,
        subgroups=[Subgroup(**group) for group in parts["subgroups"]],
        calibration=[CalibrationCurve(**curve) for curve in parts["calibration"]],
        answers=Answers(**parts["answers"]),
        not_run=not_run,
        examples=[Example(**e) for e in parts["examples"]],
        verdict=verdict,
        sentence=sentence,
        limits=[*parts["model"]["limits"], *parts["notes"], *_limits(Data(**parts["data"]), ordered)],
    )


def whole_verdict(audits: Sequence[Audit], not_run: Sequence[str]) -> tuple[Verdict, str]:
    """Return the verdict of the whole run and its sentence; a part of the declared audits never passes."""
    verdict = overall(audit.verdict for audit in audits)
    counts = Counter(audit.verdict for audit in audits)
    listed = ", ".join(f"{counts[v]} {v}" for v in ("PASS", "FAIL", "INCONCLUSIVE", "ERROR") if counts[v])
    if not audits:
        return "INCONCLUSIVE", "No audit was run, so nothing was shown."
    if not_run:
        part = f"{listed} of {len(audits)} audits run; {len(not_run)} declared audits were not run"
        if verdict == "PASS":
            return "INCONCLUSIVE", f"{part}, so this is no verdict on the whole protocol."
        return verdict, f"{part}."
    closing = {
        "PASS": "every declared criterion was met",
        "FAIL": "the model does not meet the declared criteria",
        "INCONCLUSIVE": "these data do not decide every question, and undecided is not a pass",
        "ERROR": "some questions got no answer; run again to ask them",
    }[verdict]
    return verdict, f"{listed} of {len(audits)} audits: {closing}."


def _limits(data: Data, audits: Sequence[Audit]) -> list[str]:
    limits = [
        "The verdict is about this model, these prompts, these images and these corruptions; it supports a decision, "
        "it does not establish safety.",
        "Effects reported in the literature are 1 to 9 points; telling them from zero takes hundreds of patients per "
        "modality. Margins smaller than the one printed beside an audit could not have been passed with these data.",
        "Corruptions are simulated with parameters made for photographs (ImageNet-C); equal severities of different "
        "corruptions are not equally strong. The measured similarity (SSIM) stands beside every picture.",
    ]
    if data.synthetic_share:
        limits.append(
            f"{100 * data.synthetic_share:.0f} % of the images are synthetic phantoms: results on them say nothing "
            "about patients."
        )
    few = [s.modality for s in data.modalities if s.n_clusters < 24]
    if few:
        limits.append(f"Too few patients for any pass by rule: {', '.join(few)}.")
    if any(audit.outcomes.refused or audit.outcomes.unparsed for audit in audits):
        limits.append(
            "Some answers gave no score. They are counted as outcomes; a pass had to survive putting the missing "
            "scores to the bad side."
        )
    return limits


def _model(run: AuditRun) -> ModelInfo:
    model = run.model
    return ModelInfo(
        name=str(getattr(model, "name", run.settings.model)),
        family=str(getattr(model, "family", "")),
        revision=str(getattr(model, "revision", "")),
        fingerprint=str(getattr(model, "fingerprint", "")),
        backend=str(getattr(model, "backend", type(model).__name__)),
        description=str(getattr(model, "description", "")),
        limits=[str(sentence) for sentence in getattr(model, "limits", ())],
    )


def _protocol(run: AuditRun) -> ProtocolInfo:
    protocol = run.protocol
    return ProtocolInfo(
        name=protocol.name,
        sha256=run.protocol_sha256,
        profile=protocol.profile,
        alpha=protocol.alpha,
        criteria=protocol.model_dump(mode="json"),
        parts=protocol.parts(),
        toml=protocol.source,
    )


def _data(run: AuditRun, records: Sequence[ImageRecord]) -> Data:
    modalities = []
    for modality in sorted({r.modality for r in records}):
        some = [r for r in records if r.modality == modality]
        modalities.append(
            Stratum(
                modality=modality,
                n_images=len(some),
                n_clusters=len({r.cluster for r in some}),
                n_synthetic=sum(r.synthetic for r in some),
            )
        )
    left_out = all_left_out(run)
    return Data(
        source=run.settings.data if run.settings.data == "demo" else Path(run.settings.data).name,
        n_images=len(records),
        n_clusters=len({r.cluster for r in records}),
        modalities=modalities,
        synthetic_share=sum(r.synthetic for r in records) / max(len(records), 1),
        sources=dict(sorted(Counter(r.source for r in records).items())),
        licences=dict(sorted(Counter(r.licence for r in records).items())),
        left_out=[LeftOutEntry(name=e.name, reason=e.reason) for e in left_out[:MAX_LISTED]],
        n_left_out=len(left_out),
        notice=run.images.notice,
        limited_to=run.settings.limit,
        sha256=data_sha256(r.content for r in records),
        strata=strata(records),
    )


def strata(records: Sequence[ImageRecord]) -> dict[str, list[Level]]:
    """Count the levels of every attribute the source knows of any image; an image without a value is ``unknown``."""
    result = {}
    for attribute in sorted({name for r in records for name in r.attributes}):
        groups: dict[str, list[ImageRecord]] = {}
        for record in records:
            groups.setdefault(record.attributes.get(attribute) or UNKNOWN, []).append(record)
        result[attribute] = [
            Level(name=name, n_images=len(some), n_clusters=len({r.cluster for r in some}))
            for name, some in sorted(groups.items())
        ]
    return result


def _prompts(run: AuditRun) -> list[PromptInfo]:
    used = dict.fromkeys(run.protocol.resolve_template(c.template) for c in run.plan.comparisons)
    known = tasks.templates()
    return [
        PromptInfo(id=t, format=known[t].format, system=known[t].system, text=tasks.render(t).user)
        for t in sorted(used)
    ]


def _examples(run: AuditRun) -> list[Example]:
    """One image of each of several modalities, clean and under every corruption of the plan's series."""
    series: dict[str, Comparison] = {c.corruption: c for c in run.plan.comparisons if isinstance(c, Series)}
    if not series:
        return []
    chosen = _shown_images(run.judge.data.records)
    template = run.protocol.resolve_template("@score")
    examples = []
    for index, record in chosen:
        conditions = [Condition()] + [c for s in series.values() if isinstance(s, Series) for c in s.treated]
        digest = run.store.sources([record.content])[record.content]
        known = run.renderer.known(digest, {pixel_condition(c) for c in conditions})
        for condition in conditions:
            pixels = run.renderer.pixels(record, digest, condition)
            rendered = known.get(condition)
            score = float(run.judge.data.column(condition, template).scores[index])
            examples.append(
                Example(
                    image=record.id,
                    modality=record.modality,
                    synthetic=record.synthetic,
                    corruption=condition.corruption,
                    severity=condition.severity,
                    ssim=None if condition.corruption == CLEAN or rendered is None else rendered.ssim,
                    psnr=None if rendered is None else rendered.psnr,
                    score=score,
                    jpeg=jpeg_thumbnail(pixels),
                )
            )
    return examples


def _shown_images(records: Sequence[ImageRecord]) -> list[tuple[int, ImageRecord]]:
    """The first image of each modality, real ones before phantoms, modalities with real images first."""
    best: dict[str, tuple[int, ImageRecord]] = {}
    for index, record in enumerate(records):
        held = best.get(record.modality)
        if held is None or (held[1].synthetic and not record.synthetic):
            best[record.modality] = (index, record)
    return sorted(best.values(), key=lambda pair: (pair[1].synthetic, pair[1].modality))[:MAX_EXAMPLE_IMAGES]


def _packages() -> dict[str, str]:
    found = {"python": sys.version.split()[0]}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found | {"auditkit": code_version()}


def _git(root: Path) -> dict[str, str | bool | None]:
    def ask(*arguments: str) -> str | None:
        try:
            done = subprocess.run(  # noqa: S603 - fixed arguments
                ["git", "-C", str(root), *arguments],  # noqa: S607 - git from the PATH is the one the user uses
                capture_output=True,
                text=True,
                timeout=10,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip()

    commit = ask("rev-parse", "HEAD")
    if commit is None:
        return {}
    return {"commit": commit, "dirty": bool(ask("status", "--porcelain"))}
