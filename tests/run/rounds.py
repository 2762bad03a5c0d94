"""Plans that are asked of several, round by round, and measured: what tests of chains of tasks share."""

from auditkit.ask.earlier import Earlier
from auditkit.ask.plan import Plan, check_effects, distinct
from auditkit.ask.prefetch import digests, prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.roles import Answerer, RoleKeys, ask_each
from auditkit.ask.tally import Tally
from auditkit.measure.reader import AnswerReader
from auditkit.models.base import ModelOptions, Response
from auditkit.run.truths import truths_of


class Answers:
    """A model that is a function of the request, in a role."""

    def __init__(self, role, answer):
        self.name, self.revision, self.fingerprint = role, "1", role
        self.answer, self.asked = answer, []

    def generate(self, requests):
        self.asked += requests
        return [a if isinstance(a := self.answer(r), Response) else Response(a) for r in requests]


def ask_all(store, items, effects, models, protocol):
    """Put the questions of effects to models by role; return what was measured, and who was asked."""
    effects = distinct(effects)
    check_effects(effects, protocol)
    catalogue, renderer = protocol.catalogue, Renderer(store, 1, protocol.catalogue)
    who = [Answerer(role, role, model, ModelOptions(batch_size=4)) for role, model in models.items()]
    plan = Plan(truths_of(items, effects, protocol), effects, protocol, tuple(models))
    keys = RoleKeys({one.role: one.keys(catalogue, probabilities=True) for one in who}, catalogue)
    earlier = Earlier(store, renderer, keys, catalogue)

    def ask(own, one):
        how = {"batch_size": 4, "deadline": 20, "on_progress": lambda t: None, "tally": one.tally}
        prefetch(own, one.model, store, renderer, earlier=earlier if own.round else None, **how)

    ask_each(plan, who, ask)
    found = digests(plan, store, renderer, Tally())
    return AnswerReader(plan, found, keys, store, renderer).measure(), who
