"""What can be said of a model's runs in time, and what readers must know of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from auditkit.evidence.history import Event, History, PastAudit, Trend
from auditkit.words import Scale, and_listed, count, moment, p_equals, percent, plain_name, some_of

MOST = 4


def named(audit: PastAudit) -> str:
    """Return what an audit is called in a sentence: its family and its title."""
    return f"{plain_name(audit.family)}: {audit.title}"


def trend_sentence(audit: PastAudit, trend: Trend) -> str:
    """Say how far a line rises and what stands behind it."""
    scale = Scale(audit.unit, signed=True)
    side = {"worse": "for the worse", "better": "for the better", "": "(no limit says which way is worse)"}[
        trend.direction
    ]
    share = "" if trend.of_limit is None else f", {percent(trend.of_limit, 0)} of the limit"
    fit = "" if trend.fit is None else f"; a line explains {percent(trend.fit, 0)} of how the versions differ"
    return (
        f"{named(audit)}: drifts {side} by {scale.full(trend.estimate)} from run {trend.runs[0]} to run "
        f"{trend.runs[-1]}{share}, {p_equals(trend.p if trend.p is not None else 1.0)} corrected over all audits{fit}."
    )


def sentences_of(history: History) -> list[str]:
    """Return what can be said: the runs, the last of them, what got worse when, what drifts, the anchor."""
    runs = history.runs
    first, last = runs[0], runs[-1]
    counts = ", ".join(f"{n} {verdict}" for verdict, n in last.counts.items() if n)
    found = [
        f"{count(len(runs), 'run')} of {count(max(run.version for run in runs), 'version')}, from "
        f"{moment(first.finished)} to {moment(last.finished)}; the last is {last.verdict} ({counts or 'no audit'})."
    ]
    found += _worse(history)
    found += _moved(history)
    found += _against(history)
    found += _drift(history)
    found += _anchor(history)
    found += _monitor(history)
    return found


def notes_of(history: History) -> list[str]:
    """Return what must be known before runs are held beside one another."""
    notes = []
    if len(history.protocols) > 1:
        later = [f"{p.letter} from run {p.first_run}" for p in history.protocols[1:]]
        notes.append(
            f"The protocol changed: {and_listed(later)} (before: A). A line joins an audit's effects where the change "
            "did not touch what it measures; verdicts by another limit are marked."
        )
    if len(history.data) > 1:
        sets = [f"{d.letter} ({d.n_images} images, from run {d.first_run})" for d in history.data]
        notes.append(
            f"The runs are on {len(sets)} sets of images: {some_of(sets, 6)}. No line joins effects on two sets."
        )
    partial = [str(run.number) for run in history.runs if run.n_not_run]
    if partial:
        who = "Run" if len(partial) == 1 else "Runs"
        what = "is a part" if len(partial) == 1 else "are parts"
        notes.append(
            f"{who} {and_listed(partial)} {what} of the declared audits: what was not run is missing there, and the "
            "counts are of fewer audits."
        )
    versions = Counter(run.version for run in history.runs)
    again = sorted(version for version, n in versions.items() if n > 1)
    if again:
        notes.append(f"Of {and_listed([f'version {v}' for v in again])} there are several runs.")
    if any(not (run.revision or run.fingerprint) for run in history.runs):
        notes.append(
            "Runs without revision and fingerprint count as one version: whether the model was the same is not known."
        )
    if history.left_out:
        files = count(len(history.left_out), "file was", "files were")
        notes.append(f"{files} left out, for the reasons in the section Left out.")
    if history.other_models:
        others = [f"{name} ({n})" for name, n in history.other_models.items()]
        notes.append(f"Not shown: runs of other models in the same folder: {some_of(others, 8)}.")
    return notes


def _listed(events: Sequence[Event]) -> str:
    """Name the audits of some events, run by run."""
    titles = list(dict.fromkeys(f"{plain_name(event.audit.split('/')[0])}: {event.title}" for event in events))
    shown = "; ".join(titles[:MOST])
    return shown + (f"; and {len(titles) - MOST} more" if len(titles) > MOST else "")


def _worse(history: History) -> list[str]:
    """Say in which run which verdicts got worse."""
    worse = [event for event in history.events if event.kind == "verdict"]
    clear = [event for event in worse if not event.caveat]
    if not worse:
        return ["No audit's verdict got worse from one run to the next."]
    found = []
    for run in sorted({event.run for event in clear}):
        own = [event for event in clear if event.run == run]
        found.append(f"Worse first in run {run}, with nothing but the model changed: {_listed(own)}.")
    if len(found) > 2 * MOST:
        found = [*found[: 2 * MOST], f"And in {len(found) - 2 * MOST} further runs; see the table."]
    rest = len(worse) - len(clear)
    if rest:
        where = sorted({event.run for event in worse if event.caveat})
        runs = f"{'run' if len(where) == 1 else 'runs'} {and_listed([str(run) for run in where])}"
        verdicts = "1 verdict is" if rest == 1 else f"{rest} verdicts are"
        found.append(f"{verdicts} worse in {runs}, where data or criteria changed too: see the table.")
    return found


def _moved(history: History) -> list[str]:
    moved = [e for e in history.events if e.kind == "interval" and e.direction == "worse" and not e.caveat]
    return [
        f"The effect's interval left that of the run before, for the worse, in run {run}: "
        f"{_listed([event for event in moved if event.run == run])}."
        for run in sorted({event.run for event in moved})[: 2 * MOST]
    ]


def _against(history: History) -> list[str]:
    found = []
    for kind, words in (("baseline", "the version before it"), ("anchor", "its anchor")):
        own = [event for event in history.events if event.kind == kind]
        for run in sorted({event.run for event in own})[: 2 * MOST]:
            listed = _listed([event for event in own if event.run == run])
            found.append(f"Run {run} was found worse than {words} by more than the margin: {listed}.")
    return found


def _drift(history: History) -> list[str]:
    known = [(audit, audit.trend) for audit in history.audits if audit.trend is not None]
    if not known:
        return ["No trend can be drawn: that takes three versions with the same audits on the same images."]
    named_ones = [(audit, trend) for audit, trend in known if trend.slow]
    named_ones.sort(key=lambda pair: (pair[1].direction != "worse", pair[1].p or 0.0, -(pair[1].of_limit or 0.0)))
    if not named_ones:
        return [f"No slow drift is told from chance in {count(len(known), 'audit')} with a trend."]
    shown = [f"Slow drift: {trend_sentence(audit, trend)}" for audit, trend in named_ones[:MOST]]
    more = len(named_ones) - MOST
    return (
        [*shown, f"And {count(more, 'further audit drifts', 'further audits drift')}: see the table."]
        if more > 0
        else shown
    )


def _monitor(history: History) -> list[str]:
    """Say which bands left what is accepted, and that nothing rests on it."""
    if not history.monitor:
        return []
    if not history.monitored:
        return ["New patients: no audit of the last version is a mean that a band can be drawn of."]
    points = [audit.points for audit in history.monitored]
    runs = sorted({point.run for own in points for point in own})
    if all(point.n_new == 0 for own in points for point in own[1:]):
        return [f"New patients: only run {runs[0]} has any, so the bands are about its patients alone."]
    beyond = [audit for audit in history.monitored if audit.beyond]
    listed = "; ".join(
        f"{plain_name(a.id.split('/')[0])}: {a.title} (told in run {a.beyond}, by the patients from run {a.since} on)"
        for a in beyond[:MOST]
    )
    more = f"; and {len(beyond) - MOST} more" if len(beyond) > MOST else ""
    said = "no audit is told to be beyond its limit"
    if beyond:
        said = f"{count(len(beyond), 'audit is', 'audits are')} beyond the limit: {listed}{more}"
    of = f"{count(len(points), 'audit')} over runs {runs[0]} to {runs[-1]}"
    return [f"New patients, for information: {said}; of {of}."]


def _anchor(history: History) -> list[str]:
    last = [(audit, audit.points[-1]) for audit in history.anchored if audit.points[-1].run == len(history.runs)]
    values = [(audit, point) for audit, point in last if point.estimate.value is not None]
    if not values:
        return []
    counts = Counter(point.verdict for _, point in last)
    said = ", ".join(f"{counts[v]} {v}" for v in ("PASS", "FAIL", "INCONCLUSIVE", "ERROR") if counts[v])
    return [f"The last run against its anchor: {said} of {count(len(last), 'audit')}."]
