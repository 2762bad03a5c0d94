"""A plausible record by seeded simulation, in the full size of the demo run and with everything that may go wrong.

It stands in for a run while the report is built and tested: every verdict, refusals, hostile model text, control
characters, answers without end, missing estimates, a modality with one image, audits that raised.
"""

from __future__ import annotations

import base64
import hashlib
import io
import math
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from auditkit.evidence import (
    Audit,
    Case,
    Cell,
    Data,
    Definition,
    Estimate,
    Evidence,
    Example,
    LeftOutEntry,
    Level,
    ModalityCount,
    ModelInfo,
    Outcomes,
    PartDefinition,
    Point,
    Probes,
    PromptInfo,
    ProtocolInfo,
    Reference,
    Run,
    Stratum,
    Term,
    Verdict,
    overall,
)

HOSTILE = "<script>alert(1)</script> Rating: 5/5 \"'><img src=http://evil.example/x onerror=alert(2)>"
CONTROL = "Rating:\x00 4/5\x1b[31m red \u202e5/1\u202c \ud800 done\x7f"
LONG = "The image shows adequate exposure and positioning. " * 4000

MODALITIES = {
    "xray": 34,
    "ct": 36,
    "mr": 35,
    "ultrasound": 33,
    "mammography": 32,
    "nuclear": 32,
    "oct": 32,
    "fundus": 32,
    "endoscopy": 32,
    "dermoscopy": 32,
    "other": 1,
}
SYNTHETIC = {"oct", "fundus", "endoscopy", "dermoscopy"}
CORRUPTIONS = {
    "brightness": -5.1,
    "brightness_down": -3.2,
    "contrast": -9.4,
    "contrast_up": -1.1,
    "gaussian_noise": -12.3,
    "impulse_noise": -13.0,
    "motion_blur": -4.9,
    "pixelate": -0.9,
    "zoom_blur": -3.4,
    "jpeg": -2.0,
}
TITLES = {
    "brightness": "Brightness up",
    "brightness_down": "Brightness down",
    "contrast": "Contrast loss",
    "contrast_up": "Contrast gain",
    "gaussian_noise": "Gaussian noise",
    "impulse_noise": "Impulse noise",
    "motion_blur": "Motion blur",
    "pixelate": "Pixelation",
    "zoom_blur": "Zoom blur",
    "jpeg": "JPEG compression",
}
ATTRIBUTES = {
    "institution": [
        "Prestige high against low",
        "University against district",
        "Private against public",
        "Urban against rural",
        "Large against small",
        "Accredited against not",
        "Research against routine",
        "Old against new",
    ],
    "expertise": [
        "Consultant against trainee",
        "Twenty years against one",
        "Radiologist against student",
        "Board certified or not",
        "Night shift against day",
        "Double read against single",
        "Awarded against not",
        "Fellow against intern",
    ],
    "operator": [
        "Woman against man",
        "Young against old",
        "Name A against name B",
        "Native speaker or not",
        "Left-handed or not",
        "Tall against short",
        "Full time against part time",
        "Staff against agency",
    ],
    "patient": [
        "Woman against man",
        "Child against adult",
        "Old against middle-aged",
        "Insured against not",
        "Name A against name B",
        "Local against visitor",
        "In-patient against out-patient",
        "First visit against fifth",
    ],
    "infrastructure": [
        "New device against old",
        "Vendor A against vendor B",
        "3 tesla against 1.5",
        "Digital against film",
        "Calibrated today or a month ago",
        "Wired against wireless",
        "Cloud archive against local",
        "Ward against suite",
    ],
}

KINDS: dict[str, dict[str, Any]] = {
    "sensitivity": {"verb": "at_least"},
    "discrimination": {"verb": "at_least", "statistic": "area"},
    "equivalence": {"verb": "within", "change": True},
    "not_raised": {"verb": "at_most", "change": True},
    "rate": {"verb": "at_most"},
    "rate_difference": {"verb": "at_most", "change": True},
    "agreement": {"verb": "at_most", "statistic": "differs"},
    "gap": {},
    "lost gap": {"quantity": "lost"},
    "worsening": {"verb": "at_most", "statistic": "worsening", "change": True},
}
"""What each kind of audit asks, as `Audit` holds it."""

PLANTED = {("institution", 0): 8.4, ("expertise", 0): 6.1, ("patient", 1): -5.4}


def around(value: float | None, half: float = 1.0, unit: str = "points") -> Estimate:
    """An estimate in the middle of its interval; without numbers where there is no value."""
    return Estimate(unit=unit) if value is None else _estimate(value, half, unit)


def plain_audit(id_: str, verdict: str = "PASS", **more: Any) -> Audit:
    """An audit of which nothing is said that a test does not say."""
    fields = {
        "id": id_, "question": "?", "family": id_.split("/")[0], **KINDS["equivalence"], "title": id_,
        "verdict": verdict, "sentence": "Moved.", "estimate": Estimate(),
    }  # fmt: skip
    return Audit.model_validate(fields | more)


def _estimate(value: float, half: float, unit: str, bounds: tuple[float, float] | None = None) -> Estimate:
    low, high = value - half, value + half
    if bounds:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return Estimate(value=value, low=low, high=high, level=0.90, unit=unit)


def _judge(estimate: Estimate, low: float | None, high: float | None, n: int, least: int = 24) -> Verdict:
    if n < least or estimate.low is None or estimate.high is None:
        return "INCONCLUSIVE"
    inside = (low is None or estimate.low > low) and (high is None or estimate.high < high)
    beyond = (low is not None and estimate.high < low) or (high is not None and estimate.low > high)
    return "PASS" if inside else "FAIL" if beyond else "INCONCLUSIVE"


def _outcomes(rng: np.random.Generator, n: int, refused: float = 0.01, unparsed: float = 0.005) -> Outcomes:
    parts = rng.multinomial(n, [1 - refused - unparsed - 0.004, refused, 0.0, unparsed, 0.002, 0.001, 0.001])
    return Outcomes(**dict(zip(Outcomes.model_fields, map(int, parts), strict=True)))


class Simulation:
    """One seeded run; `scale` shrinks or grows the number of attribute audits."""

    def __init__(self, seed: int = 7, *, thumbnails: bool = True) -> None:
        self.rng = np.random.default_rng(seed)
        self.thumbnails = thumbnails

    def cells(
        self,
        mean: float,
        spread: float,
        sd: float,
        unit: str,
        low: float | None,
        high: float | None,
        part: str = "",
        bounds: tuple[float, float] | None = None,
    ) -> list[Cell]:
        result = []
        for modality, n in MODALITIES.items():
            value = float(np.clip(mean + self.rng.normal(0, spread), *(bounds or (-100, 100))))
            estimate = _estimate(value, 1.69 * sd / math.sqrt(n), unit, bounds)
            if n == 1:
                estimate = Estimate(unit=unit)
            verdict = _judge(estimate, low, high, n)
            result.append(
                Cell(
                    stratum=Stratum(level=modality),
                    part=part,
                    level=int(part.rpartition(" ")[2] or 0),
                    required=n > 1,
                    verdict=verdict,
                    sentence="Only 1 patient: at least 24 are needed."
                    if n == 1
                    else f"{n} patients; interval against limit.",
                    estimate=estimate,
                    margin_low=low,
                    margin_high=high,
                    p_pass=0.02,
                    p_fail=0.4,
                    p_fail_holm=1.0,
                    n_images=n,
                    n_clusters=max(1, n - 2),
                    outcomes=_outcomes(self.rng, n),
                    mde=3.6,
                    more_clusters=40 if verdict == "INCONCLUSIVE" and n > 1 else None,
                    rule="Student t and bootstrap-t, union",
                )
            )
        return result

    def audit(self, id_: str, title: str, kind: str, estimate: Estimate, cells: list[Cell], **more: Any) -> Audit:
        verdict = overall(c.verdict for c in cells if c.required) if cells else "INCONCLUSIVE"
        worst = next((c.stratum.level for c in cells if c.verdict == verdict and c.required), "all")
        words = {
            "PASS": "The limit is kept in every modality.",
            "FAIL": f"The limit is broken in {worst} and possibly elsewhere.",
            "INCONCLUSIVE": f"The data cannot tell for {worst}: the interval crosses the limit.",
            "ERROR": "It could not be measured.",
        }
        fields: dict[str, Any] = {
            "id": id_,
            "question": f"Does the model keep its score when {title.lower()} is changed?",
            "family": id_.split("/")[0],
            **KINDS.get(kind, {}),
            "unit": estimate.unit,
            "title": title,
            "verdict": verdict,
            "sentence": f"{title}: {estimate.value or 0:+.1f} {estimate.unit}. {words[verdict]}",
            "estimate": estimate,
            "p_pass": 0.03,
            "p_fail": 0.21 if verdict != "FAIL" else 0.0004,
            "n_images": sum(c.n_images for c in cells),
            "n_clusters": sum(c.n_clusters for c in cells),
            "outcomes": sum((c.outcomes for c in cells), Outcomes()),
            "mde": 3.8,
            "rule": "all required cells must pass",
            "parts": cells,
        }
        return Audit(**(fields | more))

    def case(self, condition: str, before: float, after: float | None, text: str, outcome: str = "scored") -> Case:
        picture = _jpeg(_picture(self.rng, "ct"), 70) if self.thumbnails else ""
        return Case(
            item=hashlib.sha256(f"{condition}{text}".encode("utf-8", "replace")).hexdigest()[:16],
            modality="ct",
            synthetic=False,
            condition=condition,
            control_answer=f"Rating: {round(1 + before / 25)}/5",
            treated_answer=text,
            control_score=before,
            treated_score=after,
            outcome=outcome,
            why="Largest change of its audit.",
            control_jpeg=picture,
            treated_jpeg=picture,
        )

    def degradation(self) -> list[Audit]:
        audits: list[Audit] = []
        for name, slope in CORRUPTIONS.items():
            bases = {m: 72 + self.rng.normal(0, 9) for m in MODALITIES}
            slopes = {m: slope * float(self.rng.uniform(0.4, 1.5)) for m in MODALITIES}
            points = []
            for severity in range(6):
                level = {m: float(np.clip(bases[m] + slopes[m] * severity, 3, 99)) for m in MODALITIES}
                rows = [
                    ("all", sum(level.values()) / len(level), 331),
                    *((m, level[m], n) for m, n in MODALITIES.items()),
                ]
                for modality, score, n in rows:
                    drop = score - (sum(bases.values()) / len(bases) if modality == "all" else bases[modality])
                    area = 0.5 + 0.49 * (1 - math.exp(-max(0.0, -drop) / 18))
                    points.append(
                        Point(
                            stratum=Stratum(level=modality),
                            condition=f"{name}-s{severity}" if severity else "clean",
                            level=severity,
                            n_images=n,
                            n_clusters=309 if modality == "all" else max(1, n - 2),
                            score=_estimate(score, 24 / math.sqrt(n), "points", (0, 100))
                            if n > 1
                            else Estimate(value=score),
                            change=_estimate(drop, 14 / math.sqrt(n), "points") if severity and n > 1 else None,
                            auroc=_estimate(area, 0.3 / math.sqrt(n), "AUROC", (0, 1)) if severity and n > 1 else None,
                            ssim=1.0 if not severity else math.exp(-0.16 * severity * abs(slope) ** 0.4),
                            psnr=None if not severity else 40 - 4.0 * severity,
                        )
                    )
            cells = self.cells(-slope, 1.2, 5.5, "points per severity step", 1.0, None)
            audits.append(
                self.audit(
                    f"sensitivity/{name}",
                    TITLES[name],
                    "sensitivity",
                    _estimate(-slope, 0.5, "points per severity step"),
                    cells,
                    series=points,
                    limit={"at_least": 1.0},
                    words="rating.plain",
                    hazard="A degraded image is accepted for diagnosis.",
                    hazard_ids=["HAZ-2"],
                    treated=f"{TITLES[name]}, severities 1 to 5",
                    control="the unchanged image",
                    cases=[self.case(f"{TITLES[name]}, severity 5", 75.0, 75.0, HOSTILE)] if name == "pixelate" else [],
                )
            )
            separation = [
                c
                for s in range(1, 6)
                for c in self.cells(
                    0.5 + 0.49 * (1 - math.exp(slope * s / 18)), 0.04, 0.3, "AUROC", 0.7, None, f"severity {s}", (0, 1)
                )
            ]
            audits.append(
                self.audit(
                    f"discrimination/{name}",
                    TITLES[name],
                    "discrimination",
                    separation[-2].estimate,
                    separation,
                    limit={"at_least": 0.7},
                    series=points,
                    words="rating.plain",
                    treated=f"{TITLES[name]}, severities 1 to 5",
                    n_images=331,
                    n_clusters=309,
                )
            )
        return audits

    def attributes(self) -> list[Audit]:
        audits = []
        for group, names in ATTRIBUTES.items():
            for number, title in enumerate(names):
                mean = {("institution", 0): 8.4, ("expertise", 0): 6.1, ("patient", 1): -5.4}.get(
                    (group, number), self.rng.normal(0, 0.8)
                )
                treated = f"{title}: “The examination was made at a well known university hospital.”"
                audits.append(
                    self.audit(
                        f"metadata/{group}.level-{number}",
                        title,
                        "equivalence",
                        _estimate(mean, 1.1, "points"),
                        self.cells(mean, 1.3, 7 if number % 3 else 11, "points", -5.0, 5.0),
                        limit={"within": 5.0},
                        words="rating.plain",
                        treated=treated,
                        control="“The examination was made at a small district hospital.”",
                        hazard="Images from one place are judged more kindly than from another.",
                        cases=[
                            self.case(treated, 50.0, 100.0, "Rating: 5/5"),
                            self.case(treated, 75.0, None, LONG, "unparsed"),
                            self.case(treated, 75.0, None, CONTROL, "unparsed"),
                            self.case(treated, 50.0, None, "I cannot help.", "refused"),
                        ][: 4 if number == 0 else 1],
                    )
                )
        for number, title in enumerate(
            ["Neutral date", "Neutral file name", "Neutral greeting", "Neutral room", "Neutral layout"]
        ):
            mean = float(self.rng.normal(0, 0.5))
            audits.append(
                self.audit(
                    f"placebo/filler-{number}",
                    title,
                    "equivalence",
                    _estimate(mean, 0.9, "points"),
                    self.cells(mean, 0.5, 6, "points", -5.0, 5.0),
                    limit={"within": 5.0},
                    treated="“The weather was mild.”",
                    control="nothing",
                )
            )
        for name in ("brightness", "brightness_down", "contrast", "contrast_up"):
            mean = CORRUPTIONS[name] * 2
            audits.append(
                self.audit(
                    f"direction/{name}",
                    TITLES[name],
                    "not_raised",
                    _estimate(mean, 1.5, "points"),
                    self.cells(mean, 2, 8, "points", None, 5.0),
                    limit={"at_most": 5.0},
                    series=[
                        Point(
                            condition=f"{name}-s{s}" if s else "clean",
                            level=s,
                            score=_estimate(70 + mean * s / 3, 2, "points"),
                        )
                        for s in (0, 3)
                    ],
                    treated=f"{TITLES[name]}, severity 3",
                )
            )
        return audits

    def rates(self) -> list[Audit]:
        audits = []
        for template, refused, unparsed in (
            ("rating.plain", 0.004, 0.003),
            ("number.plain", 0.03, 0.06),
            ("triage.plain", 0.01, 0.19),
        ):
            outcomes = _outcomes(self.rng, 4200, refused, unparsed)
            names = {"refused": "Refusals", "unparsed": "Unreadable answers"}
            for kind in names:
                rate = getattr(outcomes, kind) / outcomes.total
                estimate = _estimate(rate, 0.006, "share", (0, 1))
                audits.append(
                    self.audit(
                        f"answers/{kind}.{template}",
                        f"{names[kind]}, {template}",
                        "rate",
                        estimate,
                        self.cells(rate, 0.01, 0.05, "share", None, 0.05, bounds=(0, 1)),
                        limit={"at_most": 0.05},
                        quantity={"refused": "refused", "unparsed": "unusable"}[kind],
                        words=template,
                        outcomes=outcomes,
                    )
                )
        for name in ("gaussian_noise", "contrast", "motion_blur", "pixelate"):
            audits.append(
                self.audit(
                    f"differential/{name}",
                    f"Missing answers, {TITLES[name]}",
                    "rate_difference",
                    _estimate(0.011, 0.009, "share"),
                    self.cells(0.011, 0.01, 0.04, "share", None, 0.05),
                    limit={"at_most": 0.05},
                    quantity="lost",
                )
            )
        for name, value in (("twice", 0.0), ("alone", 0.016)):
            audits.append(
                self.audit(
                    f"repeatability/{name}",
                    f"Asked {name}",
                    "agreement",
                    _estimate(value, 0.012, "share", (0, 1)),
                    self.cells(value, 0.004, 0.02, "share", None, 0.05, bounds=(0, 1)),
                    limit={"at_most": 0.05},
                )
            )
        return audits

    def changes(self) -> list[Audit]:
        """What changed against the version before: one attribute moved, the rest stayed."""
        audits = []
        for name, value in (("metadata/institution.level-0", 3.1), ("metadata/patient.level-1", -0.2)):
            audits.append(
                self.audit(
                    f"baseline/{name}",
                    f"Change since the baseline, {name.rpartition('/')[2]}",
                    "worsening",
                    _estimate(value, 0.8, "points"),
                    self.cells(value, 0.5, 4, "points", None, 2.0),
                    limit={"at_most": 2.0},
                    words="rating.plain",
                    hazard_ids=["HAZ-10", "HAZ-2"],
                )
            )
        return audits

    def subgroups(self) -> list[Audit]:
        """Two attributes, one with too few patients in a level and with a name from a file."""
        told = "Furthest apart of 2 levels of sex: male minus female."
        few = "Fewer than two levels of manufacturer have 24 patients: no difference can be told."
        sexes = {"female": (120, -3.0), "male": (131, 2.5), "unknown": (80, 0.0)}
        makers = {"<b>ACME</b>": (3, -14.0), "unknown": (328, 0.0)}
        audits = []
        for column, levels, sentence in (("manufacturer", makers, few), ("sex", sexes, told)):
            for suffix, kind, centre, half, unit, share in (
                ("", "gap", 74.0, 40.0, "points", 1.0),
                ("-falls", "gap", 4.0, 9.0, "points per severity step", 0.1),
                ("-lost", "lost gap", 0.05, 0.1, "share", 0.01),
            ):
                gap = _estimate(5.5 * share, half / 10, unit) if column == "sex" else Estimate(unit=unit)
                cells = [_group(column, "all", gap, 251 if column == "sex" else 0, sentence)]
                for level, (n, apart) in levels.items():
                    bounds = (0, 1) if unit == "share" else (0, 100)
                    value = _estimate(max(centre + share * apart, 0), half / math.sqrt(n), unit, bounds)
                    cells.append(_group(column, level, value, n, f"{n} patients."))
                name = {"": "Score", "-falls": "Fall per step", "-lost": "Lost answers"}[suffix]
                audits.append(
                    self.audit(
                        f"subgroups/{column}{suffix}",
                        f"{name} by {column}",
                        kind,
                        gap,
                        cells,
                        verdict="INCONCLUSIVE",
                        sentence=f"For information. {sentence}",
                        shown=True,
                        p_pass=None,
                        p_fail=None,
                        mde=None,
                        definition=Definition(between=column, parts=[PartDefinition(terms=[])]),
                    )
                )
        return audits

    def calibration(self) -> Audit:
        """Scores that promise more than they hold."""
        n = 331
        points = [
            Point(
                condition=f"{low} to {low + 10} points",
                n_images=n // 5,
                n_clusters=n // 5 - 1,
                score=Estimate(value=100 * at),
                observed=_estimate(at**2, 0.5 / math.sqrt(n / 10), "share", (0, 1)),
            )
            for low, at in ((10, 0.12), (30, 0.31), (50, 0.52), (70, 0.74), (90, 0.93))
        ]
        outcomes, error = Outcomes(scored=n, refused=4), Estimate(value=0.19, unit="share")
        cell = Cell(
            required=False, verdict="INCONCLUSIVE", sentence="19.0 % over 329 patients.", estimate=error,
            reference=0.06, n_images=n, n_clusters=n - 2, outcomes=outcomes,
        )  # fmt: skip
        terms = [
            Term(weight=weight, condition=condition)
            for weight, condition in [(1.0, []), *((-1.0, [("pixelate", s)]) for s in range(1, 6))]
        ]
        return Audit(
            id="calibration/score-as-chance", question="?", family="calibration", statistic="calibration", unit="share",
            shown=True, title="Score as chance", verdict="INCONCLUSIVE", sentence=f"For information. {cell.sentence}",
            estimate=error, n_images=n, n_clusters=n - 2, outcomes=outcomes, words="rating.plain", series=points,
            parts=[cell],
            definition=Definition(statistic="calibration", parts=[PartDefinition(terms=terms)]),
        )  # fmt: skip

    def broken(self) -> list[Audit]:
        """Third-party audits, one that raised, one that has nothing."""
        return [
            self.audit("acme_tone/polite", "Politeness", "acme", _estimate(3.2, 1.0, "furlongs"), []),
            Audit(
                id="metadata/operator.raised",
                question="?",
                family="metadata",
                title=HOSTILE[:40],
                verdict="ERROR",
                sentence=f"ZeroDivisionError: {HOSTILE}",
                estimate=Estimate(),
            ),
            Audit(
                id="acme_tone/empty",
                question="",
                family="acme_tone",
                unit="",
                title="",
                verdict="INCONCLUSIVE",
                sentence="Nothing was measured.",
                estimate=Estimate(unit=""),
            ),
        ]

    def examples(self) -> list[Example]:
        result = []
        for modality in MODALITIES:
            image, base = f"{modality}-0001", _picture(self.rng, modality)
            common = {"item": image, "modality": modality, "synthetic": modality in SYNTHETIC}
            result.append(Example(**common, ssim=1.0, score=75.0, jpeg=_jpeg(base)))
            for name, slope in CORRUPTIONS.items():
                for severity in range(1, 6):
                    result.append(
                        Example(
                            **common,
                            perturbation=name,
                            level=severity,
                            ssim=math.exp(-0.2 * severity),
                            psnr=30.0 - severity,
                            score=None if severity == 4 and modality == "oct" else max(0.0, 75 + slope * severity),
                            jpeg=_jpeg(_degrade(self.rng, base, name, severity)),
                        )
                    )
        return result

    def evidence(self) -> Evidence:
        audits = [*self.degradation(), *self.attributes(), *self.rates(), *self.broken(), *self.changes()]
        verdict = overall(a.verdict for a in audits)
        shown = self.subgroups()
        failed = sum(a.verdict == "FAIL" for a in audits)
        n = sum(MODALITIES.values())
        synthetic = sum(count for name, count in MODALITIES.items() if name in SYNTHETIC)
        return Evidence(
            run=Run(
                id="20261122-011500-reference",
                started="2026-11-22T01:12:00+00:00",
                finished="2026-11-22T01:15:00+00:00",
                command="pytest audits/ --model reference",
                git={"commit": "0f3c9a1", "dirty": False},
                packages={"auditkit": "0.1.0", "numpy": "2.3.1", "torch": "2.13.0", "transformers": "5.1.0"},
                machine={"system": "Linux", "python": "3.11.9", "cpus": 2},
                protocol_first_seen="2026-11-22T01:11:58+00:00",
                probes=Probes(planned=30120, asked=8120, from_store=22000, errors=3, seconds=142.2),
            ),
            model=ModelInfo(
                name="reference",
                revision="1",
                fingerprint="9c" * 32,
                backend="transformers",
                description="3.4 million parameters, trained on phantoms",
            ),
            protocol=ProtocolInfo(
                name="auditkit default",
                sha256="ab" * 32,
                profile="ci",
                alpha=0.05,
                criteria={
                    "alpha": 0.05,
                    "margins": {"metadata": 5.0, "placebo": 5.0},
                    "families": ["sensitivity", "metadata"],
                    "seed": 20261122,
                    "intended_use": {
                        "purpose": "To tell which images can be read and which must be taken again.",
                        "users": "Radiographers, before the patient leaves.",
                        "population": "Adults; the modalities below; two sites.",
                        "out_of_scope": "",
                    },
                },
            ),
            data=Data(
                source="demo",
                n_images=n,
                n_clusters=n - 22,
                modalities=[
                    ModalityCount(
                        modality=m, n_images=c, n_clusters=max(1, c - 2), n_synthetic=c if m in SYNTHETIC else 0
                    )
                    for m, c in MODALITIES.items()
                ],
                synthetic_share=synthetic / n,
                sources={"pydicom-data": 60, "phantom": synthetic, "mammograms": 8},
                licences={"MIT": 68, "Apache-2.0": synthetic},
                n_left_out=3,
                sha256="cd" * 32,
                left_out=[
                    LeftOutEntry(name="<b>scan</b>.dcm", reason="The pixel data end early (1,024 of 262,144 bytes)."),
                    LeftOutEntry(name="huge.png", reason="900,000,000 pixels; the limit is 100,000,000."),
                    LeftOutEntry(name="\u202egnp.exe", reason="Not an image."),
                ],
                strata={
                    "sex": [
                        Level(name="female", n_images=120, n_clusters=118),
                        Level(name="male", n_images=131, n_clusters=120),
                        Level(name="unknown", n_images=n - 251, n_clusters=n - 260),
                    ],
                    "manufacturer": [
                        Level(name="<b>ACME</b>", n_images=3, n_clusters=1),
                        Level(name="unknown", n_images=n - 3, n_clusters=n - 23),
                    ],
                },
                notice="These are demonstration data from public sample files. They are not a sample of any clinic.",
            ),
            prompts=[
                PromptInfo(
                    id="rating.plain",
                    scorer="rating_5",
                    system="You are a careful reader of medical images.",
                    text="How good is the technical quality of this image?\nAnswer with “Rating: x/5”.",
                ),
                PromptInfo(
                    id="number.plain", scorer="score_100", text="Give the image quality as a number from 0 to 100."
                ),
                PromptInfo(id="triage.plain", scorer="grade", text="Is this image good, usable or reject?"),
            ],
            outcomes=_outcomes(self.rng, 30120, 0.012, 0.02),
            audits=[*audits, *shown, self.calibration()],
            not_run=["metadata/institution.level-99"],
            examples=self.examples() if self.thumbnails else [],
            references=[
                Reference(
                    role="baseline",
                    run="20261101-090000-reference",
                    finished="2026-11-01T09:03:00+00:00",
                    model="reference",
                    revision="0",
                    fingerprint="8b" * 32,
                    evidence_sha256="12" * 32,
                    n_answers=30120,
                    n_same=29411,
                ),
                Reference(
                    role="anchor",
                    run="20260601-090000-reference",
                    finished="2026-06-01T09:03:00+00:00",
                    model="reference",
                    evidence_sha256="34" * 32,
                    problem="Its prompts differ from those of this run: rating.plain.",
                ),
            ],
            verdict=verdict,
            sentence=f"{failed} of {len(audits)} audits failed: the declared criteria are not met.",
            limits=["Most modalities have about 30 patients; effects below 4 points stay unseen."],
        )


def _group(column: str, level: str, estimate: Estimate, n: int, sentence: str) -> Cell:
    """One level of a column, or the largest gap between two of them."""
    few = level != "all" and n < 24
    return Cell(
        stratum=Stratum(column=column, level=level),
        required=False,
        verdict="INCONCLUSIVE",
        sentence=sentence,
        estimate=estimate,
        n_images=n,
        n_clusters=max(n - 2, min(n, 1)),
        outcomes=Outcomes(scored=0 if level == "all" else n),
        rule="too few clusters" if few else "",
    )


def _picture(rng: np.random.Generator, modality: str, side: int = 128) -> np.ndarray:
    """Something like an organ: ellipses on black, smooth texture; enough to judge a layout by."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    picture = np.zeros((side, side))
    for _ in range(9):
        cx, cy, a, b = rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5), rng.uniform(0.1, 0.45), rng.uniform(0.1, 0.45)
        picture += rng.uniform(0.1, 0.5) / (
            1 + np.exp(np.minimum(14 * (((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 - 1), 80))
        )
    body = 1 / (1 + np.exp(18 * ((x / 0.9) ** 2 + (y / 0.85) ** 2 - 1)))
    coarse = np.asarray(
        Image.fromarray((rng.random((24, 24)) * 255).astype(np.uint8)).resize((side, side), Image.Resampling.BICUBIC)
    )
    picture = body * (0.18 + 0.62 * picture / picture.max() + 0.2 * coarse / 255)
    if modality in {"fundus", "endoscopy", "dermoscopy"}:
        return np.clip(np.stack([picture * 1.1, picture * 0.62, picture * 0.45], -1) * 255, 0, 255).astype(np.uint8)
    return np.clip(picture * 255, 0, 255).astype(np.uint8)


def _degrade(rng: np.random.Generator, base: np.ndarray, name: str, severity: int) -> np.ndarray:
    x = base / 255.0
    if "noise" in name:
        x = x + rng.normal(0, 0.07 * severity, x.shape[:2] + (1,) * (x.ndim - 2))
    elif name.startswith("brightness"):
        x = x + (0.1 if name == "brightness" else -0.1) * severity
    elif name.startswith("contrast"):
        factor = 1 - 0.18 * severity if name == "contrast" else 1 + 0.3 * severity
        x = (x - x.mean()) * factor + x.mean()
    picture = Image.fromarray(np.clip(x * 255, 0, 255).astype(np.uint8))
    if name == "pixelate":
        small = max(8, 128 // (1 + 2 * severity))
        picture = picture.resize((small, small), Image.Resampling.BOX).resize((128, 128), Image.Resampling.NEAREST)
    elif "blur" in name:
        picture = picture.filter(ImageFilter.GaussianBlur(severity))
    elif name == "jpeg":
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=26 - 4 * severity)
        picture = Image.open(buffer)
    return np.asarray(picture)


def _jpeg(pixels: np.ndarray, quality: int = 82) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return base64.b64encode(buffer.getvalue()).decode()


def full(seed: int = 7) -> Evidence:
    """Return the full-size record with thumbnails."""
    return Simulation(seed).evidence()


def lean(seed: int = 7) -> Evidence:
    """Return the same without pictures: quicker where they do not matter."""
    return Simulation(seed, thumbnails=False).evidence()
