import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.ask.plan import Plan, check_comparisons, distinct, limit_clusters
from auditkit.errors import AuditkitError
from auditkit.images.record import ImageRecord
from auditkit.protocol.shipped import SHIPPED
from auditkit.vocabulary import CLEAN, Condition, Contrast, Group, Probe, Series

SHIPPED_ALL = [comparison for listed in SHIPPED.values() for comparison in listed()]


def test_every_question_once_and_clean_first(records, protocol):
    plan = Plan(records(2), distinct(SHIPPED_ALL), protocol)
    for record in plan.records:
        probes = plan.probes(record)
        assert len(set(probes)) == len(probes)
        assert {p.image for p in probes} == {record.id}
        clean = [p.condition.corruption == CLEAN for p in probes]
        assert clean == sorted(clean, reverse=True)
        pixels = [(p.condition.corruption, p.condition.severity) for p in probes]
        assert len(list(dict.fromkeys(pixels))) == sum(a != b for a, b in zip(pixels, [None, *pixels], strict=False))
    assert plan.size() == 2 * len(plan.probes(plan.records[0]))
    assert not any(p.template == "@score" for p in plan.probes(plan.records[0]))


def test_nothing_that_was_asked_for_is_missing(records, protocol):
    plan = Plan(records(1), distinct(SHIPPED_ALL), protocol)
    planned = set(plan.probes(plan.records[0]))
    for comparison in SHIPPED_ALL:
        for probe in comparison.probes(["i0000"]):
            assert replace(probe, template=protocol.resolve_template(probe.template)) in planned


@given(st.randoms(use_true_random=False))
def test_order_of_the_audits_does_not_show(rng: random.Random):
    shuffled = [*SHIPPED_ALL, *SHIPPED_ALL[:5]]
    rng.shuffle(shuffled)
    assert distinct(shuffled) == distinct(SHIPPED_ALL)


def test_two_comparisons_with_one_name_are_refused():
    one = Contrast("x", "metadata", Condition("jpeg", 1))
    with pytest.raises(AuditkitError, match="both named metadata/x"):
        distinct([one, Contrast("x", "metadata", Condition("jpeg", 2))])
    assert len(distinct([one, Contrast("x", "placebo", Condition("jpeg", 2))])) == 2


def test_equal_comparisons_of_a_class_without_equality_are_one():
    class Own:
        name, family, template = "own", "metadata", "@score"

        def probes(self, images):
            return (Probe(image, Condition(), "@score") for image in images)

    assert len(distinct([Own(), Own()])) == 1


@pytest.mark.parametrize(
    ("comparison", "words"),
    [
        (Group("g", "answers", template="score_100.dirct"), "score_100.direct"),
        (Contrast("c", "metadata", Condition(context="institution.reputation.hihg")), "institution.reputation.high"),
        (Series("s", "sensitivity", "pixelat"), "pixelate"),
        (Contrast("c", "metadata", Condition("pixelate", 6)), "severity 6"),
    ],
)
def test_what_does_not_exist_is_found_before_anything_is_asked(protocol, comparison, words):
    check_comparisons(SHIPPED_ALL, protocol)
    with pytest.raises(AuditkitError, match=f"{comparison.family}/{comparison.name} cannot be asked") as raised:
        check_comparisons([comparison], protocol)
    assert words in str(raised.value)


def made(patients: list[tuple[str, str]]) -> list[ImageRecord]:
    return [
        ImageRecord(f"i{i:03d}", cluster, modality, f"{i}", True, "s", read=lambda: None)
        for i, (cluster, modality) in enumerate(patients)
    ]


patients = st.lists(st.tuples(st.sampled_from("abcdefghij"), st.sampled_from(["ct", "mr", "xray"])), max_size=40)


@given(patients, st.integers(0, 12), st.integers(0, 3), st.randoms(use_true_random=False))
def test_limit_counts_patients_and_is_nested_and_independent_of_order(some, limit, seed, rng):
    all_records = made(some)
    chosen = limit_clusters(all_records, limit, seed)
    clusters = {r.cluster for r in chosen}
    assert len(clusters) == min(limit, len({c for c, _ in some}))
    assert [r for r in all_records if r.cluster in clusters] == list(chosen), "a patient keeps all images"
    assert {r.id for r in chosen} <= {r.id for r in limit_clusters(all_records, limit + 1, seed)}
    shuffled = list(all_records)
    rng.shuffle(shuffled)
    assert limit_clusters(shuffled, limit, seed) == chosen


def test_limit_spreads_over_the_modalities_and_depends_on_the_seed(records):
    many = records(90, modalities=("ct", "mr", "xray"))
    chosen = limit_clusters(many, 9, 1)
    assert sorted(r.modality for r in chosen) == ["ct"] * 3 + ["mr"] * 3 + ["xray"] * 3
    assert chosen != limit_clusters(many, 9, 2)
    assert limit_clusters(many, None, 1) == many
