"""A record of many audits by repetition: as large as a suite for many attributes, devices and prompts would leave.

Cells, points and cases are drawn from a small stock, as neither the page nor a browser can tell; ids, titles, estimates
and sentences are each audit's own.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from auditkit.evidence import Audit, Estimate, Evidence, Verdict, overall

FAMILIES = {
    "metadata": (0.55, "points"),
    "placebo": (0.05, "points"),
    "differential": (0.2, "share"),
    "answers": (0.05, "share"),
    "baseline": (0.11, "points"),
    "sensitivity": (0.02, "points per severity step"),
    "discrimination": (0.02, "AUROC"),
}
"""Family -> its share of the audits, and the unit of its estimates."""
_SHARES: dict[Verdict, float] = {"PASS": 0.9, "INCONCLUSIVE": 0.06, "FAIL": 0.03, "ERROR": 0.01}


def large(record: Evidence, number: int = 10_000, modalities: int = 6, seed: int = 3) -> Evidence:
    """Return the record with `number` audits of `modalities` modalities each, made from those it has.

    Parameters
    ----------
    record : Evidence
        The simulated record; its first modalities, pictures and cases are used.
    number : int
        Audits.
    modalities : int
        Modalities of each.
    seed : int
        Of the random draws.
    """
    rng = np.random.default_rng(seed)
    kept = record.data.modalities[:modalities]
    audits = list(_audits(record, {m.modality for m in kept}, number, rng))
    return record.model_copy(
        update={
            "audits": audits,
            "data": record.data.model_copy(update={"modalities": kept}),
            "verdict": overall(a.verdict for a in audits),
        }
    )


def _audits(record: Evidence, modalities: set[str], number: int, rng: np.random.Generator) -> Iterator[Audit]:
    # The sample's answers without end and without encoding are tested where they are; three hundred would be the page.
    cases = [c for a in record.audits for c in a.cases if len(c.treated_answer) < 500 and c.treated_answer.isascii()]
    verdicts = rng.choice(list(_SHARES), size=number, p=list(_SHARES.values()))
    for family, (share, unit) in FAMILIES.items():
        stock = next(a for a in record.audits if a.family == family and len(a.parts) > 5)
        cells = [c for c in stock.parts if c.stratum.level in modalities]
        per_verdict: dict[str, list[object]] = {
            v: [c.model_copy(update={"verdict": v if i == 0 else "PASS"}) for i, c in enumerate(cells)] for v in _SHARES
        }
        # The record's own audits of corruptions stay: its pictures are of these.
        own = [a for a in record.audits if a.family == family] if stock.series else []
        yield from own
        for index in range(len(own), round(share * number)):
            verdict = str(verdicts[index])
            value = float(rng.normal(0, 3)) if unit.startswith("points") else float(rng.uniform())
            title = f"Attribute {index} of {family}, level {index % 7} against level {index % 5}"
            yield stock.model_copy(
                update={
                    "id": f"{family}/group-{index % 20}.attribute-{index}",
                    "title": title,
                    "treated": f"“The sentence number {index} that says nothing about the image.”",
                    "verdict": verdict,
                    "sentence": f"{title}: {value:+.1f} {unit}, as the limit allows or not.",
                    "estimate": Estimate(value=value, low=value - 1, high=value + 1, level=0.9, unit=unit),
                    "parts": per_verdict[verdict],
                    "series": stock.series if index < 40 else [],
                    "cases": [cases[index % len(cases)]] if verdict == "FAIL" else [],
                }
            )
