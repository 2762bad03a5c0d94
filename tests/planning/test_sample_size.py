"""Sample sizes: against statsmodels, against the gates on simulated patients, and from a pilot to a run that passes."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from auditkit.errors import AuditkitError
from auditkit.planning import Assumed, as_text, plan_from_sd, with_margin
from auditkit.protocol.effects import areas, change, differs, falls, mean, rises, share, wordings
from auditkit.protocol.read import load_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.stats.equivalence import equivalence
from auditkit.stats.planning import cells_power
from auditkit.stats.reduce import cluster_means
from auditkit.stats.sequential import nominal_levels
from auditkit.stats.tail import excess_of_jumps
from auditkit.vocabulary import Effect, Perturbation
from tests.judge.build import protocol

SHIPPED_PROTOCOL = Path(__file__).parents[2] / "audits" / "protocol.toml"
TAIL = {"beyond": 25.0, "share": 0.1}
WORDS = change(Perturbation("institution.reputation.high"), family="metadata")


def planned(assumed, effects=(WORDS,), **family):
    """The plan for effects of one family."""
    rules = protocol(families={effects[0].family: {"tail": TAIL, **family} if "within" in family else family})
    return plan_from_sd(rules, assumed, effects=effects)


def numbers(plan):
    return [(need.one_audit, need.whole_gate) for need in plan.needs]


def t_power(distance, n, alpha=0.05):
    """Power of the one-sided t test with one patient fewer, and with n."""
    return [TTestPower().power(distance, k, alpha, alternative="larger") for k in (n - 1, n)]


# --- from assumptions ---


@pytest.mark.parametrize("modalities", [1, 8])
def test_one_sided_sizes_are_those_of_statsmodels(modalities):
    """A rise of 1 against a margin of 5, and a fall of 4 against a floor of 2 with the spread of a fitted slope."""
    rules = protocol(
        families={
            "direction": {"at_most": 5.0},
            "sensitivity": {"at_least": 2.0},
        }
    )
    effects = [*SHIPPED["direction"]()[:2], *SHIPPED["sensitivity"]()[:3]]
    # So wide that the interval of the spread is wider than the room for patients who were not seen.
    plan = plan_from_sd(rules, Assumed(60.0, effect=1.0, fall=4.0), effects=effects, modalities=modalities)
    slope_sd = 60 / math.sqrt(2) / math.sqrt(17.5)  # six equally spaced severities: sum of squares 17.5
    claims = 5 * modalities, modalities
    for need, distance, size in zip(plan.needs, (4 / 60, 2 / slope_sd), claims, strict=True):
        for n, power in (
            (need.one_audit, cells_power(0.9, size)),
            (need.whole_gate, cells_power(0.9, 2 * claims[0] + 3 * claims[1])),
        ):
            short, enough = t_power(distance, n)
            assert short < power + 1e-6
            assert enough >= power - 1e-6
    assert plan.claims == 2 * claims[0] + 3 * claims[1]
    assert plan.audits == 5


@pytest.mark.parametrize(("sd", "images", "effect"), [(8.0, 1, 0.0), (11.0, 1, 1.0), (9.0, 3, 0.0)])
def test_the_gate_passes_as_often_as_planned(sd, images, effect):
    """400 data sets of as many normal patients as planned, through the gate's two criteria; standard error 0.015."""
    assumed = Assumed(sd, effect=effect, images_per_patient=images, correlation=0.4)
    need = planned(assumed, within=5.0).needs
    n = max(claim.one_audit for claim in need)

    def passing(patients):
        rng = np.random.default_rng(5)

        def drawn(mean):
            shared = rng.standard_normal((patients, 1, 400))
            own = rng.standard_normal((patients, images, 400))
            return mean + sd * (math.sqrt(0.4) * shared + math.sqrt(0.6) * own)

        changes, noise = drawn(effect), drawn(0.0)
        codes = np.repeat(np.arange(patients), images)
        means = cluster_means(changes.reshape(-1, 400), codes)
        inside = [r.decision == "inside" for r in equivalence(means, -5, 5, alpha=0.05, resamples=1000, seed=1)]
        excess = (np.abs(changes) > 25).mean(axis=1) - (np.abs(noise) > 25).mean(axis=1)
        few = [excess_of_jumps(excess[:, i], 0.1, 0.05).decision == "inside" for i in range(400)]
        return np.mean(np.logical_and(inside, few))

    assert passing(n) >= 0.9 - 0.045
    assert passing(n // 2) < 0.9


def test_a_score_that_never_moves_passes_too():
    for margin, least in ((5.0, 59), (10.0, 29)):
        plan = planned(Assumed(0.1), within=margin)
        assert plan.needs[0].one_audit == plan.needs[0].whole_gate == least


def test_the_minima_of_the_gate_are_kept():
    """Ten patients must differ where a spread decides; areas that are told apart need 0.7^(n / 2) < 0.05."""
    rules = protocol(families={"metadata": {"within": 60.0}})
    assert numbers(plan_from_sd(rules, Assumed(0.5), effects=[WORDS])) == [(10, 10)]
    rules = protocol(families={"x": {"at_least": 0.7, "required": ["severity 5"]}})
    plan = plan_from_sd(rules, Assumed(5.0, area=0.9), effects=[areas("pixelate", family="x")])
    [minima] = [note for note in plan.notes if note.startswith("Minima")]
    assert minima.endswith("the others: 17 for an AUROC above 0.70 when all images are told apart.")


@pytest.mark.parametrize(
    ("family", "assumed", "said"),
    [
        ({"within": 4.0}, {}, ["74 for ± 4 points when the score never moves"]),
        ({"at_most": 4.0}, {"effect": -3.0}, ["74 for ± 4 points when the score never moves"]),
        ({"at_least": 4.0}, {"effect": 9.0}, []),  # a score that never moves does not rise
        ({"within": 100.0}, {}, []),  # and is always within all that there is
        ({"within": 4.0, "in_each": 10.0}, {}, ["74 for ± 4 points and 29 for ± 10 points when the score never moves"]),
    ],
)
def test_minima_are_told_of_limits_that_have_one(family, assumed, said):
    rules = protocol(families={"metadata": family})
    notes = plan_from_sd(rules, Assumed(8.0, **assumed), effects=[WORDS]).notes
    found = [note for note in notes if note.startswith("Minima")]
    assert found == [
        f"Minima, because patients who were not seen may be quite unlike the others: {one}." for one in said
    ]


def test_more_of_everything_takes_more_patients():
    rules = load_protocol(SHIPPED_PROTOCOL)
    assumed = Assumed(10.0)
    base = plan_from_sd(rules, assumed, modalities=2)

    def grown(plan):
        pairs = list(zip(plan.needs, base.needs, strict=True))
        assert all(new.whole_gate >= old.whole_gate for new, old in pairs)
        return any(new.whole_gate > old.whole_gate for new, old in pairs)

    assert grown(plan_from_sd(rules, replace(assumed, model_sd=11.0), modalities=2))
    assert grown(plan_from_sd(rules, replace(assumed, effect=2.0), modalities=2))
    assert grown(plan_from_sd(rules, replace(assumed, share=0.02), modalities=2))
    assert grown(plan_from_sd(rules, assumed, modalities=2, power=0.95))
    assert grown(plan_from_sd(rules, assumed, modalities=6))
    assert grown(plan_from_sd(load_protocol(SHIPPED_PROTOCOL, looks=3), assumed, modalities=2))
    for need in base.needs:
        assert need.whole_gate >= need.one_audit


def test_all_claims_of_the_shipped_audits_are_counted():
    rules = load_protocol(SHIPPED_PROTOCOL)
    plan = plan_from_sd(rules, Assumed(5.0), modalities=3)
    not_assumed = {"flags", "authority_answers", "recognition", "recognition_loss", "recognition_looking"}
    gates = [name for name, family in rules.families.items() if not family.shown]
    count = {name: len(SHIPPED[name]()) for name in gates if name not in not_assumed}
    assert plan.audits == sum(count.values())
    severities = len(rules.families["discrimination"].required)
    per_modality = (
        count["sensitivity"] + count["discrimination"] * severities + count["direction"] * 5
        + count["metadata"] + count["placebo"] + count["answers"] + count["differential"]
        + count["repeatability"] + count["looking"] + count["spared"] + count["burnt_in"] + count["authority"]
    )  # fmt: skip
    pairs = sum(len(effect.parts) for effect in SHIPPED["templates"]())
    # The mean of five severities, or the mean and the tail.
    with_tail = count["metadata"] + count["placebo"] + count["authority"]
    together = 5 * count["direction"] + 2 * with_tail + pairs + count["burnt_in"]
    assert plan.claims == 3 * (per_modality + pairs) + together


def test_totals_count_every_modality():
    plan = plan_from_sd(load_protocol(SHIPPED_PROTOCOL), Assumed(8.0), modalities=5)
    whole = plan.patients(plan.needs, whole_gate=True)
    [each] = whole.by_stratum.values()
    assert whole.total == 5 * each
    assert each == max(n.whole_gate for n in plan.needs if n.where.level == "each")
    together = [need for need in plan.needs if need.where.level == "all"]
    assert plan.patients(together, whole_gate=True).total == max(need.whole_gate for need in together)


def test_jumps_by_noise_alone_are_no_excess_but_take_patients():
    """With sd 17.5 as many as 15 % of normal changes exceed 25 points, and as much of the noise."""
    plan = planned(Assumed(17.5), within=5.0)
    mean, tail = plan.needs
    by_noise = 2 * stats.norm.sf(25 / 17.5)
    assert mean.one_audit == pytest.approx(165, abs=5)
    assert (tail.claim, tail.assumed) == (
        "at most 10 % more answers move by > 25 points than by noise",
        "0 % more answers",
    )
    # Jumps and noise each vary like a share: Student's number, and more because few differ.
    students = (2.93 * math.sqrt(2 * by_noise * (1 - by_noise)) / 0.1) ** 2
    assert students < planned(Assumed(17.5), within=5.0).needs[1].one_audit < 1.5 * students


def test_an_excess_above_the_cap_is_settled_by_no_number():
    plan = planned(Assumed(12.0, effect=4.0), within=5.0, tail={"beyond": 25.0, "share": 0.01})
    assert plan.needs[1].assumed == "1.07 % more answers"
    assert plan.needs[1].one_audit is None
    assert plan.patients(plan.needs, whole_gate=True).total is None
    assert "No number of patients settles: metadata." in as_text(plan)


def test_early_looks_plan_for_the_level_of_the_last():
    families = {"metadata": {"within": 5.0, "tail": TAIL}}
    last = nominal_levels((1 / 3, 2 / 3, 1.0), 0.05, "pocock")[-1]
    looking, strict = (
        plan_from_sd(protocol(families=families, **more), Assumed(9.0), effects=[WORDS])
        for more in ({"looks": {"number": 3, "spending": "pocock"}}, {"profiles": {"ci": {"alpha": last}}})
    )
    assert numbers(looking) == numbers(strict)
    assert any(f"level {last:.4f} instead of 0.05" in note for note in looking.notes)


def test_a_margin_of_ones_own_holds_in_each_modality():
    rules = with_margin(load_protocol(SHIPPED_PROTOCOL), 7.0)
    plan = plan_from_sd(rules, Assumed(8.0), modalities=4)
    assert {need.claim for need in plan.needs if need.where.level == "all"} == {
        "at most 10 % more answers move by > 25 points than by noise"
    }
    means = [need.family for need in plan.needs if "± 7 points" in need.claim]
    # Metadata against the mean of neutral words, and in pairs.
    assert means == ["metadata", "metadata", "placebo", "templates", "burnt_in", "authority"]
    assert rules.families["sensitivity"] == load_protocol(SHIPPED_PROTOCOL).families["sensitivity"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"effect": 5.0}, r"change of 5 points does not keep within = 5 in \[families.metadata\]: no number"),
        ({"effect": -6.0}, "--effect"),
        ({"fall": 2.0}, "a fall of 2 points per step does not keep at_least = 2"),
        ({"area": 0.6}, "an AUROC of 0.6 does not keep at_least = 0.7"),
        ({"share": 0.1}, "a share of 0.1 does not keep at_most = 0.1"),
        ({"model_sd": 0.0}, "--model-sd is in points, above 0"),
        ({"model_sd": math.nan}, "--model-sd must be a number"),
        ({"share": -0.1}, "--share lies between 0 and 1"),
        ({"area": 1.0}, "--auroc lies between 0.5 and 1"),
        ({"images_per_patient": 0}, "one image or more"),
        ({"correlation": 1.5}, "--correlation lies between 0 and 1"),
    ],
)
def test_impossible_assumptions_are_answered_with_a_sentence(changes, words):
    rules = protocol()
    with pytest.raises(AuditkitError, match=words):
        plan_from_sd(rules, Assumed(**{"model_sd": 8.0, **changes}))


def test_other_impossible_values():
    for power in (0.0, 1.0, 1.2, math.nan):
        with pytest.raises(AuditkitError, match="power is a probability between 0 and 1"):
            plan_from_sd(protocol(), Assumed(8.0), power=power)
    for margin in (0.0, -5.0, 101.0, math.nan):
        with pytest.raises(AuditkitError, match="a margin is in points"):
            with_margin(protocol(), margin)
    with pytest.raises(AuditkitError, match="one modality or more"):
        plan_from_sd(protocol(), Assumed(8.0), modalities=0)
    with pytest.raises(AuditkitError, match=r"not known before they have run \(mine\)"):
        plan_from_sd(protocol(families={"mine": {"at_most": 0.1, "size": 1}}), Assumed(8.0))


def test_what_is_shown_or_not_known_is_named_and_not_planned():
    rules = protocol(
        families={
            "direction": {"at_most": 5.0},
            "placebo": {"within": 5.0, "shown": True},
            "mine": {"at_most": 0.1, "size": 1},
        }
    )
    plan = plan_from_sd(rules, Assumed(8.0))
    assert {need.family for need in plan.needs} == {"direction"}
    assert plan.audits == len(SHIPPED["direction"]())
    assert any("nothing rests on what is only shown: placebo." in note for note in plan.notes)
    assert any("only a pilot tells what its audits measure: mine." in note for note in plan.notes)


@pytest.mark.parametrize(("floor", "true"), [(10.0, 20.0), (60.0, 80.0)])  # twice the floor, or half-way to 100
def test_where_a_rise_is_asked_for_it_is_taken_to_be_there(floor, true):
    """Student's number for the distance to the floor, whatever is assumed of changes that should be small."""
    rules = protocol(families={"looking": {"at_least": floor}})
    plans = [plan_from_sd(rules, Assumed(60.0, effect=effect), effects=SHIPPED["looking"]()[:1]) for effect in (0, 3)]
    assert numbers(plans[0]) == numbers(plans[1])
    [need] = plans[0].needs
    assert need.claim == f"mean rise above {floor:g} points"
    short, enough = t_power((true - floor) / 60, need.one_audit)
    assert short < 0.9 <= enough


def test_a_pass_of_looking_takes_room_for_those_not_seen():
    """All rise by 20 points, and those not seen could fall by 100: (110 / 120)^n < 0.05 from 35 patients on."""
    plan = plan_from_sd(load_protocol(SHIPPED_PROTOCOL), Assumed(0.01))
    [need] = [need for need in plan.needs if need.family == "looking"]
    assert (110 / 120) ** 35 < 0.05 < (110 / 120) ** 34
    assert need.one_audit == 35


def test_what_a_spread_says_nothing_of_is_named():
    plan = plan_from_sd(load_protocol(SHIPPED_PROTOCOL), Assumed(8.0))
    right = "authority_answers, recognition, recognition_loss and recognition_looking"
    assert any(f"a spread of scores says nothing of right answers: {right}." in note for note in plan.notes)
    assert any("only a pilot tells what its audits measure: flags." in note for note in plan.notes)


def test_effects_are_planned_by_what_they_are_whatever_the_family_is_called():
    """One family for each kind of value, held to what it can be; only the number of its parts counts beside that."""
    families = {
        "a": {"at_least": 1.5},
        "b": {"at_least": 0.6, "required": ["severity 1"]},
        "c": {"at_most": 4.0},
        "d": {"at_most": 0.2},
        "e": {"within": 0.2},
        "f": {"at_least": 0.7},
        "g": {"within": 6.0},
        "h": {"at_most": 50.0},
    }
    lost = share("lost")
    effects: list[Effect] = [
        falls("pixelate", family="a"),
        areas("pixelate", (1, 2), family="b"),
        rises("pixelate", (1, 2), family="c"),
        differs(Perturbation("again", 1), family="d"),
        lost.under(Perturbation("pixelate", 5)).minus(lost).named("more-lost", "e"),
        share("refused", family="f"),
        wordings("quality", ("direct", "reader"), family="g"),
        mean(family="h"),
    ]
    plan = plan_from_sd(
        protocol(families=families), Assumed(8.0, share=0.9, fall=3.0), effects=effects[:3] + effects[6:]
    )
    said = {need.family: need.claim for need in plan.needs}
    assert said == {
        "a": "score falls by more than 1.5 points per severity step",
        "b": "AUROC above 0.60",
        "c": "mean rise below 4 points",
        "g": "mean change within ± 6 points",
    }
    assert plan.claims == 1 + 1 + 2 + 1
    assert any("tells what its audits measure: d, e, f and h" in note for note in plan.notes)
    shares = plan_from_sd(protocol(families=families), Assumed(8.0, share=0.1), effects=effects[3:5])
    assert [need.claim for need in shares.needs] == [
        "changed answers below 20 %",
        "lost answers rise by < 20 percentage points",
        "lost answers fall by < 20 percentage points",
    ]
    assert shares.needs[1].one_audit == shares.needs[2].one_audit
    often = plan_from_sd(protocol(families=families), Assumed(8.0, share=0.9), effects=[effects[5]])
    seldom = plan_from_sd(protocol(families={"d": {"at_most": 0.3}}), Assumed(8.0, share=0.1), effects=[effects[3]])
    assert [need.claim for need in often.needs] == ["refused answers above 70 %"]
    assert numbers(often) == numbers(seldom)


def test_a_limit_in_each_modality_is_planned_beside_that_over_all():
    rules = protocol(families={"direction": {"at_most": 3.0, "in_each": 6.0}})
    plan = plan_from_sd(rules, Assumed(8.0), effects=SHIPPED["direction"]()[:1], modalities=3)
    assert [(need.where.level, need.claim) for need in plan.needs] == [
        ("each", "mean rise below 6 points"),
        ("all", "mean rise below 3 points"),
    ]
    assert plan.claims == 5 * (3 + 1)


def test_an_interaction_spreads_more_than_a_change():
    """Four scores instead of two: the standard deviation is √2 times as large, so it takes about twice the patients."""
    pixelated = change(Perturbation("pixelate", 5))
    both = (
        pixelated.under(Perturbation("institution.reputation.high")).minus(pixelated).named("interaction", "metadata")
    )
    rules = protocol(families={"metadata": {"within": 5.0}})
    one, two = (plan_from_sd(rules, Assumed(sd), effects=[e]) for sd, e in ((20.0 * math.sqrt(2), WORDS), (20.0, both)))
    assert numbers(one) == numbers(two)


# --- as text ---


def test_the_text_of_a_plan_has_its_numbers_and_assumptions():
    plan = plan_from_sd(load_protocol(SHIPPED_PROTOCOL, "pilot"), Assumed(12.0, images_per_patient=2), modalities=8)
    text = as_text(plan)
    whole = plan.patients(plan.needs, whole_gate=True)
    assert "profile pilot (alpha 0.025 per side), with probability 0.9" in text
    assert f"{whole.total:,}" in text
    assert all(need.claim in text and need.assumed in text for need in plan.needs)
    said = " ".join(text.split())
    for words in ("72 for ± 5 points, 36 for ± 10 points and 29 for ± 12 points when the score never moves",
                  "36 for a share below 10 % without any event",
                  "21 for an AUROC above 0.70 when all images are told apart",
                  "2 images per patient", "Bonferroni",
                  "a little wider", "normal; how many answers jump"):  # fmt: skip
        assert words in said
