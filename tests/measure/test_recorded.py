"""The answers of a run survive the way into its record and back, so that a later run can be paired with them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.evidence import AnswerColumn, Answers, ImageEntry
from auditkit.images.record import ImageRecord
from auditkit.measure.columns import Column, Measurements
from auditkit.measure.recorded import answers_sha256, from_answers, to_answers
from auditkit.tasks.answers import OUTCOMES
from auditkit.vocabulary import Condition

SCORED = OUTCOMES.index("scored")


def record(name):
    return ImageRecord(name, f"p-{name}", "ct", "", False, "", lambda: None)


cells = st.one_of(
    st.just((-1, np.nan)),
    st.integers(0, len(OUTCOMES) - 1).filter(lambda code: code != SCORED).map(lambda code: (code, np.nan)),
    st.sampled_from([0.0, 100 / 6, 25.0, 87.5, 100.0, 100 / 3]).map(lambda score: (SCORED, score)),
    st.just((SCORED, np.nan)),  # a letter that stands for no score
)


@given(st.lists(cells, min_size=1, max_size=12), st.randoms())
def test_every_mark_reads_back(answers, random):
    names = [f"i{k:02d}" for k in range(len(answers))]
    random.shuffle(names)
    codes, scores = (np.array(part) for part in zip(*answers, strict=True))
    place = (Condition("pixelate", 3, context="x.high", repeat=1), "t")
    data = Measurements(
        [record(n) for n in names], {place: Column(scores.astype(float), codes.astype(np.int8))}, {}, names
    )
    back = from_answers(Answers.model_validate_json(to_answers(data, 7).model_dump_json()))
    order = np.argsort(names)
    assert [r.id for r in back.records] == sorted(names)
    assert list(back.digests) == sorted(names)
    column = back.column(*place)
    assert column.outcomes.tolist() == codes[order].tolist()
    np.testing.assert_allclose(column.scores, scores[order].astype(float), rtol=1e-7)


def test_the_hash_covers_ids_and_answers():
    images = [ImageEntry(id="a", cluster="p", modality="ct", answers_sha256="1")]
    changed = [images[0].model_copy(update=change) for change in ({"id": "b"}, {"answers_sha256": "2"})]
    assert len({answers_sha256(images), *(answers_sha256([c]) for c in changed)}) == 3


@pytest.mark.parametrize("marks", ["95", "95 95 95", "95 ?"])
def test_a_column_that_does_not_fit_is_refused(marks):
    images = [ImageEntry(id=i, cluster=i, modality="ct") for i in "ab"]
    with pytest.raises(ValueError, match=r"marks|convert"):
        from_answers(Answers(images=images, columns=[AnswerColumn(template="t", marks=marks)]))
