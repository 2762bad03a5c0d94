"""The whole gate in one table: what it says by noise and patients, what holds it up, how many patients it takes."""

from __future__ import annotations

from collections.abc import Mapping

from validation import gate, tables
from validation.rates import Rate, Table, standard_error

ENOUGH = 0.8
"""Share of gates that PASS from which the patients are called enough."""
SHORT = 0.95
"""Families that pass less often are named."""
Row = tuple[str, ...]


def whole_gate(by_title: Mapping[str, Table]) -> str:
    """Return the section's text; nothing without results."""
    if tables.GATE not in by_title:
        return _planted(by_title)
    rows, families = by_title[tables.GATE].rows(), by_title[tables.GATE_PASS].rows()
    sizes = sorted({rate.n for by_claim in rows.values() for rate in by_claim.values()})
    errors = ", ".join(f"{standard_error(0.5, n):.2f} of {n} replicates" for n in sizes)
    lines = [
        f"A hospital's patients in {len(gate.MODALITIES)} modalities, as many of each, and the shipped protocol; what "
        "asks which kind of image it is belongs to it where there are five kinds of image. The "
        "model is fair and responds to corruptions. PASS / INCONCLUSIVE / FAIL: shares of the replicates (standard "
        f"errors at most {errors}). Held up by: the families that pass in fewer than {100 * SHORT:.0f} % of them, "
        "with the share that passes.\n",
        "| sd of an answer | scores | images per patient | model | patients | PASS / INCONCLUSIVE / FAIL "
        "| held up by |",
        "|---|---|---|---|---|---|---|",
    ]
    for row, found in rows.items():
        patients, *others = row
        said = " / ".join(f"{found[v].value:.2f}" for v in ("PASS", "INCONCLUSIVE", "FAIL"))
        lines.append(f"| {' | '.join(others)} | {patients} | {said} | {_held_up(families[row])} |")
    return "\n\n".join(part for part in ("\n".join(lines), _enough(rows), _planted(by_title)) if part)


def _held_up(families: Mapping[str, Rate]) -> str:
    short = [(rate.value, name) for name, rate in families.items() if rate.value < SHORT]
    return ", ".join(f"{name} {value:.2f}" for value, name in sorted(short)) or "nothing"


def _enough(rows: Mapping[Row, Mapping[str, Rate]]) -> str:
    """The fewest of the measured patients with which enough gates pass, by everything else."""
    kinds: dict[Row, list[tuple[int, float]]] = {}
    for (patients, *others), found in rows.items():
        kinds.setdefault(tuple(others), []).append((int(patients), found["PASS"].value))
    lines = [
        f"The fewest of the measured numbers of patients with which {100 * ENOUGH:.0f} % of the gates pass:\n",
        "| sd of an answer | scores | images per patient | model | patients |",
        "|---|---|---|---|---|",
    ]
    for kind, passed in kinds.items():
        fewest = min((patients for patients, share in passed if share >= ENOUGH), default=None)
        most = max(patients for patients, _ in passed)
        lines.append(f"| {' | '.join(kind)} | {fewest if fewest else f'more than {most}'} |")
    return "\n".join(lines)


def _planted(by_title: Mapping[str, Table]) -> str:
    """FAIL and PASS of planted defects, worth seeing without unfolding."""
    if tables.GATE_PLANTED not in by_title:
        return ""
    table = by_title[tables.GATE_PLANTED]
    lines = [
        "Planted defects: one sentence moves the score. Moved patients should FAIL; where the truth lies on its limit, "
        "FAIL and PASS should both stay below 0.05.\n",
        "| model | patients | sd of an answer | n | FAIL | PASS |",
        "|---|---|---|---|---|---|",
    ]
    for (patients, sd, _, _, model), found in table.rows().items():
        failed, passed = found["FAIL"], found["PASS"]
        lines.append(f"| {model} | {patients} | {sd} | {failed.n} | {failed.value:.3f} | {passed.value:.3f} |")
    return "\n".join(lines)
