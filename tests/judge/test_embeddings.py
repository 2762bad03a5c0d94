"""Embeddings of known geometry: what is measured of them is known in closed form."""

import math

import numpy as np
import pytest
from auditkit.judge.embeddings import _follows, embedding_shifts
from hypothesis import given
from hypothesis import strategies as st

from auditkit.ask.embeddings import fetch_embeddings, pixel_conditions
from auditkit.ask.keys import pixel_digest
from auditkit.ask.plan import Plan, distinct
from auditkit.ask.prefetch import Keys, Tally, digests, prefetch
from auditkit.ask.render import Renderer
from auditkit.evidence import EmbeddingShift
from auditkit.measure.reader import AnswerReader
from auditkit.models.base import Response
from auditkit.protocol.effects import change, falls, share
from auditkit.vocabulary import Condition, Perturbation

SEVERITIES = (1, 3, 5)
EFFECTS = distinct([
    falls("gaussian_noise", SEVERITIES, family="sensitivity"),
    change(Perturbation("pixelate", 2), family="sensitivity"),
    share("refused", "grade", family="answers"),
])  # fmt: skip
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
            digest = pixel_digest(record.read())
            for condition in pixel_conditions(plan, record):
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
def shifts(store, protocol):
    def shifts(some, *, turn=tenths, score=falling, fail=lambda request, kind: False) -> list[EmbeddingShift]:
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
        return embedding_shifts(plan, model, data, store, renderer)

    return shifts


def one(found, kind="vision", name="gaussian_noise", modality="all") -> EmbeddingShift:
    [shift] = [s for s in found if (s.kind, s.perturbation, s.modality) == (kind, name, modality)]
    return shift


def test_known_angles_give_their_cosines(shifts, records):
    found = shifts(records(12))
    assert len(found) == 2 * 3 * 2, "kinds x (all, ct, xray) x corruptions"
    for modality, n in (("all", 12), ("ct", 6), ("xray", 6)):
        shift = one(found, modality=modality)
        assert [p.level for p in shift.series] == list(SEVERITIES)
        for point in shift.series:
            expected = math.cos(0.1 * point.level)
            assert point.similarity.value == pytest.approx(expected, abs=2e-5)
            assert point.similarity.low <= expected + 2e-5
            assert point.similarity.high >= expected - 2e-5
            assert (point.similarity.unit, point.similarity.level) == ("cosine", 0.9)
            assert (point.n_images, point.n_clusters, point.n_missing) == (n, n, 0)
            assert point.score_change.value == pytest.approx(-10 * point.level)
            assert 0 < point.ssim < 1
        assert shift.between == pytest.approx(APART, abs=1e-4)
        assert shift.title == "Gaussian noise"


def test_model_that_sees_nothing(shifts, records):
    shift = one(shifts(records(12)), kind="language")
    assert [p.similarity.value for p in shift.series] == [1.0] * 3
    assert shift.follows.value is None, "an embedding that never moves cannot be followed"
    assert shift.n_follows == 0


def test_score_that_follows(shifts, records):
    found = shifts(records(12))
    shift = one(found)
    expected = np.corrcoef([0, *(1 - math.cos(0.1 * s) for s in SEVERITIES)], [0, *(10 * s for s in SEVERITIES)])[0, 1]
    assert shift.follows.value == pytest.approx(expected, abs=1e-4)
    assert (shift.n_follows, shift.follows.unit) == (12, "correlation")
    assert one(found, name="pixelate").follows.value is None, "two points are no correlation"


@pytest.mark.parametrize(
    ("score", "low", "high"),
    [
        (lambda i, c: "70", 0.0, 0.0),
        (lambda i, c: str(50 + 5 * severity(c)), -1.0, -0.9),
        (lambda i, c: "10" if severity(c) else "90", 0.5, 0.7),
        (lambda i, c: str(90 - 3 * severity(c) ** 2), 0.999, 1.0),
    ],
)
def test_how_the_score_follows_the_distance(shifts, records, score, low, high):
    assert low <= one(shifts(records(12), score=score)).follows.value <= high


def test_score_and_embedding_that_reach_their_end_at_once_are_in_step(shifts, records):
    """Ranks would call this chance: from severity 1 on, distance and score vary by hardly anything."""

    def turn(number, condition):
        return severity(condition) and 1.3 + 0.01 * math.sin(number + severity(condition))

    def score(number, condition):
        return str(round(5 + 2 * math.cos(3 * number + severity(condition))) if severity(condition) else 90)

    assert one(shifts(records(12), turn=turn, score=score)).follows.value > 0.99


def test_patients_weigh_the_same_however_many_images_they_have(shifts, records):
    """Patient 0 has 20 of 30 images, turned by nothing; the other ten have one each, turned by 60 degrees."""
    some = [
        *(records.one(f"a{i}", i, patients=1) for i in range(20)),
        *(records.one(f"b{i}", i) for i in range(21, 31)),
    ]
    shift = one(shifts(some, turn=lambda number, c: 0.0 if number < 20 or not severity(c) else math.pi / 3))
    assert shift.series[0].similarity.value == pytest.approx((1 + 10 * 0.5) / 11, abs=1e-4)
    assert (shift.series[0].n_images, shift.series[0].n_clusters) == (30, 11)
    assert shift.between == pytest.approx(APART, abs=1e-4), "pairs of patients, not of images"


def test_interval_holds_the_mean_of_varying_images_and_narrows_with_their_number(shifts, records):
    def turn(number, condition):
        return severity(condition) and 0.3 + 0.2 * math.sin(number)

    points = [one(shifts(records(n, modalities=("ct",)), turn=turn)).series[0].similarity for n in (12, 40)]
    for point, n in zip(points, (12, 40), strict=True):
        mean = np.mean([math.cos(0.3 + 0.2 * math.sin(i)) for i in range(n)])
        assert point.value == pytest.approx(mean, abs=1e-4)
        assert point.low < mean < point.high <= 1
    assert points[1].high - points[1].low < points[0].high - points[0].low


def test_what_is_missing_is_counted_and_costs_only_its_pair(shifts, records):
    def fail(found, kind):
        number, _, condition = found
        lost_clean = number == 0 and not severity(condition)
        return kind == "vision" and (lost_clean or (number == 1 and severity(condition) == 5))

    found = shifts(records(12, modalities=("ct",)), fail=fail)
    shift = one(found)
    assert [(p.n_images, p.n_missing) for p in shift.series] == [(11, 1), (11, 1), (10, 2)]
    assert [p.similarity.value for p in shift.series] == pytest.approx(
        [math.cos(0.1 * s) for s in SEVERITIES], abs=2e-5
    )
    assert shift.n_follows == 10
    assert [p.n_missing for p in one(found, kind="language").series] == [0, 0, 0]


def test_nothing_embedded_is_shown_as_nothing(shifts, records):
    shift = one(shifts(records(3), fail=lambda found, kind: True))
    assert [(p.similarity.value, p.n_images, p.n_missing) for p in shift.series] == [(None, 0, 3)] * 3
    assert shift.between is None
    assert shift.series[0].score_change.value is not None, "the scores are there all the same"


def test_missing_scores_leave_the_embeddings(shifts, records):
    shift = one(shifts(records(12), score=lambda i, c: "I cannot assess this image." if severity(c) else "70"))
    assert shift.series[0].similarity.value == pytest.approx(math.cos(0.1), abs=2e-5)
    assert shift.series[0].score_change.value is None
    assert (shift.follows.value, shift.n_follows) == (None, 0)


def test_one_patient_has_nobody_to_be_compared_with(shifts, records):
    assert one(shifts(records(2, patients=1))).between is None


def test_same_answers_give_the_same_record(shifts, records):
    assert shifts(records(10)) == shifts(records(10))


@given(st.lists(st.tuples(*[st.floats(0.001, 2)] * 4, *[st.integers(-100, 100)] * 4), min_size=1, max_size=6))
def test_correlation_is_numpys(rows):
    values = np.array(rows, dtype=float)
    distances, falls = values[:, :4], values[:, 4:]
    for distance, fall, r in zip(distances, falls, _follows(distances, falls), strict=True):
        expected = np.corrcoef([0, *np.round(distance, 9)], [0, *fall])[0, 1] if fall.any() else 0.0
        assert r == pytest.approx(expected, abs=1e-9)
