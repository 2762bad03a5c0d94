"""Deciding in stages under alpha spending: do two or four looks err more often than one?"""

from __future__ import annotations

from collections import Counter

from auditkit.ask.plan import stages
from auditkit.evidence import Audit
from auditkit.judge.judge import Judge
from auditkit.judge.looks import plan_looks
from auditkit.measure.columns import joined
from auditkit.protocol.model import Protocol
from validation.asking import answers
from validation.counting import verdicts_of
from validation.jobs import Counts, Job, chunks
from validation.jobs import seed as seed_of
from validation.measured import situation
from validation.setting import Setting, Situation, images, protocol_of, unplanned

SUITE = "looks"
REPLICATES, POWER = 200, 80
SETTINGS: dict[Setting, tuple[tuple[int, str], ...]] = {
    Setting("equivalence", "discrete", "1-4", 64): ((2, "pocock"),),
    Setting("equivalence", "discrete", "1-4", 128): ((2, "pocock"), (4, "pocock"), (3, "obrien_fleming")),
    Setting("equivalence", "rare", "1", 128): ((4, "pocock"),),
    Setting("not raised", "noisy", "1-4", 128): ((4, "pocock"),),
    Setting("sensitivity", "discrete", "1-4", 128): ((4, "pocock"),),
    Setting("discrimination", "discrete high", "1-4", 128): ((4, "pocock"),),
    Setting("rate", "10 correlated", "1-4", 128): ((2, "pocock"), (4, "pocock")),
    Setting("rate difference", "10 both ways", "1-4", 128): ((4, "pocock"),),
    Setting("rate", "10 correlated", "1 or 12", 128): ((4, "pocock"),),
    Setting("equivalence", "jump 75", "1", 128): ((4, "pocock"),),
    Setting("tail", "vs neutral sd 8.5", "1", 200): ((2, "pocock"),),
    Setting("agreement", "10 independent", "1", 128): ((4, "pocock"),),
    Setting("equivalence", "discrete", "1-4", 128, "inside"): ((4, "pocock"), (3, "obrien_fleming")),
    Setting("equivalence", "discrete", "1-4", 128, "outside"): ((4, "pocock"), (3, "obrien_fleming")),
}
"""What is looked at, with how many looks and which spending function."""


def jobs(replicates: int | None = None) -> list[Job]:
    """Return the work; powers take fewer replicates."""
    found = []
    for setting, plans in SETTINGS.items():
        wanted = REPLICATES if setting.truth == "margin" else POWER
        for looks, spending in plans:
            found += chunks(SUITE, f"{setting}|{looks}|{spending}", replicates or wanted)
    return found


def run(job: Job) -> Counts:
    """Count verdicts after all looks, and those that fell before the last."""
    name, looks, spending = job.row.split("|")
    setting = Setting.parse(name)
    what = situation(setting)
    protocol = _in_looks(protocol_of(what, job.protocol_seed()), int(looks), spending)
    counts: Counter[str] = Counter(replicates=job.replicates)
    for seed in job.seeds():
        with unplanned():
            audit = judged_in_looks(what, setting, protocol, seed)
        counts.update(verdicts_of(audit, what))
        counts["early"] += audit.verdict in ("PASS", "FAIL") and audit.look < int(looks)
    return dict(counts)


def judged_in_looks(what: Situation, setting: Setting, protocol: Protocol, seed: int) -> Audit:
    """Ask stage by stage while the audit is open, as a session does, and return what was judged in the end."""
    staged = stages(images(setting.layout, setting.patients, what.modalities), protocol.looks.number, protocol.seed)
    judge: Judge | None = None
    parts = []
    for look, stage in zip(plan_looks(staged, protocol), staged, strict=True):
        if judge is not None and not judge.undecided():
            break
        chance = seed_of("stage", str(look.number), str(seed))
        parts.append(answers(what.behaviour, stage, [what.effect], protocol, chance))
        judge = Judge(protocol, joined(parts), [what.effect], look, before=judge)
    assert judge is not None  # noqa: S101 - there is at least one look
    return judge.audit(what.effect, "")


def _in_looks(protocol: Protocol, number: int, spending: str) -> Protocol:
    looks = protocol.looks.model_copy(update={"number": number, "spending": spending})
    return protocol.model_copy(update={"looks": looks})
