"""From counts to rates and tables."""

from __future__ import annotations

from collections.abc import Iterator

from auditkit.protocol.shipped import SHIPPED
from validation import arrays, families, gate, gates, looks, matrix, own
from validation.jobs import Counts, Results
from validation.rates import Rate, Table
from validation.setting import Setting

ALPHA = 0.05
"""Error per side of the shipped protocol's profile."""

ERRORS, POWERS, MISSES = "Errors on the margin", "Power away from the margin", "Intervals that miss the truth"
MISSING = {"none": "none", "random": "5 % at random", "worst": "the worst 5 %", "best": "the best 5 %"}
FAMILIES = "The whole shipped protocol"
OWN = "Families of one's own"
GATE = "The whole gate"
GATE_PASS, GATE_FAIL = "The whole gate: PASS, by family", "The whole gate: any FAIL, by family"
GATE_AUDITS = "The whole gate: audits that PASS, by family"
GATE_PLANTED = "The whole gate: planted defects"
LOOKS, LOOKS_AWAY = "Several looks, on the margin", "Several looks, away from the margin"
DEFECTS, FOUND, BLAMED = (
    "Planted defects, all audits",
    "Planted defects: FAIL in the right audits, by family",
    "Planted defects: any FAIL in a wrong audit, by family",
)
RATIOS, KAPPAS, SHARES = "Ratios of errors on their limit", "Kappa on its floor", "Shares of the variance"
FAIR_PASS, FAIR_FAIL = "Models without defects: PASS, by family", "Models without defects: any FAIL, by family"


def tables_of(results: Results) -> list[Table]:
    """Return the tables of all suites that have results."""
    made = (of_gates, of_families, of_own, of_gate, of_looks, of_matrix, of_arrays)
    found = [table for tables in made for table in tables(results)]
    return [table for table in found if table.rates]


def of_gates(results: Results) -> list[Table]:
    """Return the error rates on the margins, the powers, and the intervals' misses."""
    found = [(Setting.parse(row), counts) for row, counts in _suite(results, gates.SUITE)]
    near = [(setting, counts) for setting, counts in found if setting.truth == "margin"]
    away = [(setting, counts) for setting, counts in found if setting.truth != "margin"]
    keys = ("gate", "kind", "images per patient", "patients")
    return [
        Table(
            ERRORS,
            (*keys, "missing"),
            [rate for setting, counts in near for rate in _errors((*_row(setting), _gaps(setting)), counts)],
            "The truth lies exactly on the margin; nominal 0.05. Bold: more than 3 standard errors above it.",
        ),
        Table(
            POWERS,
            (*keys, "missing"),
            [rate for setting, counts in away for rate in _powers(setting, counts)],
            "No effect (or a clear fall, or an area of 0.90, 0.98 for a floor of 0.92): PASS wanted. Twice the margin "
            "(or no fall, or an area of 0.50): FAIL wanted.",
        ),
        Table(
            MISSES,
            ("interval", *keys, "missing"),
            [rate for setting, counts in near for rate in _misses(setting, counts)],
            "Share of the intervals that lie wholly below or above the truth; nominal 0.05 each.",
        ),
    ]


def of_families(results: Results) -> list[Table]:
    """Return one table: the families under both models."""
    modalities = {model: len(names) for model, names in families.MODALITIES.items()}
    note = (
        f"{families.PATIENTS} patients with one image each in every modality: {modalities['no fault']} modalities for "
        f"the model without a fault, {modalities['on the margin']} on the margin. Any FAIL: share of the replicates "
        "with at least one FAIL in the family; nominal 0.05 for each family, nothing is promised for all together. "
        "Audits PASS: share of the audits (of those on the margin); every modality must pass. All PASS: nothing in the "
        "family but PASS."
    )
    rates = [rate for model, counts in _suite(results, families.SUITE) for rate in _families(model, counts)]
    return [Table(FAMILIES, ("model", "family"), rates, note)]


def of_own(results: Results) -> list[Table]:
    """Return one table: a family that the protocol's author declared, whole and in part."""
    note = (
        f"Every decision lies on its margin; {own.PATIENTS} patients in each of {len(own.MODALITIES)} modalities. Any "
        "FAIL, and PASS of the decisions: nominal 0.05. FAIL in part only: an audit that fails when it is run without "
        "the others, and not with them."
    )
    rates = []
    for row, counts in _suite(results, own.SUITE):
        n, key = counts["replicates"], tuple(row.split("|"))
        rates += [
            Rate(key, "any FAIL", counts["any FAIL"] / n, n, ALPHA),
            Rate(key, "decisions PASS", counts["decisions PASS"] / counts["decisions"], n, ALPHA),
            Rate(key, "FAIL in part only", counts["in part only"] / n, n),
        ]
    return [Table(OWN, ("kind", "declared", "run"), rates, note)]


def of_gate(results: Results) -> list[Table]:
    """Return what becomes of whole hospitals: the gate, its families, and planted defects."""
    found = [(gate.Hospital.parse(row), counts) for row, counts in _suite(results, gate.SUITE)]
    whole = [(row, counts) for row, counts in found if row.model not in gate.PLANTED]
    planted = [(row, counts) for row, counts in found if row.model in gate.PLANTED]
    keys = ("patients", "sd of an answer", "scores", "images per patient", "model")
    return [
        Table(
            GATE,
            keys,
            [rate for row, counts in whole for rate in _of_gate(row, counts)],
            f"Patients of all {len(gate.MODALITIES)} modalities together, as many of each. Every audit of the shipped "
            "protocol that these images can decide must PASS; one FAIL is a FAIL of the gate.",
        ),
        Table(
            GATE_PASS,
            keys,
            [rate for row, counts in whole for rate in _of_gate_families(row, counts, "PASS")],
            "Share of the replicates in which every audit of the family passes.",
        ),
        Table(
            GATE_AUDITS,
            keys,
            [rate for row, counts in whole for rate in _of_gate_audits(row, counts)],
            "Share of the audits of the family.",
        ),
        Table(
            GATE_FAIL,
            keys,
            [rate for row, counts in whole for rate in _of_gate_families(row, counts, "FAIL")],
            "Share of the replicates in which some audit of the family fails; nominal 0.05.",
        ),
        Table(
            GATE_PLANTED,
            keys,
            [rate for row, counts in planted for rate in _of_gate_planted(row, counts)],
            "FAIL of the gate by the audits of the words that move the scores, and PASS of the audit against neutral "
            "words: nominal 0.05 where the truth lies on its limit.",
        ),
    ]


def of_looks(results: Results) -> list[Table]:
    """Return one table of errors and one of powers."""
    errors: list[Rate] = []
    powers: list[Rate] = []
    for row, counts in _suite(results, looks.SUITE):
        name, number, spending = row.split("|")
        setting = Setting.parse(name)
        key = (*_row(setting), number, spending.replace("_", "-"))
        if setting.truth == "margin":
            errors += _errors(key, counts)
        else:
            powers += _settled((*key, setting.truth), setting, counts)
    keys = ("gate", "kind", "images per patient", "patients", "looks", "spending")
    return [
        Table(LOOKS, keys, errors, "Nominal 0.05 over all looks together."),
        Table(LOOKS_AWAY, (*keys, "truth"), powers, "Early: settled before the last look."),
    ]


def of_matrix(results: Results) -> list[Table]:
    """Return the detection matrix, the blame, and what fair readers pass."""
    found = dict(_suite(results, matrix.SUITE))
    planted = {(row,): counts for row, counts in found.items() if not row.startswith(matrix.FAIR)}
    fair = {(row.removeprefix(matrix.FAIR),): c for row, c in found.items() if row.startswith(matrix.FAIR)}
    right = (
        "Right audits are those whose criterion the defect breaks, free ones those it has nothing to do with. Share of "
        "the right audits that FAIL and that PASS, of replicates with any FAIL elsewhere, and of the free audits that "
        "PASS."
    )
    wrong = "Share of the replicates; nominal 0.05 within each family."
    return [
        Table(DEFECTS, ("defect",), [r for row, c in planted.items() for r in _summary(row, c)], right),
        Table(
            FOUND,
            ("defect",),
            [r for row, c in planted.items() for r in _by_family(row, c, "hit", "FAIL")],
            "Share of the audits; empty where no audit of the family should FAIL.",
        ),
        Table(BLAMED, ("defect",), [r for row, c in planted.items() for r in _blamed(row, c)], wrong),
        Table(
            FAIR_PASS,
            ("noise",),
            [r for row, c in fair.items() for r in _by_family(row, c, "free", "PASS")],
            "Share of the audits.",
        ),
        Table(FAIR_FAIL, ("noise",), [r for row, c in fair.items() for r in _blamed(row, c)], wrong),
    ]


def of_arrays(results: Results) -> list[Table]:
    """Return the error rates of the procedures that are measured by themselves."""
    rows = {"ratio": list[Rate](), "kappa": list[Rate](), "share": list[Rate]()}
    for row, counts in _suite(results, arrays.SUITE):
        what, *key = row.split("|")
        n, promised = counts["replicates"], set(counts) - {"replicates", "undetermined", "no interval"}
        rows[what] += [
            Rate(tuple(key), claim, counts[claim] / n, n, ALPHA if claim in promised else None)
            for claim in counts
            if claim != "replicates"
        ]
    keys = ("kind", "images per patient", "patients")
    return [
        Table(
            RATIOS,
            keys,
            rows["ratio"],
            f"The model's errors are {arrays.LIMIT:g} times the reference's, and that is the limit; nominal 0.05. "
            "Undetermined: no number is given.",
        ),
        Table(KAPPAS, keys, rows["kappa"], "The floor is the true kappa; nominal 0.05."),
        Table(SHARES, keys, rows["share"], "Intervals that lie wholly below or above the truth; nominal 0.05 each."),
    ]


def _suite(results: Results, name: str) -> Iterator[tuple[str, Counts]]:
    return ((row, counts) for (suite, row), counts in results.items() if suite == name)


def _row(setting: Setting) -> tuple[str, ...]:
    return setting.gate, setting.kind, setting.layout, str(setting.patients)


def _gaps(setting: Setting) -> str:
    return MISSING[setting.missing]


def _errors(row: tuple[str, ...], counts: Counts) -> Iterator[Rate]:
    n = counts["replicates"]
    yield Rate(row, "false PASS", counts["decisions PASS"] / counts["decisions"], n, ALPHA)
    yield Rate(row, "false FAIL", counts["any FAIL"] / n, n, ALPHA)


def _powers(setting: Setting, counts: Counts) -> Iterator[Rate]:
    n, row = counts["replicates"], (*_row(setting), _gaps(setting))
    passed, failed = counts.get("audit PASS", 0) / n, counts.get("audit FAIL", 0) / n
    if setting.truth == "inside":
        yield Rate(row, "PASS at no effect", passed, n, more_is_worse=False)
        yield Rate(row, "FAIL at no effect", failed, n, ALPHA)
    else:
        yield Rate(row, "FAIL at twice the margin", failed, n, more_is_worse=False)
        yield Rate(row, "PASS at twice the margin", passed, n, ALPHA)


def _misses(setting: Setting, counts: Counts) -> Iterator[Rate]:
    for name in sorted(key.removesuffix(", intervals") for key in counts if key.endswith(", intervals")):
        row = (name, *_row(setting), _gaps(setting))
        for side in ("below", "above"):
            share = counts[f"{name}, {side}"] / counts[f"{name}, intervals"]
            yield Rate(row, f"misses {side}", share, counts["replicates"], ALPHA)


def _families(model: str, counts: Counts) -> Iterator[Rate]:
    n, on_margin = counts["replicates"], model == "on the margin"
    names = dict.fromkeys(key.partition(",")[0] for key in counts if "," in key)
    for name in sorted(names, key=lambda name: name == families.WHOLE):
        row, promised = (model, name), name != families.WHOLE
        nominal = ALPHA if on_margin else None
        passed = counts[f"{name}, audits PASS"] / counts[f"{name}, audits"]
        yield Rate(row, "any FAIL", counts[f"{name}, any FAIL"] / n, n, ALPHA if promised else None)
        yield Rate(row, "audits PASS", passed, n, nominal, more_is_worse=on_margin)
        yield Rate(row, "all PASS", counts[f"{name}, all PASS"] / n, n, nominal, more_is_worse=on_margin)


def _hospital(row: gate.Hospital) -> tuple[str, ...]:
    return str(row.patients), f"{row.sd:g}", row.scale, row.layout, row.model


def _of_gate(row: gate.Hospital, counts: Counts) -> Iterator[Rate]:
    n = counts["replicates"]
    for verdict in ("PASS", "INCONCLUSIVE", "FAIL"):
        yield Rate(_hospital(row), verdict, counts.get(f"gate {verdict}", 0) / n, n, more_is_worse=verdict != "PASS")


def _of_gate_families(row: gate.Hospital, counts: Counts, verdict: str) -> Iterator[Rate]:
    n, failing = counts["replicates"], verdict == "FAIL"
    for family in _in_gate(counts):
        share = counts.get(f"{family}, {verdict}", 0) / n
        yield Rate(_hospital(row), family, share, n, ALPHA if failing else None, more_is_worse=failing)


def _of_gate_audits(row: gate.Hospital, counts: Counts) -> Iterator[Rate]:
    for family in _in_gate(counts):
        share = counts[f"{family}, audits PASS"] / counts[f"{family}, audits"]
        yield Rate(_hospital(row), family, share, counts["replicates"], more_is_worse=False)


def _in_gate(counts: Counts) -> list[str]:
    """The families that a whole gate was counted with."""
    return [family for family in SHIPPED if f"{family}, audits" in counts]


def _of_gate_planted(row: gate.Hospital, counts: Counts) -> Iterator[Rate]:
    n, on_limit = counts["replicates"], row.model.startswith((gate.ON_MARGIN, gate.ON_CAP))
    yield Rate(_hospital(row), "FAIL", counts["FAIL"] / n, n, ALPHA if on_limit else None, more_is_worse=on_limit)
    yield Rate(_hospital(row), "PASS", counts.get("vs neutral PASS", 0) / n, n, ALPHA)


def _settled(row: tuple[str, ...], setting: Setting, counts: Counts) -> Iterator[Rate]:
    n = counts["replicates"]
    wanted, unwanted = ("PASS", "FAIL") if setting.truth == "inside" else ("FAIL", "PASS")
    yield Rate(row, "right verdict", counts.get(f"audit {wanted}", 0) / n, n, more_is_worse=False)
    yield Rate(row, "wrong verdict", counts.get(f"audit {unwanted}", 0) / n, n, ALPHA)
    yield Rate(row, "early", counts["early"] / n, n, more_is_worse=False)


def _share(counts: Counts, names: tuple[str, ...], expected: str, verdict: str) -> float:
    """Share of the audits of some families, of those with the same expectation, that got a verdict; NaN of none."""
    asked = sum(counts.get(f"{family}, {expected}", 0) for family in names)
    said = sum(counts.get(f"{family}, {expected} {verdict}", 0) for family in names)
    return said / asked if asked else float("nan")


def _summary(row: tuple[str, ...], counts: Counts) -> Iterator[Rate]:
    n, every = counts["replicates"], tuple(matrix.SUBSET)
    yield Rate(row, "right FAIL", _share(counts, every, "hit", "FAIL"), n, more_is_worse=False)
    yield Rate(row, "right PASS", _share(counts, every, "hit", "PASS"), n, ALPHA)
    yield Rate(row, "wrong FAIL", counts["any, blamed"] / n, n)
    yield Rate(row, "free PASS", _share(counts, every, "free", "PASS"), n, more_is_worse=False)


def _by_family(row: tuple[str, ...], counts: Counts, expected: str, verdict: str) -> Iterator[Rate]:
    for family in matrix.SUBSET:
        share = _share(counts, (family,), expected, verdict)
        yield Rate(row, family, share, counts["replicates"], more_is_worse=False)


def _blamed(row: tuple[str, ...], counts: Counts) -> Iterator[Rate]:
    n = counts["replicates"]
    for family in matrix.SUBSET:
        yield Rate(row, family, counts[f"{family}, blamed"] / n, n, ALPHA)
