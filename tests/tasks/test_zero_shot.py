"""The classes of public data sets: those that the sets write, and asked of their own images only."""

import pytest

from auditkit.errors import AuditkitError
from auditkit.images.layouts.known import data_set
from auditkit.protocol.catalogue import Catalogue
from auditkit.protocol.zero_shot import IN_MEDIMETA_C, alexnet, published, set_of
from auditkit.tasks import pack, read_tasks

TASKS = pack("zero_shot")


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.id)
def test_every_class_of_the_set_is_an_answer(task):
    known = data_set(set_of(task))
    assert task.answers == known.labels
    for label in known.labels:
        assert task.lacking({"label": label, "data_set": known.name}, 1) == ""
        assert task.right({"label": label}) == label
    assert task.lacking({"label": known.labels[0], "data_set": "another"}, 1) == "the 'data_set' is another"
    assert "none of the answers" in task.lacking({"label": "x", "data_set": known.name}, 1)
    assert {"data_set", "label"} < set(task.columns)
    for _, texts in task.statements():
        assert len(texts) == 1
        assert texts[0].startswith("a medical image of a ")
        assert texts[0].endswith(f" belonging to {known.name}")


def test_what_is_published_is_in_the_catalogue():
    catalogue = Catalogue.of({}, {}, "quality.direct")
    names = [entry for task in TASKS.values() for entry in published(task)]
    assert all(catalogue.entry(name).given for name in names)
    # As MedMNIST-C counts them, and seven of each of MediMeta-C's seven sets.
    assert {name: len(some) for name, some in alexnet().items()} == {
        "bloodmnist": 11, "retinamnist": 8, "breastmnist": 7, "octmnist": 6, "pneumoniamnist": 13,
    }  # fmt: skip
    assert len(names) == 45 + 7 * len(IN_MEDIMETA_C)


def test_a_protocol_may_give_other_class_prompts():
    [task] = read_tasks({"zero_shot.oct": {"class_prompts": ["an OCT scan showing {option}"]}}).values()
    assert dict(task.statements())["B"] == ("an OCT scan showing normal",)
    assert task.truth == TASKS["zero_shot.oct"].truth


@pytest.mark.parametrize("only", [{}, {"a": ["x"], "b": ["y"]}, {"a": "x"}, {"a": []}, "a"])
def test_only_names_one_column_and_its_levels(only):
    with pytest.raises(AuditkitError, match=r"own\.only"):
        read_tasks({"own": {"scorer": "grade", "wordings": {"direct": "Good?"}, "only": only}})
