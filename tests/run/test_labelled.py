"""Tasks with a right answer, from a table of labelled pictures to accuracies: the whole way by hand-made numbers."""

import csv

import numpy as np
import pytest
from PIL import Image

from auditkit.ask.plan import Plan, check_effects, distinct
from auditkit.ask.prefetch import digests, prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.requests import Keys
from auditkit.ask.tally import Tally
from auditkit.errors import AuditkitError
from auditkit.images.sources import load_images
from auditkit.judge.judge import Judge
from auditkit.measure.reader import AnswerReader
from auditkit.measure.recorded import columns_needed, from_answers, to_answers
from auditkit.protocol.effects import differs, share
from auditkit.protocol.right_answers import accuracy, balanced_accuracy, loss, recall, skill
from auditkit.run.truths import columns_of_tasks, with_truths
from auditkit.tasks import OUTCOMES
from auditkit.vocabulary import Perturbation, Question
from tests.judge.build import own

TASKS = {
    "chest.pneumonia": {
        "scorer": {"choice": {"A": "pneumonia", "B": "no pneumonia"}},
        "truth": {"column": "label", "levels": {"pneumonia": ["viral", "bacterial"], "no pneumonia": ["normal"]}},
        "wordings": {"direct": "Which fits this radiograph?\n{options}\nAnswer with one letter."},
    },
    "ward": {
        "scorer": {"choice": {"A": "{first}", "B": "{second}", "C": "{third}"}},
        "truth": "key",
        "wordings": {"direct": "{question}\n{options}\nAnswer with one letter."},
    },
    "gradable": {"scorer": "grade", "flags": ["reject"], "wordings": {"direct": "Good, usable or reject? One word."}},
}
REVERSED = Perturbation("options_reversed")


def protocol(**families):
    rules = own("diagnosis", size=20, **(families or {"at_least": 0.5}))
    return rules.model_copy(update={"tasks": TASKS})


@pytest.fixture
def table(tmp_path):
    """Write pictures and a manifest of rows; every row is a patient."""

    def write(rows):
        columns = list(dict.fromkeys(["file_name", "patient_id", "modality", *(key for row in rows for key in row)]))
        for i in range(len(rows)):
            pixels = np.random.default_rng(i).integers(0, 255, (24, 24), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"{i:03d}.png")
        with (tmp_path / "list.csv").open("w", newline="") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            for i, row in enumerate(rows):
                writer.writerow({"file_name": f"{i:03d}.png", "patient_id": f"p{i}", "modality": "xray", **row})
        return tmp_path / "list.csv"

    return write


@pytest.fixture
def run(store, function_model):
    """Ask a model that is a function of the request and the item; return the measurements and the plan."""

    def run(path, effects, answer, rules=None):
        rules = rules or protocol()
        effects = distinct(effects)
        check_effects(effects, rules)
        images = load_images(
            str(path), salt="s", columns=columns_of_tasks(effects, rules), strata=columns_needed(rules, effects)
        )
        images = with_truths(images, effects, rules)
        plan, renderer = Plan(images.records, effects, rules), Renderer(store, 1, rules.catalogue)
        model = function_model(answer)
        prefetch(plan, model, store, renderer, batch_size=4, deadline=20, on_progress=lambda t: None, ask_on=True)
        found = digests(plan, store, renderer, Tally())
        return AnswerReader(plan, found, Keys(model, 4, rules.catalogue), store, renderer).measure(), plan, model

    return run


def test_right_and_wrong_by_levels_of_a_column(run, table):
    path = table([{"label": label} for label in ("viral", "normal", "Bacterial", "normal", "unclear", "")])
    data, plan, model = run(path, [accuracy("chest.pneumonia", family="diagnosis")], lambda request: "A")
    question = Question("chest.pneumonia", "direct")
    label = {record.name: record.columns.get("label", "") for record in data.records}
    assert label == {f"{i:03d}.png": x for i, x in enumerate(("viral", "normal", "Bacterial", "normal", "unclear", ""))}
    correct = dict(zip((r.name for r in data.records), data.column(question).value("correct").tolist(), strict=True))
    assert [correct[f"{i:03d}.png"] for i in range(4)] == [1.0, 0.0, 1.0, 0.0]
    # What is not labelled is not asked, and each of the two says why.
    assert len(model.asked) == 4
    why = sorted(reason for record in data.records for reason in plan.lacking(record).items())
    assert why == [
        ("chest.pneumonia", "no 'label' is given"),
        ("chest.pneumonia", "the 'label' is none of the answers"),
    ]
    above = data.column(question).value("above_chance")
    assert sorted(above[np.isfinite(above)].tolist()) == [-1.0, -1.0, 1.0, 1.0]


def test_options_of_each_item_and_their_other_order(run, table):
    rows = [
        {"question": "Noise or blur?", "first": "noise", "second": "blur", "third": "none", "key": "B"},
        {"question": "Say {options}.", "first": "yes", "second": "no", "key": "0"},
        {"question": "Which?", "first": "left", "second": "right", "third": "{second}", "key": "right"},
        {"question": "Twice?", "first": "same", "second": "Same", "key": "A"},
    ]
    said = {}

    def answer(request):
        said[request.prompt] = None
        return "A"

    effects = [accuracy("ward", family="diagnosis"), differs(REVERSED, task="ward", family="diagnosis")]
    data, plan, _ = run(table(rows), effects, answer)
    assert set(said) == {
        "Noise or blur?\nA. noise\nB. blur\nC. none\nAnswer with one letter.",
        "Noise or blur?\nA. none\nB. blur\nC. noise\nAnswer with one letter.",
        # What a column says is data: a slot in it stays as it is written.
        "Say {options}.\nA. yes\nB. no\nAnswer with one letter.",
        "Say {options}.\nA. no\nB. yes\nAnswer with one letter.",
        "Which?\nA. left\nB. right\nC. {second}\nAnswer with one letter.",
        "Which?\nA. {second}\nB. right\nC. left\nAnswer with one letter.",
    }
    names = [record.name for record in data.records]
    plain = dict(zip(names, data.column(Question("ward", "direct")).value("correct").tolist(), strict=True))
    assert [plain[f"{i:03d}.png"] for i in range(3)] == [0.0, 1.0, 0.0]
    turned = data.column(Question("ward", "direct", (REVERSED,)))
    labels = dict(zip(names, turned.labels.tolist(), strict=True))
    assert [labels[f"{i:03d}.png"] for i in range(3)] == ["none", "no", "{second}"]
    # The letter is the same, what it says is not: a model that answers by position differs everywhere.
    audit = Judge(protocol(), data, plan.effects).audit(plan.effects[0], "?")
    assert audit.parts[0].estimate.value == 1.0
    [why] = {reason for record in data.records for reason in plan.lacking(record).items()}
    assert why == ("ward", "two of the options have the same text")


def test_a_flag_is_a_word_or_a_refusal(run, table):
    texts = ["reject", "good", "I cannot assess this image.", "hm", "usable"]
    data, *_ = run(
        table([{"label": str(i)} for i in range(5)]),
        [share("flagged", "gradable", family="diagnosis")],
        lambda request: texts[int(request.id[:8], 16) % 5],
    )
    column = data.column(Question("gradable", "direct"))
    by_text = {"reject": 1.0, "scored": 0.0, "refused": 1.0, "unparsed": 0.0}
    for flagged, code, score in zip(column.value("flagged"), column.outcomes, column.scores, strict=True):
        name = OUTCOMES[code]
        assert flagged == (by_text["reject"] if name == "scored" and score == 0 else by_text[name])


def test_balanced_accuracy_is_the_mean_of_recalls_and_a_base_rate_has_no_skill(run, table):
    """36 patients, 27 of them normal; always "no pneumonia" is right in 3 of 4, and knows nothing."""
    rows = [{"label": "normal" if i % 4 else "viral"} for i in range(36)]
    effects = [
        accuracy("chest.pneumonia", family="diagnosis"),
        balanced_accuracy("chest.pneumonia", family="diagnosis"),
        skill("chest.pneumonia", family="diagnosis"),
        recall("chest.pneumonia", "pneumonia", family="diagnosis"),
        recall("chest.pneumonia", "no pneumonia", family="diagnosis"),
    ]
    data, plan, _ = run(table(rows), effects, lambda request: "B")
    judge = Judge(protocol(), data, plan.effects)
    found = {e.name: judge.audit(e, "?").parts[0].estimate.value for e in plan.effects}
    assert found == pytest.approx({
        "chest.pneumonia-correct": 0.75,
        "chest.pneumonia-balanced-accuracy": 0.5,
        "chest.pneumonia-skill": 0.0,
        "chest.pneumonia-recall-pneumonia": 0.0,
        "chest.pneumonia-recall-no pneumonia": 1.0,
    })  # fmt: skip


@pytest.mark.parametrize(("knows", "verdict"), [(True, "PASS"), (False, "INCONCLUSIVE")])
def test_who_guesses_has_nothing_to_lose(run, table, knows, verdict):
    """Equal answers under a corruption are no loss; for who answers by the base rate that says nothing."""
    rows = [{"label": "normal" if i % 2 else "viral"} for i in range(80)]
    seen = {}
    for i in range(80):
        pixels = np.random.default_rng(i).integers(0, 255, (24, 24), dtype=np.uint8)
        seen[round(float(pixels.mean()), 1)] = i % 2

    def answer(request):
        """The question does not say which picture it is; its mean does."""
        return "A" if knows and seen.get(round(float(np.asarray(request.images[0]).mean()), 1)) == 0 else "B"

    rules = protocol(at_most=0.2)
    effect = loss(Perturbation("jpeg", 1), task="chest.pneumonia", family="diagnosis")
    data, plan, _ = run(table(rows), [effect], answer, rules)
    # Under the corruption the mean moves, so the answers are taken from the clean question: no loss at all.
    clean = data.column(Question("chest.pneumonia", "direct"))
    data = data.with_columns({Question("chest.pneumonia", "direct", (Perturbation("jpeg", 1),)): clean})
    audit = Judge(rules, data, plan.effects).audit(plan.effects[0], "?")
    assert audit.verdict == verdict
    if not knows:
        assert "unchanged it is not shown to be better than guessing (0.0 %" in audit.parts[0].sentence


def test_the_record_gives_the_same_back(run, table):
    rows = [{"label": "normal" if i % 3 else "viral"} for i in range(30)]
    effects = [skill("chest.pneumonia", family="diagnosis"), recall("chest.pneumonia", "pneumonia", family="diagnosis")]
    data, plan, _ = run(table(rows), effects, lambda request: "B" if int(request.id[:2], 16) % 5 else "I cannot say.")
    again = from_answers(to_answers(data, 4, columns_needed(protocol(), plan.effects)))
    for effect in plan.effects:
        now = Judge(protocol(), data, plan.effects).audit(effect, "?")
        then = Judge(protocol(), again, plan.effects).audit(effect, "?")
        assert now == then


def test_what_is_declared_wrongly_is_refused():
    for table, said in (
        ({"truth": {"column": "label", "levels": {"cancer": ["x"]}}}, "answers are pneumonia, no pneumonia"),
        (
            {"truth": {"column": "label", "levels": {"pneumonia": ["x"], "no pneumonia": ["X"]}}},
            "stands for two answers",
        ),
        ({"pictures": 3}, "0, 1 or 2 is allowed"),
        ({"flags": ["blurred"]}, "'blurred' is no answer to this task"),
        ({"of": "nothing"}, "is filled by the answer to another task, and of names one"),
    ):
        rules = own(at_least=0.5).model_copy(update={"tasks": {"own": TASKS["chest.pneumonia"] | table}})
        with pytest.raises(AuditkitError, match=said):
            _ = rules.catalogue
