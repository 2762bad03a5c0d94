"""A model that sees a corruption and does not say so: its embeddings move, its score stays, and the audits find it."""

import numpy as np
import pytest

from auditkit.ask.embeddings import EmbeddingKeys, fetch_embeddings
from auditkit.ask.plan import Plan
from auditkit.ask.prefetch import Keys, digests, prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.tally import Tally
from auditkit.images.item import Item, Picture
from auditkit.judge.judge import Judge
from auditkit.measure.embeddings import with_embeddings
from auditkit.measure.reader import AnswerReader
from auditkit.models.base import Response
from auditkit.protocol.effects import displacement, follows
from auditkit.protocol.model import Protocol
from auditkit.protocol.tracking import tracks
from auditkit.testing import Insensitive, Silent, plant
from auditkit.vocabulary import Perturbation

N, LEVELS, NOISE = 60, (1, 3, 5), "gaussian_noise"
ALIKE = [Perturbation("institution.neutral")]
TRACKS = tracks("vision", NOISE, LEVELS, alike=ALIKE, family="says")
FOLLOWS = follows("vision", NOISE, LEVELS, alike=ALIKE, family="embeddings")
EFFECTS = (displacement("vision", NOISE, LEVELS, family="embeddings"), FOLLOWS, TRACKS)


class Sees:
    """Tells noise by how much neighbours differ, and bright pictures react more; inside and in what it says."""

    name, revision, fingerprint = "sees", "1", "w"
    embeddings = ("vision",)

    def _sees(self, request):
        pixels = np.asarray(request.images[0].convert("L"), float) / 255
        return np.abs(np.diff(pixels, axis=1)).mean() * (0.2 + pixels.mean()), pixels.mean()

    def generate(self, requests):
        return [Response(str(max(0, round(95 - 700 * self._sees(request)[0])))) for request in requests]

    def embed(self, requests, kind="vision"):
        seen = [self._sees(request) for request in requests]
        angles = [(12 * noise, 9 * mean) for noise, mean in seen]
        return np.array([(np.cos(a), np.sin(a), 0.3 * np.cos(b), 0.3 * np.sin(b)) for a, b in angles], np.float32)


def picture(number):
    """A grey that rises a little from left to right; no two are equally bright."""
    return lambda: np.tile(np.linspace(60 + number, 80 + number, 32), (32, 1)).astype(np.uint8)


@pytest.fixture
def records():
    return tuple(
        Item(
            f"i{i}", f"p{i}", "ct", (Picture(f"{i:064x}", picture(i)),), synthetic=True, source="made", name=f"{i}.png"
        )
        for i in range(N)
    )


@pytest.fixture
def audits(records, store, protocol):
    """What the audits find of a model, with a family that holds it to saying what it sees."""
    families = {"embeddings": {"shown": True}, "says": {"at_least": 0.5, "moves": 2.0, "size": 1}}
    rules = Protocol.model_validate(protocol.model_dump() | {"families": families})

    def audits(model=None, defect=None):
        model = model or Sees()
        if defect is not None:
            model = plant(model, defect, records, rules)
        plan, renderer = Plan(records, EFFECTS, rules), Renderer(store, rules.seed, rules.catalogue)
        options = {"batch_size": 8, "deadline": 20, "on_progress": lambda tally: None}
        prefetch(plan, model, store, renderer, **options)
        fetch_embeddings(plan, model, store, renderer, **options)
        found = digests(plan, store, renderer, Tally())
        data = AnswerReader(plan, found, Keys(model, 8, rules.catalogue), store, renderer).measure()
        data = with_embeddings(data, plan.inside, EmbeddingKeys(model, rules), store, renderer)
        judge = Judge(rules, data, EFFECTS)
        return {effect.name: judge.audit(effect, "Does it say what it sees?") for effect in EFFECTS}

    return audits


def test_the_model_without_the_defect_says_what_it_sees(audits):
    found = audits()
    assert found[TRACKS.name].verdict == "PASS"
    [whole, *_] = found[FOLLOWS.name].apart
    assert (whole.n_unsaid, whole.n_images) == (0, N)


def test_embeddings_that_move_while_the_score_stays_are_found(audits):
    honest, silent = audits(), audits(defect=Silent((NOISE,)))
    moved = f"vision-{NOISE}"
    assert silent[moved].parts == honest[moved].parts, "inside, it is the same model"
    assert silent[TRACKS.name].verdict == "FAIL"
    assert silent[TRACKS.name].estimate.value == 0
    [whole, *_] = silent[FOLLOWS.name].apart
    assert (whole.n_unsaid, whole.n_unseen, whole.unsaid.value) == (N, 0, 1.0)
    assert len(whole.first_unsaid) == 5


def test_other_defects_give_no_embeddings_for_those_of_the_model(records, protocol):
    assert plant(Sees(), Silent((NOISE,)), records, protocol).embeddings == ("vision",)
    assert not hasattr(plant(Sees(), Insensitive((NOISE,)), records, protocol), "embed")
    assert Silent((NOISE,)).description == "sees gaussian_noise and does not say so"
