"""Which verdicts and which intervals are counted, on audits made by hand and by the judge."""

from __future__ import annotations

import math

import pytest

from auditkit.evidence import Audit, Cell, Estimate, Outcomes, Point, Stratum
from auditkit.testing import NOISES
from validation import gates
from validation.counting import misses_of, verdicts_of
from validation.jobs import Job
from validation.measured import situation
from validation.models import Gaps, Shifting, mean_excess
from validation.setting import Setting


def cell(verdict="PASS", low=-6.0, high=-4.0, modality="ct", *, required=True, **more):
    estimate = Estimate(value=-5.0, low=low, high=high, level=0.9)
    return Cell(
        stratum=Stratum(level=modality), required=required, verdict=verdict, sentence="", estimate=estimate, **more
    )


def audit(*cells, verdict="PASS", statistic="mean", unit="points", series=()):
    return Audit(
        id="measured/x", question="", family="measured", statistic=statistic, unit=unit, title="", verdict=verdict,
        sentence="", estimate=Estimate(), outcomes=Outcomes(), parts=list(cells), series=list(series),
    )  # fmt: skip


def test_only_cells_on_the_margin_are_decisions_and_any_required_cell_can_fail():
    what = situation(Setting("equivalence, pooled", "discrete", "1", 24))
    counts = verdicts_of(
        audit(cell("PASS", modality="all"), cell("PASS"), cell("FAIL", modality="mr"), verdict="FAIL"), what
    )
    assert counts["decisions"] == counts["decisions PASS"] == 1
    assert counts["any FAIL"] == 1
    assert counts["audit FAIL"] == 1
    counts = verdicts_of(audit(cell("INCONCLUSIVE", modality="all"), cell("FAIL", required=False)), what)
    assert counts["decisions PASS"] == counts["any FAIL"] == 0


@pytest.mark.parametrize(
    ("low", "high", "below", "above"),
    [(-6, -4, 0, 0), (-7, -5.1, 1, 0), (-4.9, 1, 0, 1), (-5, -4, 0, 0), (None, -5.5, 1, 0), (None, None, 0, 0)],
)
def test_an_interval_misses_on_one_side(low, high, below, above):
    what = situation(Setting("equivalence", "discrete", "1", 24))  # the truth is -5
    counts = misses_of(audit(cell(low=low, high=high)), what, "none")
    assert (counts["estimate, intervals"], counts["estimate, below"], counts["estimate, above"]) == (1, below, above)
    assert counts["excess of jumps, intervals"] == 0  # its true value is not known here


def test_the_worst_case_may_be_too_bad_but_not_too_good():
    worst = Estimate(value=0.5, low=0.4, high=0.6, level=0.9, unit="AUROC")
    for gate, kind, statistic in (("discrimination", "discrete low", "area"), ("equivalence", "discrete", "mean")):
        what = situation(Setting(gate, kind, "1", 64, "margin", "worst"))
        unit = "AUROC" if statistic == "area" else "points"
        counts = misses_of(audit(cell(worst_case=worst), statistic=statistic, unit=unit), what, "worst")
        assert counts["worst case, below"] == 0
        assert counts["worst case, above"] == (gate == "equivalence")  # 0.4 lies above -5, and below 0.7
        assert "estimate, intervals" not in counts  # of those that are left
        assert not misses_of(audit(cell(worst_case=worst), statistic=statistic, unit=unit), what, "best")


def test_a_fall_is_counted_as_a_change_downwards():
    what = situation(Setting("sensitivity", "discrete", "1", 24))  # the fall is 2 points per step
    for low, high, side in ((2.5, 3.0, "below"), (1.0, 1.5, "above")):
        falls = audit(cell(low=low, high=high), unit="points per severity step")
        assert misses_of(falls, what, "none")[f"estimate, {side}"] == 1
    falls = audit(cell(low=None, high=2.5), unit="points per severity step")
    assert misses_of(falls, what, "none") == {"estimate, intervals": 1, "estimate, below": 0, "estimate, above": 0}


def test_points_of_figures_are_held_against_the_same_model():
    what = situation(Setting("sensitivity", "discrete", "1", 24))
    reader = what.behaviour
    assert isinstance(reader, Shifting)

    def point(severity, score, change, area):
        return Point(
            stratum=Stratum(level="ct"), condition="", level=severity,
            score=Estimate(value=score, low=score, high=score),
            change=None if change is None else Estimate(value=change, low=change, high=change),
            auroc=None if area is None else Estimate(value=area, low=area, high=area),
        )  # fmt: skip

    true = [point(0, 55, None, None), point(3, 49, -6, round(reader.auroc(-6.0), 6))]
    counts = misses_of(audit(series=true), what, "none")
    assert {k: v for k, v in counts.items() if v} == {
        "score of a severity, intervals": 2, "change of a severity, intervals": 1, "AUROC of a severity, intervals": 1,
    }  # fmt: skip
    off = [point(3, 48, -5.9, 0.5)]
    counts = misses_of(audit(series=off), what, "none")
    assert counts["score of a severity, below"] == counts["change of a severity, above"] == 1
    assert counts["AUROC of a severity, below"] == 1


def test_cut_scores_have_the_mean_they_are_said_to_have():
    reader = Shifting(lambda q, m: 0.0, NOISES["noisy"], base=95.0, between=10.0)
    from scipy import integrate, stats

    sd = math.hypot(10.0, 10.0)
    wanted = integrate.quad(lambda x: min(max(x, 0), 100) * stats.norm.pdf(x, 95, sd), -20, 250, points=[0, 100])[0]
    assert reader.mean(0.0) == pytest.approx(wanted, abs=1e-6)
    assert mean_excess(0.0, 1.0, 0.0) == pytest.approx(1 / math.sqrt(2 * math.pi))


def test_a_job_counts_all_its_replicates():
    counts = gates.run(Job("gates", "not raised/rare/1-4/64/margin/random", 0, 3))
    assert counts["replicates"] == counts["decisions"] == 3
    assert sum(n for name, n in counts.items() if name.startswith("audit ")) == 3
    assert counts["score of a severity, intervals"] == 3 * 4  # clean and severity 5, all patients and the modality
    assert isinstance(situation(Setting("not raised", "rare", "1-4", 64, "margin", "random")).behaviour, Gaps)
