"""Whole comparisons of made-up models with known truth."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from auditkit.cli import main
from auditkit.evidence import Evidence
from auditkit.evidence.comparison import ComparedAudit, Comparison, Difference, Summary
from auditkit.protocol.effects import mean
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from auditkit.protocol.right_answers import accuracy, loses, recall, skill
from auditkit.protocol.shipped import SHIPPED
from auditkit.records.compare import compare
from auditkit.records.compare.describe import described
from auditkit.records.compare.effects import effect_of, is_distance
from auditkit.records.compare.joint import Settings, joint_intervals
from auditkit.testing import DEFECTS, Asked, BaseRate, Knowing, Planted, Replies, labelled_images, made_up_images
from tests.judge.build import answered, images, measured
from tests.records.compare.made_up import Seeing, record, some_effects

FAMILIES = ("sensitivity", "discrimination", "direction", "metadata", "templates", "answers", "differential")
PATIENTS = {"ct": 48, "xray": 48}
REPUTATION = "metadata/institution.reputation-high-vs-low"


def effects() -> list:
    words = [e for e in SHIPPED["metadata"]() if e.name.startswith("institution.reputation")]
    return [*some_effects(*FAMILIES, "repeatability", most=2), *words]


def model(name: str, protocol: Protocol, seed: int, defect: str = "", family: str = "", fall: float = 7.0) -> Evidence:
    reader = Seeing(fall=fall)
    behaviour = Planted(reader, DEFECTS[defect](2.0, protocol, [])) if defect else reader
    return record(behaviour, name, protocol, seed=seed, effects=effects(), family=family, images=PATIENTS)


@pytest.fixture(scope="module")
def protocol(protocol) -> Protocol:
    """The shipped one with a tenth of the resamples: what is tested here does not hang on their number."""
    return protocol.model_copy(update={"statistics": protocol.statistics.model_copy(update={"resamples": 1000})})


@pytest.fixture(scope="module")
def records(protocol) -> list[Evidence]:
    return [
        model("fair-a", protocol, 1, family="gemma3"),
        model("fair-b", protocol, 12, family="gemma3"),
        model("steep", protocol, 3, family="llava", fall=10.0),
        model("prestige", protocol, 4, "prestige"),
        model("refuses", protocol, 5, "refuses", family="clip"),
    ]


@pytest.fixture(scope="module")
def compared(records) -> Comparison:
    return compare(records)


def audit(comparison: Comparison, identifier: str) -> ComparedAudit:
    return next(a for a in comparison.audits if a.id == identifier)


def between(differences: list[Difference], one: str, other: str) -> Difference:
    return next(d for d in differences if {d.first, d.second} == {one, other})


def summary(comparison: Comparison, name: str) -> Summary:
    return next(s for s in comparison.summaries if s.name == name)


def at(comparison: Comparison, label: str) -> int:
    return [m.label for m in comparison.models].index(label)


def test_the_order_of_the_records_changes_nothing(records, compared):
    assert compare([records[i] for i in (3, 0, 4, 2, 1)]) == compared
    some = compare([records[1], records[0]])
    assert some == compare(records[:2])


def test_a_planted_bias_is_told_from_all_others_where_it_is_and_nowhere_else(compared):
    found = audit(compared, REPUTATION)
    for label in ("fair-a", "fair-b", "steep"):
        d = between(found.differences, "prestige", label)
        assert d.apart
        sign = 1 if d.first == "prestige" else -1
        assert 5 < sign * d.estimate.value < 15
    assert not between(found.differences, "fair-a", "fair-b").apart
    letters = {m.label: e.letters for m, e in zip(compared.models, found.models, strict=True)}
    assert letters["fair-a"] == letters["fair-b"] == letters["steep"]
    assert not set(letters["prestige"]) & set(letters["fair-a"])
    assert not any(
        between(a.differences, "prestige", "fair-a").apart for a in compared.audits if a.family != "metadata"
    )


def test_equal_models_are_told_apart_nowhere(compared):
    assert not [a.id for a in compared.audits if between(a.differences, "fair-a", "fair-b").apart]


def test_verdicts_are_those_of_the_runs(records, compared):
    for evidence in records:
        own = {a.id: a.verdict for a in evidence.audits}
        shown = {a.id: a.models[at(compared, evidence.model.name)].verdict for a in compared.audits}
        assert shown == own


def test_effects_of_means_are_those_of_the_report(records, compared):
    for name in ("sensitivity/gaussian_noise", REPUTATION):
        for evidence in records:
            own = next(a for a in evidence.audits if a.id == name)
            effect = audit(compared, name).models[at(compared, evidence.model.name)]
            assert effect.estimate.value == pytest.approx(own.estimate.value, abs=1e-5)
            assert effect.n_images == own.n_images
            # Simultaneous over five models: wider than the interval of one.
            assert effect.estimate.low <= own.estimate.low
            assert effect.estimate.high >= own.estimate.high


def test_the_steeper_model_is_first_and_the_fair_ones_are_tied(compared):
    fall = summary(compared, "fall")
    first = fall.standings[at(compared, "steep")]
    assert (first.rank, first.rank_low, first.rank_high) == (1, 1, 1)
    assert first.shares[0] == 1
    assert first.letters == "a"
    assert any({"fair-a", "fair-b"} <= set(tie) for tie in fall.ties)
    told = re.match(r"Fall of the score as images get worse: 1\. steep (\d+\.\d), ", fall.sentence)
    assert float(told[1]) == pytest.approx(10.0, abs=0.3)
    for standing in fall.standings:
        assert standing.rank_low <= standing.rank <= standing.rank_high
        assert sum(standing.shares) == pytest.approx(1, abs=1e-5)


def test_the_largest_effect_of_words(compared):
    words = summary(compared, "words")
    last = words.standings[at(compared, "prestige")]
    assert (last.rank, last.rank_low) == (5, 5)
    assert last.estimate.low > 5
    assert between(words.differences, "prestige", "fair-b").apart


def test_refusals_stand_beside_the_effect(records, compared):
    lost = summary(compared, "unusable")
    assert lost.standings[at(compared, "refuses")].rank == 5
    outcomes = next(e for e in records if e.model.name == "refuses").outcomes
    value = lost.standings[at(compared, "refuses")].estimate.value
    assert value == pytest.approx(outcomes.refused / outcomes.total, abs=0.001)
    hit = [a for a in compared.audits if a.models[at(compared, "refuses")].n_missing and a.family == "metadata"]
    assert hit
    for a in hit:
        effect = a.models[at(compared, "refuses")]
        assert effect.n_images + effect.n_missing == 96
        assert 0 < effect.unusable <= 0.5
        assert between(a.differences, "refuses", "fair-a").n_images == effect.n_images


def test_kinship_is_marked_within_strata(compared):
    whole = [c for c in compared.correlations if (c.modality, c.perturbation) == ("all", "all")]
    kin = {frozenset((c.first, c.second)): c.same_family for c in whole}
    assert kin[frozenset(("fair-a", "fair-b"))] is True
    assert kin[frozenset(("fair-a", "steep"))] is False
    assert kin[frozenset(("fair-a", "prestige"))] is None
    for c in whole:
        assert c.estimate.low < c.estimate.value < c.estimate.high
        assert 0.3 < c.estimate.value < 0.9  # they see the same quality with errors of their own
    assert any("Family not known" in note and "prestige" in note for note in compared.notes)


def test_the_same_run_twice_is_said(records):
    twice = compare([records[0], records[0], records[2]])
    assert twice.models[0].identical_to == ["fair-a #2"]
    assert any(note.startswith("fair-a #1 and fair-a #2 gave the same score") for note in twice.notes)
    for a in twice.audits:
        d = between(a.differences, "fair-a #1", "fair-a #2")
        assert d.estimate.value == 0
        assert d.estimate.low < 0 < d.estimate.high  # equal answers of 96 patients are no proof of equal models
        assert not d.apart
    same = next(c for c in twice.correlations if (c.modality, c.perturbation) == ("all", "all"))
    assert (same.estimate.value, same.estimate.low, same.note) == (1, None, "the same order everywhere")


def test_audits_that_a_run_left_out_are_empty_and_counted(records):
    partial = records[1].model_copy(
        update={"audits": [a for a in records[1].audits if a.id != REPUTATION], "not_run": [REPUTATION]}
    )
    found = compare([records[0], partial])
    assert audit(found, REPUTATION).models[1].verdict is None
    assert any("not run: fair-b (1)" in note for note in found.notes)


def test_audits_of_others_are_compared_by_verdict(records):
    own = [e.audits[0].model_copy(update={"id": "acme/tone", "family": "acme"}) for e in records[:2]]
    some = [e.model_copy(update={"audits": [*e.audits, a]}) for e, a in zip(records[:2], own, strict=True)]
    comparison = compare(some)
    found = audit(comparison, "acme/tone")
    assert found.what == ""
    assert found.differences == []
    assert [m.verdict for m in found.models] == [a.verdict for a in own]
    assert any("acme/tone" in note for note in comparison.notes)


def test_gaps_between_groups_are_left_out_and_said_to_be(records):
    """They are told of each model by itself; nothing else of the comparison moves."""
    model = records[0].audits[0]
    between = model.definition.model_copy(update={"between": "sex"})
    gap = model.model_copy(update={"id": "groups/sex", "family": "groups", "shown": True, "definition": between})
    without = compare(records[:2])
    found = compare([e.model_copy(update={"audits": [*e.audits, gap]}) for e in records[:2]])
    assert found.audits == without.audits
    assert (found.sentences, found.correlations) == (without.sentences, without.correlations)
    assert set(found.notes) - set(without.notes) == {
        "Gaps between groups are not compared; each report has its own: groups."
    }


def test_few_patients_tell_nothing_apart(protocol):
    few = [
        record(reader, name, protocol, seed=3, images={"ct": 20}, effects=some_effects("sensitivity", most=2))
        for name, reader in (("flat", Seeing(fall=1.0)), ("steep", Seeing(fall=14.0)))
    ]
    found = compare(few)
    assert all(d.estimate.value < -5 for a in found.audits for d in a.differences)
    assert not any(d.apart for a in found.audits for d in a.differences)
    assert "no two of the models can be told apart" in summary(found, "fall").sentence


def test_perfect_areas_have_no_certain_difference(protocol):
    """Both separate perfectly: no spread, so the bounds of the two areas are what is known of their difference."""
    found = compare([model("one", protocol, 1, fall=16.0), model("two", protocol, 2, fall=16.0)])
    area = next(a for a in found.audits if a.statistic == "area")
    assert [m.estimate.value for m in area.models] == [1, 1]
    [d] = area.differences
    assert d.estimate.value == 0
    assert -0.15 < d.estimate.low < 0 < d.estimate.high < 0.15


def test_shares_weigh_patients_alike(protocol):
    """One image is refused: it weighs what its patient does, divided by the patient's images."""
    images = made_up_images({"ct": 20, "xray": 20}, (1, 3))
    asked = some_effects("differential", most=1)
    hidden = [r.id for r in images if r.cluster == images[0].cluster][:1]

    class Declines:
        """Refuses one image, by its id, whatever is asked."""

        def answer(self, asked: Asked) -> Replies:
            return Seeing().answer(asked).where(np.isin(asked.subjects.ids, hidden), "I cannot help with that.")

    refusing, fair = (
        record(reader, name, protocol, images=images, effects=asked)
        for name, reader in (("refusing", Declines()), ("fair", Seeing()))
    )
    found = summary(compare([refusing, fair]), "unusable")
    own = sum(r.cluster == images[0].cluster for r in images)
    assert found.standings[1].estimate.value == pytest.approx(1 / own / 40, abs=1e-6)
    assert found.standings[0].estimate.value == 0


def test_the_command_writes_the_page_and_says_what_can_be_said(records, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for evidence in records[:3]:
        (tmp_path / f"{evidence.model.name}.json").write_text(evidence.to_json())
    assert main(["compare", "fair-a.json", "steep.json", "fair-b.json"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "comparison.html"
    assert any(line.startswith("Fall of the score as images get worse: 1. steep") for line in out)
    assert any(line.startswith("Audits: at least two models are told apart in") for line in out)
    first = (tmp_path / "comparison.html").read_text()
    assert main(["compare", "fair-b.json", "fair-a.json", "steep.json", "--out=other.html"]) == 0
    assert (tmp_path / "other.html").read_text() == first


def test_the_command_says_what_is_wrong(records, tmp_path, capsys):
    path = tmp_path / "a.json"
    path.write_text(records[0].to_json())
    assert main(["compare", str(path)]) == 4
    assert "two records or more" in capsys.readouterr().err
    assert main(["compare", str(path), str(path), f"--out={tmp_path / 'no' / 'x.html'}"]) == 4
    assert "Give another --out=FILE" in capsys.readouterr().err
    other = records[1].model_copy(update={"protocol": records[1].protocol.model_copy(update={"sha256": "0" * 64})})
    (tmp_path / "b.json").write_text(other.to_json())
    assert main(["compare", str(path), str(tmp_path / "b.json")]) == 4
    assert "and these differ" in capsys.readouterr().err


def test_what_an_effect_is_stands_beside_it(compared):
    words = {
        "sensitivity/gaussian_noise": "mean fall of the score per severity step",
        "discrimination/gaussian_noise": (
            "AUROC of clean images against severity 3, severity 4 and severity 5, all modalities together"
        ),
        "direction/brightness": "mean change of the score over 5 conditions",
        REPUTATION: "mean change of the score",
        "templates/quality": "mean distance of two answers' scores within an image",
        "answers/quality.direct-refused": "share of answers refused",
        "answers/quality.direct-unusable": "share of answers not usable",
        "differential/gaussian_noise-s5": "change of the share of answers without a score",
        "repeatability/asked-twice": "share of images whose answer differs",
    }
    assert {name: audit(compared, name).what for name in words} == words


def test_pairs_without_a_common_control_are_compared_by_their_size(protocol):
    """Differences of wordings to either side do not cancel; changes from the clean image keep their sign."""
    worded, rising = SHIPPED["templates"]()[0], SHIPPED["direction"]()[0]
    within = protocol.families["templates"]
    assert is_distance(protocol.resolved(worded), within)
    assert not is_distance(protocol.resolved(rising), within)
    assert not is_distance(protocol.resolved(worded), protocol.families["direction"])
    assert not is_distance(protocol.resolved(SHIPPED["metadata"]()[0]), within)


def test_an_audit_recorded_as_something_else_is_compared_by_verdict(records):
    """Under one name two runs measured different things, or one does not say what: nothing is put side by side."""
    other = next(a.definition for a in records[0].audits if a.id != REPUTATION and a.definition is not None)
    for change in ({"definition": other}, {"definition": None}):
        changed = [
            e.model_copy(
                update={"audits": [a.model_copy(update=change) if a.id == REPUTATION else a for a in e.audits]}
            )
            for e in records[:1]
        ]
        found = audit(compare([*changed, records[1]]), REPUTATION).what
        assert found == ("" if change["definition"] is not None else audit(compare(records[:2]), REPUTATION).what)


def test_more_columns_than_resamples_can_tell_apart(protocol):
    """120 columns with hardly any spread: each is tested at a level finer than one resample in a thousand."""
    P = np.zeros((40, 120))
    P[:2] = np.random.default_rng(0).normal(0, 5, (2, 120))
    P[:, 0] = np.random.default_rng(1).normal(0, 5, 40)
    joint = joint_intervals(P, 100.0, Settings.of(protocol, 1))
    assert all(i.low < i.estimate < i.high for i in joint.intervals)


def test_levels_that_count_equally_do_so_in_every_model(protocol):
    """A quarter of the patients scores 20 points lower in one model: 10 less where both sites count alike."""
    n = 40
    items = images(n, column=lambda i: {"site": "small" if i < n // 4 else "large"})
    lower = np.where(np.arange(n) < n // 4, 40.0, 60.0)
    data = [measured(items, {(): answered(scores)}) for scores in (np.full(n, 60.0), lower)]
    plain = mean(family="metadata")
    equal = replace(plain, parts=(replace(plain.parts[0], balanced="site"),))
    for effect, expected in ((plain, [60.0, 55.0]), (equal, [60.0, 50.0])):
        values, middle, reach = effect_of(effect, data, protocol).alone()
        assert (np.mean(values, axis=0) + middle).tolist() == pytest.approx(expected)
        assert np.abs(values).max() <= reach
        pairs, span = effect_of(effect, data, protocol).pairs()
        assert np.mean(pairs) == pytest.approx(expected[0] - expected[1])
        assert np.abs(pairs).max() <= span


@pytest.mark.parametrize(
    ("effect", "what"),
    [
        (accuracy("pneumonia.kind"), "share of right answers"),
        (recall("pneumonia.present", "yes"), "sensitivity"),
        (loses("jpeg", (3, 5), task="pneumonia.present"), "loss of right answers, mean of 2 conditions"),
        (skill("pneumonia.kind"), "balanced way from guessing (0 %) to always right (100 %)"),
    ],
    ids=str,
)
def test_right_answers_are_named(protocol, effect, what):
    assert described(protocol.resolved(effect), protocol) == what


def test_models_are_ranked_by_how_far_they_are_from_guessing():
    rules = load_protocol(Path(__file__).parents[3] / "packs/diagnosis/protocol.toml")
    rules = rules.model_copy(update={"statistics": rules.statistics.model_copy(update={"resamples": 1000})})
    levels = ["normal"] * 30 + ["viral"] * 15 + ["bacterial"] * 15
    items = labelled_images(made_up_images({"xray": 60}), "label", levels)
    asked = [skill("pneumonia.kind", family="skill")]
    knowing, guessing = (
        record(model, name, rules, images=items, effects=asked)
        for name, model in (("knowing", Knowing(1.0)), ("base rate", BaseRate()))
    )
    found = compare([knowing, guessing])
    ranked = summary(found, "skill")
    assert [s.rank for s in (ranked.standings[at(found, name)] for name in ("knowing", "base rate"))] == [1, 2]
    # Of three kinds one is always right: a balanced accuracy of a third, which is guessing.
    assert ranked.standings[at(found, "base rate")].estimate.value == pytest.approx(0, abs=1e-6)
    assert ranked.standings[at(found, "knowing")].estimate.value == pytest.approx(1, abs=1e-6)
    assert ranked.sentence.startswith("Better than guessing: 1. knowing 100.0 %, 2. base rate 0.0 %")
