"""How often each gate errs, how often it decides, and how often its intervals miss.

Every row is one `Setting`: a single decision wherever the gate allows it, so that a FAIL is not held back by a
correction for many.
"""

from __future__ import annotations

from collections import Counter

from validation.counting import misses_of, verdicts_of
from validation.jobs import Counts, Job, chunks
from validation.measured import situation
from validation.plan import plan
from validation.setting import Setting, images, judged, protocol_of

SUITE = "gates"


def jobs(replicates: int | None = None) -> list[Job]:
    """Return the work, the rows in the order of the tables."""
    return [job for setting, wanted in plan(replicates).items() for job in chunks(SUITE, str(setting), wanted)]


def run(job: Job) -> Counts:
    """Count verdicts and missed intervals of one chunk."""
    setting = Setting.parse(job.row)
    what = situation(setting)
    protocol = protocol_of(what, job.protocol_seed())
    records = images(setting.layout, setting.patients, what.modalities)
    counts: Counter[str] = Counter(replicates=job.replicates)
    for seed in job.seeds():
        audit = judged(what, records, protocol, seed)
        counts.update(verdicts_of(audit, what))
        counts.update(misses_of(audit, what, setting.missing))
    return dict(counts)
