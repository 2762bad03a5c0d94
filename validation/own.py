"""Families of one's own: effects with different numbers of parts, and a size that is declared, never collected."""

from __future__ import annotations

from collections import Counter

from auditkit.protocol.effects import change, rises
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from auditkit.testing import audit_all
from auditkit.vocabulary import Effect
from validation.asking import answers
from validation.jobs import Counts, Job, chunks
from validation.models import CLEAN, Shifting
from validation.setting import FAMILY, SHIPPED_PROTOCOL, WORDS, images, unplanned
from validation.situations import KINDS_OF_NOISE

SUITE = "own"
REPLICATES = 300
PATIENTS, MODALITIES = 64, ("ct", "mr")
LIMIT = 5.0
PARTS = 8
"""Decisions of `effects` in each stratum."""
KINDS, SIZES, RUN = ("discrete", "sd 12"), (PARTS, 2 * PARTS), ("all", "five parts", "one part")


def effects() -> list[Effect]:
    """Return effects with five parts, with two and with one."""
    return [
        rises("brightness", family=FAMILY),
        rises("contrast", (1, 5), family=FAMILY),
        change(WORDS, family=FAMILY),
    ]


def jobs(replicates: int | None = None) -> list[Job]:
    """Return the work."""
    rows = [f"{kind}|{size}|{run}" for kind in KINDS for size in SIZES for run in RUN]
    return [job for row in rows for job in chunks(SUITE, row, replicates or REPLICATES)]


def run(job: Job) -> Counts:
    """Count FAILs of the family, PASSes of its decisions, and audits that fail only where the others are not run."""
    kind, size, which = job.row.split("|")
    protocol = _protocol(int(size), job.protocol_seed())
    records = images("1", PATIENTS, MODALITIES)
    every = effects()
    chosen = {"all": every, "five parts": every[:1], "one part": every[-1:]}[which]
    behaviour = Shifting(lambda q, _m: LIMIT * (q.condition != CLEAN), KINDS_OF_NOISE[kind])
    counts: Counter[str] = Counter(replicates=job.replicates)
    for seed in job.seeds():
        data = answers(behaviour, records, every, protocol, seed)
        with unplanned():
            audits = audit_all(data, chosen, protocol)
            failed = {id_ for id_, audit in audits.items() if audit.verdict == "FAIL"}
            whole = audit_all(data, every, protocol) if failed else {}
        cells = [cell for audit in audits.values() for cell in audit.parts if cell.required]
        counts["any FAIL"] += bool(failed)
        counts["in part only"] += any(whole[id_].verdict != "FAIL" for id_ in failed)
        counts["decisions"] += len(cells)
        counts["decisions PASS"] += sum(cell.verdict == "PASS" for cell in cells)
    return dict(counts)


def _protocol(size: int, seed: int) -> Protocol:
    shipped = load_protocol(SHIPPED_PROTOCOL)
    families = {FAMILY: {"at_most": LIMIT, "size": size}}
    return Protocol.model_validate(shipped.model_dump() | {"seed": seed, "families": families})
