import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.protocol.effects import areas, change, departure, differs, falls, mean, rises, share, steps, wordings
from auditkit.vocabulary import MODEL, Effect, Part, Perturbation, Probe, Question, Value, condition_name

X, P, AGAIN = Perturbation("pixelate", 3), Perturbation("institution.neutral"), Perturbation("again", 1)
CLEAN = Question()
perturbations = st.builds(Perturbation, st.sampled_from(["pixelate", "jpeg", "expertise.neutral"]), st.integers(0, 5))
conditions = st.lists(perturbations, max_size=3).map(tuple)
questions = st.builds(Question, st.sampled_from(["", "quality"]), st.sampled_from(["", "direct"]), conditions)


def terms(effect: Effect, part: int = 0) -> dict[Value, float]:
    """Weights by value; a value must not stand twice."""
    found = effect.parts[part].terms
    assert len({value for _, value in found}) == len(found)
    return {value: weight for weight, value in found}


def scores(**by_name) -> dict[Value, float]:
    """Weights of scores by the condition: clean, x, p, xp."""
    named = {"clean": (), "x": (X,), "p": (P,), "xp": (X, P)}
    return {Value(Question(condition=named[name])): weight for name, weight in by_name.items()}


# --------------------------------------------------------------------------------------------- questions, conditions


@given(conditions, conditions)
def test_conditions_are_values_and_their_names_are_unique(one, other):
    assert (one == other) == (hash(one) == hash(other)) == (condition_name(one) == condition_name(other))
    assert (one < other) or (other < one) or one == other


@given(questions, questions)
def test_questions_are_values_in_one_order(one, other):
    assert (one == other) == (hash(one) == hash(other))
    assert (one < other) + (other < one) + (one == other) == 1
    assert Probe("a", one) < Probe("b", other)


def test_names():
    assert condition_name(()) == "clean"
    assert condition_name((X, Perturbation("institution.reputation.high"), AGAIN, Perturbation("alone"))) == (
        "pixelate-s3+institution.reputation.high+again-s1+alone"
    )
    assert str(Question()) == "score clean"
    assert str(Question("quality", "direct", (X,), "baseline")) == "quality.direct pixelate-s3 by baseline"
    assert (Question().words, Question("rating").words, Question("quality", "direct").words) == (
        "", "rating", "quality.direct",
    )  # fmt: skip


def test_a_question_under_more_keeps_what_was_done_before():
    assert Question("quality").under(X).under(P, AGAIN) == Question("quality", condition=(X, P, AGAIN))
    assert Question().under() == Question()
    assert Question().role == MODEL


# ------------------------------------------------------------------------------------------------------- constructors


def test_a_change_is_treated_minus_control():
    assert terms(change(X)) == scores(x=1, clean=-1)
    assert terms(change(X, P)) == scores(xp=1, clean=-1)
    assert terms(change(X, against=[P])) == scores(x=1, p=-1)
    assert terms(change(X, task="rating", wording="reader")) == {
        Value(Question("rating", "reader", (X,))): 1, Value(Question("rating", "reader")): -1,
    }  # fmt: skip
    assert change(X).name == "pixelate-s3"
    assert change(X, P, against=[P]).name == "pixelate-s3+institution.neutral-vs-institution.neutral"
    assert str(change(X, name="mine")) == "mine"
    assert change(X, family="f").family == "f"


def test_controls_come_first_and_every_question_once():
    assert list(change(X).questions()) == [CLEAN, CLEAN.under(X)]
    five = [CLEAN.under(Perturbation("jpeg", s)) for s in range(1, 6)]
    for make in (falls, rises, areas, steps):
        asked = list(make("jpeg").questions())
        assert asked[0] == CLEAN
        assert sorted(asked) == sorted([CLEAN, *five])
    assert list(mean().questions()) == [CLEAN]
    assert list(share("refused", "grade", wording="reader").questions()) == [Question("grade", "reader")]


def test_what_is_compared_with_and_what_only_tells_the_noise():
    """Of the questions with the fewest perturbations those that are taken off; those alike are asked last."""
    others = [Perturbation(f"{name}.neutral") for name in ("expertise", "infrastructure", "institution")]
    alike = [CLEAN.under(p) for p in others]
    found = departure(X, alike=others)
    [part] = found.parts
    assert terms(found) == {Value(CLEAN.under(X)): 1.0, **{Value(q): pytest.approx(-1 / 3) for q in alike}}
    assert part.controls == tuple(alike)
    assert (part.control, part.treated) == (alike[0], (CLEAN.under(X),))
    assert list(found.questions()) == [*alike, CLEAN.under(X)]
    one = change(X, against=[P], alike=[AGAIN, *others[:2]])
    assert one.parts[0].controls == (CLEAN.under(P),)
    assert list(one.compared()) == [CLEAN.under(P), CLEAN.under(X)]
    assert list(one.questions()) == [CLEAN.under(P), CLEAN.under(X), CLEAN.under(AGAIN), *alike[:2]]
    assert one.under(X).parts[0].alike == tuple(Value(q.under(X)) for q in (CLEAN.under(AGAIN), *alike[:2]))
    assert mean().parts[0].controls == ()
    interaction = change(X, P).minus(change(X)).minus(change(P))
    assert interaction.parts[0].controls == (CLEAN,), "it stands with a plus, and is the only one with so few"
    both = Part("", ((1.0, Value(CLEAN.under(X))), (1.0, Value(CLEAN.under(P)))))
    assert both.controls == (CLEAN.under(P),), "of equals the last"


def test_labels():
    assert [p.label for p in rises("jpeg", (1, 3)).parts] == ["severity 1", "severity 3"]
    assert [p.label for p in areas("jpeg").parts] == [f"severity {s}" for s in range(1, 6)]
    assert [p.label for p in steps("jpeg", (2, 5)).parts] == ["severity 0 to 2", "severity 2 to 5"]
    assert [p.label for p in falls("jpeg").parts] == [""]
    assert [p.label for p in wordings("quality", ["direct", "reader", "acceptance"]).parts] == [
        "quality.reader vs quality.direct",
        "quality.acceptance vs quality.direct",
        "quality.acceptance vs quality.reader",
    ]
    for effect in (rises("jpeg"), steps("jpeg"), wordings("quality", ["direct", "reader", "acceptance"])):
        labels = [part.label for part in effect.parts]
        assert len(set(labels)) == len(labels)


def test_what_is_made_of_the_items_values():
    assert [e.statistic for e in (mean(), change(X), falls("jpeg"), areas("jpeg"), differs(X))] == [
        "mean", "mean", "mean", "area", "differs",
    ]  # fmt: skip
    assert (falls("jpeg").per, change(X).per) == ("severity step", "")
    assert [part.unknown for part in (*falls("jpeg").parts, *change(X).parts)] == [0.0, 1.0]


def test_weights_of_a_fall_are_those_of_least_squares_turned_round():
    """The sum of weights is 0, and a score of 100 - 7 severity falls by 7 a step."""
    for levels in ((1, 2, 3, 4, 5), (3, 5), (4,)):
        found = terms(falls("jpeg", levels))
        assert sum(found.values()) == pytest.approx(0.0)
        line = {v: 100 - 7 * sum(p.level for p in v.question.condition) for v in found}
        assert sum(weight * line[value] for value, weight in found.items()) == pytest.approx(7.0)


# -------------------------------------------------------------------------------------------------------------- minus


def test_terms_that_cancel_are_left_out():
    interaction = change(X, P).minus(change(X)).minus(change(P))
    assert terms(interaction) == scores(xp=1, x=-1, p=-1, clean=1)
    assert terms(change(X).minus(change(P))) == scores(x=1, p=-1)
    assert terms(change(X).minus(mean())) == scores(x=1, clean=-2)
    assert interaction.name == "pixelate-s3+institution.neutral-vs-pixelate-s3-vs-institution.neutral"


def test_interaction_is_the_change_of_a_change():
    """Whichever way round it is written."""
    inner = change(P).under(X).minus(change(P))
    assert terms(inner) == {
        Value(Question(condition=(P, X))): 1, Value(Question(condition=(X,))): -1,
        Value(Question(condition=(P,))): -1, Value(Question()): 1,
    }  # fmt: skip


def test_parts_are_matched_by_their_labels_and_one_stands_for_all():
    both = rises("jpeg", (1, 3)).minus(rises("pixelate", (1, 3)))
    assert [p.label for p in both.parts] == ["severity 1", "severity 3"]
    assert terms(both, 1) == {
        Value(Question(condition=(Perturbation("jpeg", 3),))): 1, Value(Question(condition=(X,))): -1,
    }  # fmt: skip
    words = rises("jpeg", (1, 3)).minus(change(P))
    assert terms(words, 0) == {
        Value(Question(condition=(Perturbation("jpeg", 1),))): 1, Value(Question(condition=(P,))): -1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (rises("jpeg", (1, 3)), rises("jpeg", (1, 5)), "have other parts"),
        (change(X), rises("jpeg", (1, 3)), "have other parts"),
        (areas("jpeg"), change(X), "only means have differences"),
        (change(X), differs(X), "only means have differences"),
        (mean().where("sex", "F"), mean().where("sex", "M"), "are about other items"),
        (mean().where("sex", "F"), mean(), "are about other items"),
    ],
)
def test_what_has_no_difference_item_by_item_is_refused(one, other, words):
    with pytest.raises(ValueError, match=words):
        one.minus(other)


# -------------------------------------------------------------------------------------------- under, by, where, named


def test_under_by_where_and_named_change_one_thing_each():
    effect = change(X, family="f")
    under = effect.under(P)
    assert terms(under) == scores(xp=1, p=-1)
    assert (under.name, under.family) == ("pixelate-s3+institution.neutral", "f")
    by = effect.by("baseline")
    assert {value.question.role for value in terms(by)} == {"baseline"}
    assert {value.question.condition for value in terms(by)} == {(X,), ()}
    assert by.name == "pixelate-s3@baseline"
    where = effect.where("sex", "F")
    assert [part.where for part in where.parts] == [("sex", "F")]
    assert (terms(where), where.name) == (terms(effect), "pixelate-s3[sex=F]")
    named = effect.named("mine")
    assert (named.name, named.family, named.parts) == ("mine", "f", effect.parts)
    assert effect.named("mine", "g").family == "g"
    assert effect == change(X, family="f"), "nothing is changed in place"


@given(
    st.sampled_from([change(X), falls("jpeg"), rises("jpeg"), areas("jpeg"), wordings("quality", ["direct", "reader"])])
)
def test_what_is_made_of_an_effect_keeps_its_shape(effect):
    for other in (effect.under(P), effect.by("anchor"), effect.where("sex", "F"), effect.named("n")):
        assert (other.statistic, other.per, other.family) == (effect.statistic, effect.per, effect.family)
        assert [p.label for p in other.parts] == [p.label for p in effect.parts]
        assert [[w for w, _ in p.terms] for p in other.parts] == [[w for w, _ in p.terms] for p in effect.parts]
        assert [p.unknown for p in other.parts] == [p.unknown for p in effect.parts]


# ------------------------------------------------------------------------------------------------- control, treated


def test_the_control_is_the_question_with_the_fewest_perturbations():
    assert change(X).parts[0].control == CLEAN
    assert change(X, against=[P]).parts[0].control == CLEAN.under(P), "of equals the last"
    assert change(X).under(P).parts[0].control == CLEAN.under(P)
    assert change(X, P).minus(change(X)).minus(change(P)).parts[0].control == CLEAN
    assert falls("jpeg").parts[0].control == CLEAN
    assert [p.control for p in steps("jpeg", (1, 2)).parts] == [CLEAN, CLEAN.under(Perturbation("jpeg", 1))]
    assert mean().parts[0].control is None
    assert share("refused").under(X).parts[0].control is None


def test_the_treated_are_all_others_the_one_blamed_last():
    assert change(X).parts[0].treated == (CLEAN.under(X),)
    assert mean().parts[0].treated == (CLEAN,)
    assert falls("jpeg", (1, 5)).parts[0].treated == tuple(CLEAN.under(Perturbation("jpeg", s)) for s in (1, 5))
    assert change(X, P).minus(change(X)).parts[0].treated == (CLEAN.under(X, P),)


def test_two_values_of_one_question_have_a_control_and_something_treated():
    part = Part("", ((1.0, Value(CLEAN, "clarity")), (-1.0, Value(CLEAN))))
    assert part.treated or part.control is None


def test_weighted():
    part = change(X).parts[0].weighted(-0.5)
    assert [w for w, _ in part.terms] == [-0.5, 0.5]
    assert part.label == change(X).parts[0].label
