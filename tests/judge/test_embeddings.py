"""Embeddings of known geometry: what is measured of them is known in closed form."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.ask.embeddings import EmbeddingKeys, fetch_embeddings
from auditkit.ask.keys import pixel_digest
from auditkit.ask.plan import Plan, distinct
from auditkit.ask.prefetch import digests, prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.requests import Keys
from auditkit.ask.tally import Tally
from auditkit.evidence import Audit, Cell
from auditkit.judge.association import correlated
from auditkit.judge.judge import Judge
from auditkit.measure.embeddings import with_embeddings
from auditkit.measure.reader import AnswerReader
from auditkit.measure.recorded import from_answers, to_answers
from auditkit.models.base import Response
from auditkit.protocol.effects import displacement, falls, follows, share
from auditkit.tasks import OTHERS
from auditkit.vocabulary import Condition, Question

SEVERITIES = (1, 3, 5)
ASKED = [
    falls("gaussian_noise", SEVERITIES, family="sensitivity"),
    share("refused", "grade", family="answers"),
]
INSIDE = [
    made(kind, name, levels, family="embeddings")
    for kind in ("vision", "language")
    for name, levels in (("gaussian_noise", SEVERITIES), ("pixelate", (2,)))
    for made in (displacement, follows)
]
EFFECTS = distinct([*ASKED, *INSIDE])
APART = 0.4  # cosine between clean images of different patients
MAX_PATIENTS = 64


class Known:
    """Turns the embedding of patient p by an angle of `turn`(image number, condition); scores by `score`.

    Clean: sqrt(APART) along an axis that all share, the rest along the patient's own. Turned: towards one more axis.
    """

    name, revision, fingerprint = "known", "1", "w"
    embeddings = ("vision", "language")

    def __init__(self, some, plan, renderer, turn, score) -> None:
        self.turn, self.score = turn, score
        self._by_pixels = {}
        for number, record in enumerate(some):
            digest = pixel_digest(record.pictures[0].read())
            for condition in {question.condition for question in plan.inside(record.modality)}:
                pixels = renderer.pixels(record, digest, condition)
                self._by_pixels[pixel_digest(pixels)] = (number, int(record.cluster[1:]), condition)

    def _find(self, request):
        return self._by_pixels[pixel_digest(np.asarray(request.images[0]))]

    def generate(self, requests):
        found = (self._find(request) for request in requests)
        return [Response(self.score(number, condition)) for number, _, condition in found]

    def embed(self, requests, kind="vision"):
        rows = np.zeros((len(requests), MAX_PATIENTS + 2))
        for row, request in zip(rows, requests, strict=True):
            number, patient, condition = self._find(request)
            angle = 0.0 if kind == "language" else self.turn(number, condition)
            row[0], row[patient + 1] = math.sqrt(APART) * math.cos(angle), math.sqrt(1 - APART) * math.cos(angle)
            row[-1] = math.sin(angle)
            row *= 1 + number  # the length of a vector is of no matter
        return rows.astype(np.float32)


def severity(condition: Condition) -> int:
    return sum(perturbation.level for perturbation in condition)


def tenths(number: int, condition: Condition) -> float:
    return 0.1 * severity(condition)


def falling(number: int, condition: Condition) -> str:
    return str(90 - 10 * severity(condition))


@pytest.fixture
def measured(store, protocol):
    """The answers of a model of known geometry, with what it holds inside beside them."""

    def measured(some, *, turn=tenths, score=falling, fail=lambda request, kind: False):
        plan = Plan(tuple(some), EFFECTS, protocol)
        renderer = Renderer(store, 1, protocol.catalogue)
        model = Known(some, plan, renderer, turn, score)
        embed = model.embed

        def sometimes(requests, kind):
            rows = embed(requests, kind)
            rows[[fail(model._find(request), kind) for request in requests]] = np.nan
            return rows

        model.embed = sometimes
        options = {"batch_size": 8, "deadline": 20, "on_progress": lambda tally: None}
        prefetch(plan, model, store, renderer, **options)
        fetch_embeddings(plan, model, store, renderer, **options)
        found = digests(plan, store, renderer, Tally())
        data = AnswerReader(plan, found, Keys(model, 8, protocol.catalogue), store, renderer).measure()
        return with_embeddings(data, plan.inside, EmbeddingKeys(model, protocol), store, renderer)

    return measured


@pytest.fixture
def audits(measured, protocol):
    """The audits of embeddings, by name; each the same when it is judged from the record alone."""

    def audits(some, **model) -> dict[str, Audit]:
        data = measured(some, **model)
        again = from_answers(to_answers(data, 8))
        found = {}
        for effect in INSIDE:
            judged = [Judge(protocol, held, EFFECTS).audit(effect, "Question?") for held in (data, again)]
            told = [audit.model_dump(exclude={"series"}) for audit in judged]
            assert told[0] == told[1]
            found[effect.name] = judged[0]
        return found

    return audits


def cells(audit: Audit, level: str = "all") -> list[Cell]:
    """Of one stratum, by level; where there is one stratum, that is all."""
    strata = {cell.stratum.level for cell in audit.parts}
    wanted = level if level in strata else strata.pop()
    return sorted((c for c in audit.parts if c.stratum.level == wanted), key=lambda c: c.level)


def test_known_angles_give_their_cosines(audits, records):
    audit = audits(records(12))["vision-gaussian_noise"]
    for modality, n in (("all", 12), ("ct", 6), ("xray", 6)):
        found = cells(audit, modality)
        assert [c.level for c in found] == list(SEVERITIES)
        for cell in found:
            expected = math.cos(0.1 * cell.level)
            assert cell.estimate.value == pytest.approx(expected, abs=2e-5)
            assert cell.estimate.low <= expected + 2e-5
            assert cell.estimate.high >= expected - 2e-5
            assert (cell.estimate.unit, cell.estimate.level) == ("cosine", 0.9)
            assert (cell.n_images, cell.n_clusters, cell.outcomes.error) == (n, n, 0)
            assert cell.reference == pytest.approx(APART, abs=1e-4)
            assert f"{cell.estimate.value:.3f}" in cell.sentence
            assert cell.sentence.endswith("Others, for comparison: 0.400.")
        points = [p for p in audit.series if p.stratum.level == modality and p.level]
        assert [(p.level, p.change.value) for p in points] == [(s, pytest.approx(-10 * s)) for s in SEVERITIES], (
            "the score beside it"
        )
        assert all(0 < p.ssim < 1 for p in points)
    assert (audit.title, audit.quantity, audit.shown) == ("Gaussian noise, vision", "similarity", True)
    assert audit.treated == "Gaussian noise, severity 1, 3 and 5"
    assert audit.control == "clean image, no extra sentence"


def test_model_that_sees_nothing(audits, records):
    found = audits(records(12))
    assert [c.estimate.value for c in cells(found["language-gaussian_noise"])] == [1.0] * 3
    [following] = cells(found["language-gaussian_noise-follows"])
    assert following.estimate.value is None, "an embedding that never moves cannot be followed"
    assert following.n_images == 0
    assert "nothing to follow" in following.sentence


def test_score_that_follows(audits, records):
    found = audits(records(12))
    [cell] = cells(found["vision-gaussian_noise-follows"])
    expected = np.corrcoef([0, *(1 - math.cos(0.1 * s) for s in SEVERITIES)], [0, *(10 * s for s in SEVERITIES)])[0, 1]
    assert cell.estimate.value == pytest.approx(expected, abs=1e-4)
    assert (cell.n_images, cell.estimate.unit) == (12, "correlation")
    assert found["vision-gaussian_noise-follows"].title == "Gaussian noise, vision and score"
    assert cells(found["vision-pixelate-follows"])[0].estimate.value is None, "two points are no correlation"
    assert cells(found["vision-pixelate"])[0].estimate.value == pytest.approx(math.cos(0.2), abs=2e-5)


@pytest.mark.parametrize(
    ("score", "low", "high"),
    [
        (lambda i, c: "70", 0.0, 0.0),
        (lambda i, c: str(50 + 5 * severity(c)), -1.0, -0.9),
        (lambda i, c: "10" if severity(c) else "90", 0.5, 0.7),
        (lambda i, c: str(90 - 3 * severity(c) ** 2), 0.999, 1.0),
    ],
)
def test_how_the_score_follows_the_distance(audits, records, score, low, high):
    [cell] = cells(audits(records(12), score=score)["vision-gaussian_noise-follows"])
    assert low <= cell.estimate.value <= high


def test_score_and_embedding_that_reach_their_end_at_once_are_in_step(audits, records):
    """Ranks would call this chance: from severity 1 on, distance and score vary by hardly anything."""

    def turn(number, condition):
        return severity(condition) and 1.3 + 0.01 * math.sin(number + severity(condition))

    def score(number, condition):
        return str(round(5 + 2 * math.cos(3 * number + severity(condition))) if severity(condition) else 90)

    [cell] = cells(audits(records(12), turn=turn, score=score)["vision-gaussian_noise-follows"])
    assert cell.estimate.value > 0.99


def test_patients_weigh_the_same_however_many_images_they_have(audits, records):
    """Patient 0 has 20 of 30 images, turned by nothing; the other ten have one each, turned by 60 degrees."""
    some = [
        *(records.one(f"a{i}", i, patients=1) for i in range(20)),
        *(records.one(f"b{i}", i) for i in range(21, 31)),
    ]
    found = audits(some, turn=lambda number, c: 0.0 if number < 20 or not severity(c) else math.pi / 3)
    cell = cells(found["vision-gaussian_noise"])[0]
    assert cell.estimate.value == pytest.approx((1 + 10 * 0.5) / 11, abs=1e-4)
    assert (cell.n_images, cell.n_clusters) == (30, 11)
    assert cell.reference == pytest.approx(APART, abs=1e-4), "pairs of patients, not of images"


def test_similarity_to_others_is_the_mean_over_all_pairs_of_patients(measured, audits, records, protocol):
    """Clean images turned by angles of their own, three patients with two images each, the others with one."""

    def turn(number, condition):
        return 0.15 * number if not severity(condition) else 0.0

    some = [
        *(records.one(f"a{i}", i, patients=3, modality="ct") for i in range(6)),
        *(records.one(f"b{i}", i, modality="ct") for i in range(6, 11)),
    ]
    data = measured(some, turn=turn)
    column = data.column(protocol.resolve(Question("embedding", "vision")))
    vectors = []
    for number, record in enumerate(some):
        angle, own = turn(number, ()), np.zeros(MAX_PATIENTS + 2)
        own[0], own[int(record.cluster[1:]) + 1] = (math.sqrt(x) * math.cos(angle) for x in (APART, 1 - APART))
        own[-1] = math.sin(angle)
        vectors.append(own)
    patients = sorted({record.cluster for record in some})
    images = {p: [i for i, record in enumerate(some) if record.cluster == p] for p in patients}

    def alike(i, patient):
        return np.mean([vectors[i] @ vectors[j] for j in images[patient]])

    for i, record in enumerate(some):
        others = [alike(i, patient) for patient in patients if patient != record.cluster]
        assert column.value(OTHERS.name)[i] == pytest.approx(np.mean(others), abs=3e-4), "float16"
    pairs = [np.mean([alike(i, b) for i in images[a]]) for a, b in combinations(patients, 2)]
    cell = cells(audits(some, turn=turn)["vision-gaussian_noise"])[0]
    assert cell.reference == pytest.approx(np.mean(pairs), abs=3e-4)
    by_image = [vectors[i] @ vectors[j] for a, b in combinations(patients, 2) for i in images[a] for j in images[b]]
    assert abs(np.mean(by_image) - np.mean(pairs)) > 1e-3, "images weigh otherwise, and that would show"


def test_interval_holds_the_mean_of_varying_images_and_narrows_with_their_number(audits, records):
    def turn(number, condition):
        return severity(condition) and 0.3 + 0.2 * math.sin(number)

    ends = []
    for n in (12, 40):
        found = cells(audits(records(n, modalities=("ct",)), turn=turn)["vision-gaussian_noise"])[0].estimate
        mean = np.mean([math.cos(0.3 + 0.2 * math.sin(i)) for i in range(n)])
        assert found.value == pytest.approx(mean, abs=1e-4)
        assert found.low < mean < found.high <= 1
        ends.append(found.high - found.low)
    assert ends[1] < ends[0]


def test_what_is_missing_is_an_error_and_costs_only_its_pair(audits, records):
    def fail(found, kind):
        number, _, condition = found
        lost_clean = number == 0 and not severity(condition)
        return kind == "vision" and (lost_clean or (number == 1 and severity(condition) == 5))

    found = audits(records(12, modalities=("ct",)), fail=fail)
    own = cells(found["vision-gaussian_noise"])
    assert [(c.n_images, c.outcomes.error) for c in own] == [(11, 1), (11, 1), (10, 2)]
    assert [c.estimate.value for c in own] == pytest.approx([math.cos(0.1 * s) for s in SEVERITIES], abs=2e-5)
    assert found["vision-gaussian_noise"].verdict == "ERROR", "as of any audit whose numbers are missing"
    assert cells(found["vision-gaussian_noise-follows"])[0].n_images == 10
    assert [c.outcomes.error for c in cells(found["language-gaussian_noise"])] == [0, 0, 0]
    assert found["language-gaussian_noise"].verdict == "INCONCLUSIVE"


def test_nothing_embedded_is_shown_as_nothing(audits, records):
    audit = audits(records(3), fail=lambda found, kind: True)["vision-gaussian_noise"]
    own = cells(audit)
    assert [(c.estimate.value, c.n_images, c.outcomes.error, c.reference) for c in own] == [(None, 0, 3, None)] * 3
    assert next(p.change.value for p in audit.series if p.level == 1) is not None, "the scores are there all the same"


def test_missing_scores_leave_the_embeddings(audits, records):
    found = audits(records(12), score=lambda i, c: "I cannot assess this image." if severity(c) else "70")
    audit = found["vision-gaussian_noise"]
    assert cells(audit)[0].estimate.value == pytest.approx(math.cos(0.1), abs=2e-5)
    assert {p.change.value for p in audit.series if p.level} == {None}
    [following] = cells(found["vision-gaussian_noise-follows"])
    assert (following.estimate.value, following.n_images) == (None, 0)


def test_one_patient_has_nobody_to_be_compared_with(audits, records):
    cell = cells(audits(records(2, patients=1))["vision-gaussian_noise"])[0]
    assert cell.reference is None
    assert "comparison" not in cell.sentence


def test_vectors_are_no_answers(measured, records):
    data = measured(records(4))
    inside = set(data.asked()) - set(data.answered())
    assert {question.task for question in inside} == {"embedding"}
    assert len(inside) == 2 * (1 + len(SEVERITIES) + 1), "kinds, of the clean image and every condition"
    assert data.total().total == 4 * len(data.answered())
    assert from_answers(to_answers(data, 8)).total() == data.total()


def test_numbers_are_those_of_the_record(measured, records):
    data = measured(records(5), turn=lambda number, c: severity(c) and 0.123456789 * (number + 1))
    again = from_answers(to_answers(data, 8))
    for question in data.asked():
        for name in data.column(question).values:
            np.testing.assert_array_equal(again.column(question).value(name), data.column(question).value(name))


@given(st.lists(st.tuples(*[st.floats(-1, 0.999)] * 4, *[st.integers(0, 100)] * 5), min_size=1, max_size=6))
def test_correlation_is_numpys(rows):
    values = np.array(rows, dtype=float)
    similarity = np.column_stack([np.ones(len(rows)), values[:, :4]])
    scores = values[:, 4:]
    for alike, score, r in zip(similarity, scores, correlated(similarity, scores), strict=True):
        expected = np.corrcoef(np.round(alike, 9), score)[0, 1] if np.ptp(score) else 0.0
        assert r == pytest.approx(expected, abs=1e-7)


def test_items_without_all_numbers_have_no_correlation():
    alike = np.array([[1.0, 0.5, 0.2], [1.0, np.nan, 0.2], [1.0, 1.0, 1.0], [1.0, 0.5, 0.2]])
    score = np.array([[90.0, 50, 20], [90, 50, 20], [90, 50, 20], [90, np.nan, 20]])
    np.testing.assert_allclose(np.isfinite(correlated(alike, score)), [True, False, False, False])
    assert np.isnan(correlated(alike[:, :2], score[:, :2])).all()
