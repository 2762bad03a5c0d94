from hypothesis import given
from hypothesis import strategies as st

from auditkit.vocabulary import Comparison, Condition, Contrast, Group, Probe, Series

conditions = st.builds(
    Condition,
    st.sampled_from(["clean", "pixelate", "jpeg"]),
    st.integers(0, 5),
    st.sampled_from(["none", "institution.reputation.high", "expertise.neutral"]),
    st.integers(0, 2),
    st.booleans(),
).filter(lambda c: (c.corruption == "clean") == (c.severity == 0))


@given(conditions, conditions)
def test_conditions_are_values_and_their_names_are_unique(one, other):
    assert (one == other) == (hash(one) == hash(other)) == (str(one) == str(other))
    assert (one < other) or (other < one) or one == other


def test_names():
    assert str(Condition()) == "clean"
    assert str(Condition("pixelate", 3, "institution.reputation.high", 1, True)) == (
        "pixelate-s3+institution.reputation.high+repeat1+alone"
    )


def test_contrast_pairs_within_the_image():
    contrast = Contrast("c", "f", Condition("jpeg", 2), Condition(context="x"), "t")
    assert list(contrast.probes(["a", "b"])) == [
        Probe("a", Condition(context="x"), "t"),
        Probe("a", Condition("jpeg", 2), "t"),
        Probe("b", Condition(context="x"), "t"),
        Probe("b", Condition("jpeg", 2), "t"),
    ]


def test_series_starts_clean_and_rises():
    series = Series("s", "f", "jpeg", (1, 3))
    assert [p.condition for p in series.probes(["a"])] == [Condition(), Condition("jpeg", 1), Condition("jpeg", 3)]
    assert series.treated == (Condition("jpeg", 1), Condition("jpeg", 3))
    assert Series("s", "f", "jpeg").severities == (1, 2, 3, 4, 5)


def test_group_counts_each_condition():
    assert len(list(Group("g", "f", (Condition(), Condition(repeat=1))).probes(["a", "b"]))) == 4


def test_images_may_be_any_iterable_and_all_are_comparisons():
    for comparison in (Contrast("c", "f", Condition("jpeg", 1)), Series("s", "f", "jpeg"), Group("g", "f")):
        assert isinstance(comparison, Comparison)
        assert list(comparison.probes(iter(["a"]))) == list(comparison.probes(["a"]))
        assert str(comparison) == comparison.name
        assert {p.template for p in comparison.probes("a")} == {"@score"}
    assert not isinstance("a string", Comparison)
