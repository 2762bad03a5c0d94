"""From the records of a model's runs to its history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from auditkit.errors import AuditkitError
from auditkit.evidence import VERDICTS, Evidence
from auditkit.evidence.history import History, LeftOut, PastData, PastProtocol, PastRun
from auditkit.judge.rules import seed_for
from auditkit.judge.versions import STATISTIC
from auditkit.protocol.changes import changed_entries, changes
from auditkit.records.compare.joint import Settings
from auditkit.records.history.alike import Runs
from auditkit.records.history.find import Found
from auditkit.records.history.monitor import monitored
from auditkit.records.history.sentences import notes_of, sentences_of
from auditkit.records.history.series import ANCHOR, events, series
from auditkit.records.history.trends import trends
from auditkit.words import some_of

SHOWN = 6


def history(
    found: Sequence[Found],
    folder: Path,
    left_out: Sequence[LeftOut] = (),
    others: Mapping[str, int] | None = None,
    *,
    monitor: bool = False,
) -> History:
    """Return the history of one model.

    Parameters
    ----------
    found : sequence of Found
        Its runs in time.
    folder : pathlib.Path
        Where they were found; for the page.
    left_out : sequence of LeftOut
        Files there that were not used.
    others : mapping of str to int, optional
        Runs of other models there.
    monitor : bool
        Whether to add the bands over new patients.

    Raises
    ------
    AuditkitError
        When there are fewer than two runs, or this auditkit cannot use the criteria of the last one.
    """
    if len(found) < 2:
        name = found[0].evidence.model.name if found else "the model"
        only = f"one run ({found[0].path})" if found else "no run"
        why = f" {len(left_out)} files were left out: {left_out[0].path}: {left_out[0].why}." if left_out else ""
        raise AuditkitError(
            f"there is {only} of {name} in {folder}, and a history takes two or more.{why}",
            f"Its report is beside it; run the audits again later: auditkit run --model {name}",
        )
    evidences = [one.evidence for one in found]
    runs = Runs(evidences)
    protocol = runs.protocol(len(found) - 1)
    if protocol is None:
        raise AuditkitError(
            f"the criteria in {found[-1].path} cannot be used by this auditkit.",
            "Make the history with the auditkit that wrote the last record.",
        )
    versions = _versions(evidences)
    settings = Settings.of(protocol, seed_for(protocol.seed, "history"))
    audits = series(runs)
    happened = events(runs)
    lines = trends(runs, versions, audits, happened, settings)
    audits = [audit.model_copy(update={"trend": lines.get(audit.id)}) for audit in audits]
    made = History(
        model=evidences[-1].model,
        folder=str(folder),
        alpha=protocol.alpha,
        seed=protocol.seed,
        resamples=settings.resamples,
        runs=[_run(n, found, versions[n], runs) for n in range(len(found))],
        protocols=_protocols(runs),
        data=_data(runs),
        audits=audits,
        anchored=series(runs, anchored=True),
        events=happened,
        monitored=monitored(runs, versions) if monitor else [],
        monitor=monitor,
        left_out=list(left_out),
        other_models=dict(others or {}),
    )
    return made.model_copy(update={"sentences": sentences_of(made), "notes": notes_of(made)})


def _versions(evidences: Sequence[Evidence]) -> list[int]:
    """Return the place of every run's version in order of first appearance, from 1."""
    keys = [(evidence.model.revision, evidence.model.fingerprint) for evidence in evidences]
    order = list(dict.fromkeys(keys))
    return [order.index(key) + 1 for key in keys]


def _run(number: int, found: Sequence[Found], version: int, runs: Runs) -> PastRun:
    evidence = found[number].evidence
    counts = Counter(audit.verdict for audit in evidence.deciding if audit.statistic != STATISTIC)
    anchors = [reference for reference in evidence.references if reference.role == ANCHOR]
    return PastRun(
        number=number + 1,
        run=evidence.run.id,
        path=found[number].path,
        finished=evidence.run.finished,
        version=version,
        revision=evidence.model.revision,
        fingerprint=evidence.model.fingerprint,
        verdict=evidence.verdict,
        counts={verdict: counts[verdict] for verdict in VERDICTS},
        n_not_run=len(evidence.not_run),
        protocol=runs.protocols[number],
        data=runs.data[number],
        outcomes=evidence.outcomes,
        anchor=anchors[0].run if anchors else "",
        anchor_run=next((n + 1 for n, one in enumerate(found) if anchors and one.evidence.run.id == anchors[0].run), 0),
    )


def _protocols(runs: Runs) -> list[PastProtocol]:
    found = []
    for name in dict.fromkeys(runs.protocols):
        first = runs.protocols.index(name)
        info = runs.evidences[first].protocol
        found.append(
            PastProtocol(
                letter=name,
                name=info.name,
                profile=info.profile,
                sha256=info.sha256,
                alpha=info.alpha,
                first_run=first + 1,
                changes=_changes(runs.evidences[first - 1], runs.evidences[first]) if first else [],
            )
        )
    return found


def _changes(before: Evidence, after: Evidence) -> list[str]:
    then, now = before.protocol, after.protocol
    lines = changes(then.criteria, now.criteria) if then.criteria != now.criteria else []
    more = [f"and {len(lines) - SHOWN} more criteria"] if len(lines) > SHOWN else []
    entries = changed_entries(then.entries, now.entries)
    asked = [f"defined otherwise, added or left out: {some_of(entries)}"] if entries else []
    return [*lines[:SHOWN], *more, *asked]


def _data(runs: Runs) -> list[PastData]:
    found = []
    for name in dict.fromkeys(runs.data):
        first = runs.data.index(name)
        data = runs.evidences[first].data
        found.append(
            PastData(
                letter=name,
                source=data.source,
                n_images=data.n_images,
                n_clusters=data.n_clusters,
                sha256=data.sha256,
                first_run=first + 1,
                notice=data.notice,
                synthetic_share=data.synthetic_share,
            )
        )
    return found
