"""A picture that is too small for a perturbation is not asked about under it, and about everything else."""

from dataclasses import replace

import numpy as np
import pytest

from auditkit.ask.earlier import Earlier
from auditkit.ask.plan import Plan, distinct
from auditkit.ask.prefetch import digests, prefetch
from auditkit.ask.ray_engine.parcel import Lookup
from auditkit.ask.render import Renderer
from auditkit.ask.requests import Keys
from auditkit.ask.roles import Answerer, RoleKeys, ask_each
from auditkit.ask.tally import Tally
from auditkit.measure.columns import NOT_ASKED
from auditkit.measure.reader import TOO_SMALL, AnswerReader
from auditkit.models.base import ModelOptions
from auditkit.perturbations import PictureTooSmall, shipped
from auditkit.perturbations.apply import perturb
from auditkit.protocol.effects import change, mean
from auditkit.vocabulary import Perturbation, Question
from tests.judge.build import own
from tests.run.rounds import Answers

TEXT = Perturbation("burnt_in.excellent")
SCORE = Question("quality", "direct")
EFFECTS = distinct([change(TEXT, family="direction"), change(Perturbation("jpeg", 3), family="direction")])


def test_the_law_says_so_and_is_not_taken_for_one_that_failed():
    with pytest.raises(PictureTooSmall, match="image of 24 x 24 pixels is too small for the text"):
        perturb(np.zeros((24, 24), np.uint8), shipped()[TEXT.name], 0, b"")


def test_the_small_are_asked_all_the_rest(records, store, protocol, function_model):
    some = (records.one("large", 1, side=160), records.one("small", 2, side=24))
    plan, model = Plan(some, EFFECTS, protocol), function_model()
    renderer = Renderer(store, protocol.seed, protocol.catalogue)

    def asked():
        before = len(model.asked)
        tally = prefetch(plan, model, store, renderer, batch_size=4, deadline=20, on_progress=lambda t: None)
        assert tally.planned == tally.done
        assert not tally.left_out
        assert not tally.errors
        return len(model.asked) - before

    assert asked() == 5  # three of the large one, two of the small
    keys = Keys(model, 4, protocol.catalogue)
    found = digests(plan, store, renderer, Tally())
    reader = AnswerReader(plan, found, keys, store, renderer)
    data = reader.measure()
    assert (data.column(SCORE.under(TEXT)).outcomes == NOT_ASKED).tolist() == [False, True]
    assert (data.column(SCORE).outcomes == NOT_ASKED).tolist() == [False, False]
    assert reader.unshown == {"small": {"burnt_in.excellent": TOO_SMALL}}
    # It is remembered: a second run asks nothing, and neither decodes nor renders a picture.
    reads = dict(records.reads)
    assert asked() == 0
    assert records.reads == reads
    # What travels between the workers of a cluster lacks nothing either.
    assert [Lookup(plan, store, keys).missing(one) for one in some] == [[], []]


def test_neither_is_a_judge_asked_about_what_was_not_said(records, store):
    tasks = {
        "describe": {"scorer": "text", "wordings": {"direct": "Describe the image."}},
        "judged": {
            "scorer": {"axes": {"names": ["completeness", "consistency"], "low": 0, "high": 2}},
            "of": "describe",
            "role": "judge",
            "pictures": 0,
            "wordings": {"direct": "Judge this.\n{answer}"},
        },
    }
    rules = own("mine", at_least=0.5).model_copy(update={"tasks": tasks})
    catalogue, renderer = rules.catalogue, Renderer(store, 1, rules.catalogue)
    models = {
        "model": Answers("model", lambda request: "Sharp."),
        "judge": Answers("judge", lambda request: "completeness: 1\nconsistency: 1"),
    }
    who = [Answerer(role, role, model, ModelOptions(batch_size=4)) for role, model in models.items()]
    keys = RoleKeys({one.role: one.keys(catalogue, probabilities=True) for one in who}, catalogue)
    some = (records.one("large", 1, side=160), records.one("small", 2, side=24))
    plan = Plan(some, distinct([mean("judged", family="mine").under(TEXT)]), rules, tuple(models))

    def ask(part, one):
        how = {"batch_size": 4, "deadline": 20, "on_progress": lambda t: None, "tally": one.tally}
        earlier = Earlier(store, renderer, keys, catalogue) if part.round else None
        prefetch(part, one.model, store, renderer, earlier=earlier, **how)

    ask_each(plan, who, ask)
    assert [len(model.asked) for model in models.values()] == [1, 1]
    assert not any(one.tally.errors for one in who)
    assert all(one.tally.planned == one.tally.done for one in who)
    found = digests(replace(plan, round=None), store, renderer, Tally())
    data = AnswerReader(plan, found, keys, store, renderer).measure()
    column = data.column(Question("judged", "direct", (TEXT,)))
    assert (column.outcomes == NOT_ASKED).tolist() == [False, True]
