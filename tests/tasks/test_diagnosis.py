"""The tasks with a right answer that auditkit ships: their words, their labels, and how their answers are read."""

import pytest

from auditkit import AuditkitError
from auditkit.perturbations import levels, placebos
from auditkit.protocol.catalogue import Catalogue
from auditkit.tasks import Choice, Finding, inside, pack, read, read_tasks, shipped
from auditkit.testing.defect import REFUSAL

TASKS = pack("diagnosis")
EVERY = pytest.mark.parametrize(("task", "wording"), [(t.id, w) for t in TASKS.values() for w in t.wordings])
CONDITIONS = ("brain_tumour", "pneumonia", "skin_lesion", "histology")


def test_four_tasks_of_four_conditions():
    assert list(TASKS) == [f"{name}.{kind}" for name in CONDITIONS for kind in ("present", "absent", "letters", "kind")]
    assert not {*TASKS} & {*shipped(), *inside()}
    assert {*TASKS} <= {*Catalogue.of({}, {}, "quality.direct").tasks}
    assert all(len(task.wordings) >= 2 for task in TASKS.values())


@pytest.mark.parametrize("name", CONDITIONS)
def test_the_question_turned_round_has_the_other_answer_and_one_sensitivity(name):
    present, absent, letters = (TASKS[f"{name}.{kind}"] for kind in ("present", "absent", "letters"))
    for level in [*present.truth.levels["yes"], *present.truth.levels["no"]]:
        columns = {"label": f" {level.upper()} "}
        ill = present.right(columns) == "yes"
        assert present.right(columns) in ("yes", "no")
        assert absent.right(columns) == ("no" if ill else "yes")
        found = [task.right(columns) == task.positive for task in (present, absent, letters)]
        assert found == [ill] * 3


@pytest.mark.parametrize(
    ("label", "present", "kind"),
    [
        ("glioma_tumor", "brain_tumour yes", "glioma"),
        ("notumor", "brain_tumour no", "none"),
        ("NORMAL", "pneumonia no", "normal"),
        ("PNEUMONIA", "pneumonia yes", ""),
        ("bacteria", "pneumonia yes", "bacterial"),
        ("mel", "skin_lesion yes", "melanoma"),
        ("bkl", "skin_lesion no", "benign keratosis"),
        ("akiec", "skin_lesion ", "actinic keratosis"),
        ("1", "histology yes", ""),
        ("IDC(-)", "histology no", ""),
        ("TUM", "histology ", "cancer"),
        ("background", "histology ", ""),
    ],
)
def test_labels_of_public_data(label, present, kind):
    name, _, answer = present.partition(" ")
    columns = {"label": label}
    assert TASKS[f"{name}.present"].right(columns) == answer
    assert TASKS[f"{name}.kind"].right(columns) == kind


def test_every_kind_of_the_seven_and_the_eight():
    assert len(TASKS["skin_lesion.kind"].answers) == 7
    assert len(TASKS["histology.kind"].answers) == 8


@EVERY
def test_choices_are_answers_and_nothing_else_is(task, wording):
    one = TASKS[task]
    found = [read(one, wording, choice, truth=one.answers[0]) for choice in one.scorer.choices]
    assert [answer.outcome for answer in found] == ["scored"] * len(one.answers)
    assert [answer.said for answer in found] == list(one.answers)
    assert [answer.values["correct"] for answer in found] == [1.0, *[0.0] * (len(one.answers) - 1)]
    assert read(one, wording, REFUSAL).outcome == "refused"
    for sentence in ("", next(iter(placebos().values())), next(iter(levels().values())).sentence):
        echo = one.wordings[wording].text.replace("{context}", sentence)
        options = one.scorer.lines if isinstance(one.scorer, Choice) else ""
        asked = echo.replace("{options}", options)
        assert read(one, wording, asked).outcome == "unparsed", asked


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Yes", "yes"),
        ("no.", "no"),
        ("Yes, this chest radiograph shows pneumonia, with an opacity in the right lower lobe.", "yes"),
        ("No, there are no signs of pneumonia. The lungs are clear.", "no"),
        # Adequate is the breath, not the answer: what is asked for here is no fitness.
        ("No, the inspiration is adequate and the lungs are clear.", "no"),
        ("Yes. The image is not sufficient to tell the kind.", "yes"),
        ("Yes or no", ""),
        ("The heart is enlarged.", ""),
    ],
)
def test_a_finding_is_read_as_a_label(text, said):
    answer = read(TASKS["pneumonia.present"], "open", text)
    assert answer.said == said
    assert answer.outcome == ("scored" if said else "unparsed")
    assert answer.main is None
    assert TASKS["pneumonia.present"].scorer == Finding()


def test_fitness_still_contradicts_itself():
    assert read(shipped()["yes_no"], "", "No, the quality is adequate.").outcome == "unparsed"


def test_a_protocol_says_where_its_own_labels_are_and_adds_wordings():
    truth = {"column": "dx", "levels": {"yes": ["J18.9"], "no": ["none"]}}
    task = read_tasks({"pneumonia.present": {"truth": truth, "wordings": {"mine": "Pneumonia?"}}})["pneumonia.present"]
    assert task.right({"dx": "j18.9", "label": "normal"}) == "yes"
    assert list(task.wordings) == ["named", "features", "open", "report", "mine"]
    assert "dx" in task.columns


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"pneumonia.present": {"scorer": "grade"}}, "ships this task with a scorer"),
        ({"pneumonia.present": {"truth": {"column": "dx", "levels": {"ill": ["x"]}}}}, "answers are yes, no"),
        ({"quality": {"truth": "label"}}, "truth"),
        ({"own": {"scorer": "finding", "positive": "ill", "wordings": {"a": "x"}}}, "one of the two answers"),
        ({"own": {"scorer": "finding", "modalities": "xray", "wordings": {"a": "x"}}}, "a list of names"),
    ],
)
def test_what_is_declared_wrongly_is_refused(tables, said):
    with pytest.raises(AuditkitError, match=said):
        read_tasks(tables)


def test_a_task_of_ones_own_is_written_out_with_all_it_says():
    table = {
        "scorer": "finding",
        "wordings": {"a": {"text": "Is it there?\n{context}"}},
        "truth": "label",
        "positive": "yes",
        "modalities": ["xray"],
    }
    task = read_tasks({"own": table})["own"]
    assert task.table() == table
    assert task.applies_to("xray")
    assert not task.applies_to("ct")
