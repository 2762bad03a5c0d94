"""Records made to hold everything that a clause can ask for, or nothing."""

from __future__ import annotations

from typing import Any

from auditkit.evidence import (
    AnswerColumn,
    Answers,
    Audit,
    Case,
    Cell,
    Data,
    Definition,
    Estimate,
    Evidence,
    ItemEntry,
    Level,
    ModalityCount,
    ModelInfo,
    Outcomes,
    PartDefinition,
    Point,
    PromptInfo,
    ProtocolInfo,
    Reference,
    Run,
    Stratum,
    Term,
    Verdict,
)
from tests.report.sample import KINDS

FAMILIES = (
    "sensitivity", "discrimination", "direction", "metadata", "placebo", "templates", "answers", "differential",
    "repeatability", "baseline",
)  # fmt: skip
KIND_OF: dict[str, dict[str, Any]] = {
    "sensitivity": KINDS["sensitivity"],
    "discrimination": KINDS["discrimination"],
    "direction": KINDS["not_raised"],
    "templates": KINDS["equivalence"] | {"words": "quality.direct, quality.reader"},
    "answers": KINDS["rate"] | {"quantity": "refused"},
    "differential": KINDS["rate_difference"] | {"quantity": "lost"},
    "repeatability": KINDS["agreement"] | {"quantity": "said"},
    "baseline": KINDS["worsening"],
}
INTERVAL = Estimate(value=1.25, low=-0.5, high=3.0, level=0.95, unit="points")


def audit(family: str, verdict: Verdict = "PASS", name: str = "one", **more: Any) -> Audit:
    cell = Cell(
        stratum=Stratum(level="ct"),
        verdict=verdict,
        sentence="S.",
        estimate=INTERVAL,
        margin_low=-5.0,
        margin_high=5.0,
        p_fail_holm=1.0,
    )
    case = Case(
        item="a", modality="ct", synthetic=False, condition="c", control_answer="1", treated_answer="2", why="Largest."
    )
    levels = family in ("sensitivity", "discrimination", "direction")
    point = Point(condition="blur-s3", level=3, score=INTERVAL, ssim=0.8)
    fields: dict[str, Any] = {
        "id": f"{family}/{name}", "question": "?", "family": family, "title": name,
        **KIND_OF.get(family, KINDS["equivalence"]), "verdict": verdict, "sentence": "S.", "estimate": INTERVAL,
        "limit": {"within": 5.0}, "p_pass": 0.01,
        "mde": 2.0, "hazard": "Harm.", "hazard_ids": ["HAZ-1"], "n_images": 100, "n_clusters": 90, "parts": [cell],
        "cases": [case], "series": [point] if levels else [],
    }  # fmt: skip
    return Audit(**(fields | more))


def calibrated() -> Audit:
    """Shown, and held against nothing."""
    point = Point(condition="50 to 60 points", score=Estimate(value=50.0), observed=INTERVAL)
    own = {"shown": True, "statistic": "calibration", "series": [point], "verb": "", "limit": {}, "parts": []}
    return audit("calibration", "INCONCLUSIVE", "score-as-chance", cases=[], mde=None, **own)


def group(column: str, *levels: str, gap: Estimate | None = INTERVAL, sentence: str = "It can be told.") -> Audit:
    """Results by one column, shown for information."""
    found = Estimate() if gap is None else gap
    cells = [
        Cell(
            stratum=Stratum(column=column, level=level),
            required=False,
            verdict="INCONCLUSIVE",
            sentence=sentence,
            estimate=found if level == "all" else INTERVAL,
            n_images=40,
            n_clusters=30,
        )
        for level in ("all", *levels)
    ]
    return Audit(
        id=f"subgroups/{column}", question="?", family="subgroups", title=f"Score by {column}", shown=True,
        verdict="INCONCLUSIVE", sentence=sentence, estimate=found, parts=cells,
        definition=Definition(between=column, parts=[PartDefinition(terms=[])]),
    )  # fmt: skip


def right(family: str, task: str = "pneumonia.present", *, value: str = "correct", **more: Any) -> Audit:
    """Right answers to a task, of the audited model unless a role is given."""
    part = PartDefinition(terms=[Term(task=task, value=value, role=more.pop("role", "model"), weight=1.0)])
    own = {"quantity": value, "unit": "share", "definition": Definition(parts=[part]), "words": f"{task}.direct"}
    return audit(family, **(own | more))


def right_by_sex() -> Audit:
    """Right answers compared between the sexes, for information."""
    compared = Definition(between="sex", parts=right("recall").definition.parts)
    return group("sex", "female", "male").model_copy(
        update={"id": "recall/by-sex", "family": "recall", "quantity": "correct", "definition": compared}
    )


def groups() -> list[Audit]:
    """Results by the four columns that clauses ask for."""
    return [
        group("sex", "female", "male"), group("age", "0-9", "40-49"),
        group("site", "a", "b"), group("manufacturer", "x", "y"),
    ]  # fmt: skip


def strata(unknown: int = 0, total: int = 100) -> list[Level]:
    half = (total - unknown) // 2
    sizes = {"a": half, "b": total - unknown - half, "unknown": unknown}
    return [Level(name=name, n_images=n, n_clusters=n) for name, n in sizes.items() if n]


def complete(**changes: Any) -> Evidence:
    """Everything that any clause asks for."""
    evidence = Evidence(
        run=Run(
            id="r1", started="2026-11-22T10:00:00+00:00", finished="2026-11-22T11:00:00+00:00",
            git={"commit": "abc", "dirty": False}, packages={"auditkit": "0.1.0"}, machine={"cores": 2},
            probes={"seconds": 3.5}, protocol_first_seen="2026-11-22T09:00:00+00:00",
            protocol_first_judged="2026-11-22T10:00:00+00:00",
        ),
        model=ModelInfo(name="m", family="gemma3", revision="1", fingerprint="f", backend="transformers"),
        protocol=ProtocolInfo(
            name="p", sha256="ab" * 32, profile="ci", alpha=0.05, toml="name = 'p'",
            criteria={
                "images": {"max_side": 224},
                "statistics": {"missing_points": 25.0},
                "intended_use": {"purpose": "P.", "users": "U.", "population": "Q.", "out_of_scope": "O."},
            },
        ),
        data=Data(
            source="folder", n_images=100, n_clusters=90, synthetic_share=0.0, sources={"clinic": 100},
            modalities=[ModalityCount(modality="ct", n_images=100, n_clusters=90, n_synthetic=0)],
            licences={"own": 100}, sha256="cd" * 32,
            strata={name: strata() for name in ("sex", "age", "site", "manufacturer")},
        ),
        prompts=[PromptInfo(id="quality.p1", scorer="score_100", text="How good?")],
        outcomes=Outcomes(scored=99, refused=1),
        audits=[*(audit(family) for family in FAMILIES), audit("embeddings", shown=True), calibrated(), *groups(),
            right("skill"), right_by_sex()],
        references=[
            Reference(role="baseline", run="r0", finished="", model="m", evidence_sha256="e", n_answers=50, n_same=40)
        ],
        answers=Answers(
            items=[ItemEntry(id="a", cluster="b", modality="ct")],
            columns=[AnswerColumn(task="quality", wording="p1", values={"": "50"})],
            sha256="ef" * 32,
        ),
        verdict="PASS", sentence="All audits passed.", limits=["Small."],
    )  # fmt: skip
    return evidence.model_copy(update=changes)


def empty() -> Evidence:
    """A record as the schema allows it, with nothing in it."""
    return Evidence(
        run=Run(id="", started="", finished=""),
        model=ModelInfo(name=""),
        protocol=ProtocolInfo(name="", sha256="", profile="", alpha=None, criteria={}),
        data=Data(source="", n_images=0, n_clusters=0, modalities=[], synthetic_share=None),
        audits=[],
        verdict="INCONCLUSIVE",
        sentence="",
    )
