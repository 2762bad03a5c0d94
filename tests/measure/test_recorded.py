"""The answers of a run survive the way into its record and back, so that a later run can be paired with them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.evidence import AnswerColumn, Answers, ItemEntry
from auditkit.images.item import Item
from auditkit.measure.columns import MAIN, Column, Measurements
from auditkit.measure.recorded import answers_sha256, columns_needed, from_answers, to_answers
from auditkit.tasks import OUTCOMES
from auditkit.vocabulary import Perturbation, Question
from tests.judge.build import FAMILIES, own, protocol

SCORED = OUTCOMES.index("scored")
CONDITION = (Perturbation("pixelate", 3), Perturbation("institution.reputation.high"), Perturbation("again", 1))
QUESTION = Question("quality", "direct", CONDITION)


def record(name, **attributes):
    return Item(name, f"p-{name}", "ct", (), False, "", attributes=attributes)


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
    column = Column({MAIN: scores.astype(float)}, codes.astype(np.int8))
    data = Measurements([record(n) for n in names], {QUESTION: column}, {}, names)
    back = from_answers(Answers.model_validate_json(to_answers(data, 7).model_dump_json()))
    order = np.argsort(names)
    assert [r.id for r in back.records] == sorted(names)
    assert list(back.digests) == sorted(names)
    assert back.asked() == (QUESTION,)
    column = back.column(QUESTION)
    assert column.outcomes.tolist() == codes[order].tolist()
    np.testing.assert_allclose(column.scores, scores[order].astype(float), rtol=1e-7)


def test_the_hash_covers_ids_and_answers():
    images = [ItemEntry(id="a", cluster="p", modality="ct", answers_sha256="1")]
    changed = [images[0].model_copy(update=change) for change in ({"id": "b"}, {"answers_sha256": "2"})]
    assert len({answers_sha256(images), *(answers_sha256([c]) for c in changed)}) == 3


@pytest.mark.parametrize("marks", ["95", "95 95 95", "95 ?"])
def test_a_column_that_does_not_fit_is_refused(marks):
    items = [ItemEntry(id=i, cluster=i, modality="ct") for i in "ab"]
    with pytest.raises(ValueError, match=r"marks|convert"):
        from_answers(Answers(items=items, columns=[AnswerColumn(task="t", wording="w", values={"": marks})]))


texts = st.text(max_size=8)


@given(st.lists(st.tuples(st.one_of(st.just(np.nan), st.sampled_from([1.0, 2.5])), texts), min_size=1, max_size=8))
def test_labels_and_named_values_read_back(rows):
    """A label may hold blanks, plus signs, per cent signs, line ends, or anything else a scorer gives."""
    n = len(rows)
    numbers, labels = np.array([number for number, _ in rows]), np.array([text for _, text in rows], dtype=object)
    column = Column({MAIN: np.full(n, np.nan), "clarity": numbers}, np.full(n, SCORED, dtype=np.int8), labels)
    data = Measurements([record(f"i{k:02d}") for k in range(n)], {QUESTION: column})
    back = from_answers(Answers.model_validate_json(to_answers(data, 1).model_dump_json())).column(QUESTION)
    np.testing.assert_allclose(back.value("clarity"), numbers)
    assert np.isnan(back.scores).all()
    assert (back.labels.tolist() if back.labels is not None else [""] * n) == labels.tolist()
    assert back.says_the_same(column).all()


def test_a_record_holds_the_columns_that_the_families_need_and_no_other():
    assert columns_needed(protocol()) == ()
    rules = own(within=5.0, by="scanner")
    rules = protocol(families={**rules.model_dump()["families"], "age": {"within": 5.0, "by": "age", "size": 1}})
    assert columns_needed(rules) == ("age", "scanner")
    assert set(FAMILIES) < set(rules.families)
    data = Measurements([record("a", scanner="S", ward="7"), record("b")], {})
    answers = to_answers(data, 1, columns_needed(rules))
    assert [item.columns for item in answers.items] == [
        {"age": "unknown", "scanner": "S"}, {"age": "unknown", "scanner": "unknown"},
    ]  # fmt: skip
    assert from_answers(answers).levels("scanner") == ("S", "unknown")
    assert to_answers(data, 1, ["modality"]).items[0].columns == {}


def test_roles_are_part_of_the_record():
    theirs = Question("quality", "direct", (), "baseline")
    one = Column({MAIN: np.array([1.0])}, np.array([SCORED], dtype=np.int8))
    data = Measurements([record("a")], {QUESTION: one, theirs: one})
    assert set(from_answers(to_answers(data, 1)).asked()) == {QUESTION, theirs}
