import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.ask.plan import Plan, check_effects, distinct, limit_clusters
from auditkit.errors import AuditkitError
from auditkit.images.item import Item, Picture
from auditkit.protocol.effects import change, differs, displacement, falls, mean, share
from auditkit.protocol.shipped import SHIPPED
from auditkit.vocabulary import Effect, Part, Perturbation, Question, Value

SHIPPED_ALL = [effect for listed in SHIPPED.values() for effect in listed()]
OTHERS = ("swap", "other_modality", "missing")


def asked_of_all(effect, protocol):
    """Whether any item can be asked it: one without labels, and without another patient beside it."""
    questions = list(map(protocol.resolve, effect.questions()))
    labelled = any(protocol.catalogue.task(question.task).truth for question in questions)
    return not labelled and not any(p.name in OTHERS for question in questions for p in question.condition)


JPEG, REPUTATION = Perturbation("jpeg", 1), Perturbation("institution.reputation.high")


@pytest.fixture
def with_entries(protocol):
    """The shipped protocol with perturbations of its own beside it."""

    def with_entries(**tables):
        return type(protocol).model_validate(protocol.model_dump() | {"perturbations": tables})

    return with_entries


def test_every_question_once_and_clean_first(records, protocol):
    plan = Plan(records(2), distinct(SHIPPED_ALL), protocol)
    for record in plan.records:
        probes = plan.probes(record)
        assert len(set(probes)) == len(probes)
        assert {p.item for p in probes} == {record.id}
        pictures = [protocol.catalogue.pictures(p.question.condition) for p in probes]
        clean = [shown == () for shown in pictures]
        assert clean == sorted(clean, reverse=True)
        assert len(set(pictures)) == sum(a != b for a, b in zip(pictures, [None, *pictures], strict=False))
    assert plan.size() == 2 * len(plan.probes(plan.records[0]))
    assert all(p.question.task and p.question.wording for p in plan.probes(plan.records[0]))


def test_nothing_that_was_asked_for_is_missing(records, protocol):
    effects = [effect for effect in SHIPPED_ALL if asked_of_all(effect, protocol)]
    assert len(effects) > 170
    plan = Plan(records(1), distinct(effects), protocol)
    record = plan.records[0]
    asked = {probe.question for probe in plan.probes(record)}
    inside = set(plan.inside(record.modality))
    assert not asked & inside
    assert all(map(protocol.catalogue.asks, asked))
    clean = {protocol.resolve(Question("embedding", kind)) for kind in ("vision", "language")}
    assert clean < inside, "what it is compared with"
    assert asked | inside == {protocol.resolve(question) for effect in effects for question in effect.questions()}


def test_order_of_what_is_done_makes_no_second_question(records, protocol):
    both = [mean().under(JPEG, REPUTATION), mean().under(REPUTATION, JPEG)]
    (probe,) = Plan(records(1), tuple(both), protocol).probes(records(1)[0])
    assert probe.question.condition == (JPEG, REPUTATION)


def test_where_an_entry_does_not_apply_the_question_is_not_asked(records, with_entries):
    law = {"stage": "display", "function": "auditkit.perturbations.display.noise:gaussian_noise"}
    protocol = with_entries(speckle=law | {"levels": [{"sd": 0.1}], "modalities": ["ct"]})
    effect = change(Perturbation("speckle"), REPUTATION, family="metadata")
    shipped = [one for one in SHIPPED_ALL if asked_of_all(one, protocol)]
    plan = Plan(records(4, modalities=("ct", "xray")), (effect, *distinct(shipped)), protocol)
    ct, xray = (set(plan.questions(modality)) for modality in ("ct", "xray"))
    assert ct - xray == {protocol.resolve(Question(condition=(Perturbation("speckle"), REPUTATION)))}
    assert xray < ct
    assert plan.size() == 2 * len(ct) + 2 * len(xray)


def test_questions_are_listed_once_per_modality_and_not_once_per_image(records, protocol, monkeypatch):
    listed = []
    questions = Effect.questions
    monkeypatch.setattr(Effect, "questions", lambda effect: listed.append(effect) or questions(effect))
    plan = Plan(records(40, modalities=("ct", "mr", "xray")), (mean(),), protocol)
    for record in plan.records:
        plan.probes(record)
    assert plan.size() == 40
    assert len(listed) == 2 * 3  # what is asked, and what is compared inside the model


@given(st.randoms(use_true_random=False))
def test_order_of_the_audits_does_not_show(rng: random.Random):
    shuffled = [*SHIPPED_ALL, *SHIPPED_ALL[:5]]
    rng.shuffle(shuffled)
    assert distinct(shuffled) == distinct(SHIPPED_ALL)


def test_two_effects_with_one_name_are_refused():
    one, other = (change(Perturbation("jpeg", level), name="x", family="metadata") for level in (1, 2))
    with pytest.raises(AuditkitError, match="both named metadata/x"):
        distinct([one, other])
    assert len(distinct([one, other.named("x", "placebo")])) == 2
    weighted = replace(one, parts=tuple(part.weighted(2.0) for part in one.parts))
    with pytest.raises(AuditkitError, match="both named metadata/x"):
        distinct([one, weighted])


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (share("refused", "quality", wording="dirct", name="g", family="answers"), "direct"),
        (share("refused", "qualty", name="g", family="answers"), "quality"),
        (change(Perturbation("institution.reputation.hihg"), family="metadata"), "institution.reputation.high"),
        (falls("pixelat", family="sensitivity"), "pixelate"),
        (change(Perturbation("pixelate", 6), family="metadata"), "level 6"),
        (differs(Perturbation("again"), family="repeatability"), "again"),
        (mean().by("baseline").named("then", "templates"), "--audit-baseline"),
        (mean().by("data").named("other", "templates"), "'data'"),
    ],
    ids=str,
)
def test_what_does_not_exist_is_found_before_anything_is_asked(protocol, effect, words):
    check_effects(SHIPPED_ALL, protocol)
    with pytest.raises(AuditkitError, match=f"{effect.family}/.* cannot be asked") as raised:
        check_effects([effect], protocol)
    assert effect.name in str(raised.value)
    assert words in str(raised.value)


@pytest.mark.parametrize("stage", ["native", "pictures"])
def test_what_cannot_be_rendered_yet_is_refused(with_entries, stage):
    """In the plan, so that the last question of a run does not come to it after hours."""
    try:
        protocol = with_entries(window={"stage": stage, "function": "somewhere:window"})
        protocol.catalogue.entry("window")
    except (AuditkitError, ValueError):
        return  # the catalogue refuses it already
    with pytest.raises(AuditkitError, match=f"window is of stage '{stage}'"):
        check_effects([change(Perturbation("window"), family="metadata")], protocol)


def test_another_role_is_not_asked(records, protocol):
    question = Question()
    both = Effect("then", "answers", (Part("", ((1.0, Value(question)), (-1.0, Value(replace(question, role="x"))))),))
    assert len(Plan(records(1), (both,), protocol).questions("ct")) == 1


def made(patients: list[tuple[str, str]]) -> list[Item]:
    return [
        Item(f"i{i:03d}", cluster, modality, (Picture(f"{i}", lambda: None),), True, "s")
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


def test_words_do_not_change_what_is_held_inside(protocol):
    inside = displacement("vision", "jpeg", (1,), family="embeddings")
    check_effects([inside], protocol)
    with pytest.raises(AuditkitError, match="which words and ways of asking do not change"):
        check_effects([inside.under(REPUTATION)], protocol)
