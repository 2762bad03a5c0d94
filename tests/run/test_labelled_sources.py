"""Right answers out of public layouts: experts' grades of MedIMeta, question tables, an imagefolder with answers."""

import base64
import csv
import io

import numpy as np
import pytest
import yaml
from PIL import Image

from auditkit.ask.plan import Plan, check_effects
from auditkit.ask.prefetch import digests, prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.requests import Keys
from auditkit.ask.tally import Tally
from auditkit.images.sources import load_images
from auditkit.measure.reader import AnswerReader
from auditkit.protocol.right_answers import accuracy
from auditkit.run.truths import columns_of_tasks, with_truths
from auditkit.vocabulary import Question
from tests.judge.build import own

TASKS = {
    "gradable": {
        "scorer": {"choice": {"A": "good", "B": "bad"}},
        "truth": {
            "column": "overall_quality",
            "levels": {"good": ["good enough"], "bad": ["not good enough"]},
        },
        "wordings": {"direct": "Can this picture be graded?\n{options}\nOne letter."},
    },
    "ward": {
        "scorer": {"choice": {letter: f"{{{letter}}}" for letter in "ABCD"}},
        "truth": "answer",
        "wordings": {"direct": "{question}\n{options}\nOne letter."},
    },
    "pairs": {
        "scorer": {"choice": {letter: f"{{{letter}}}" for letter in "ABCD"}},
        "truth": "answer",
        "pictures": 2,
        "wordings": {"direct": "{question}\n{options}\nOne letter."},
    },
}


def pixels(seed):
    return np.random.default_rng(seed).integers(0, 256, (24, 24), dtype=np.uint8)


@pytest.fixture
def run(store, function_model):
    """Ask a model "A" about everything that a source has; return whether it is right by name, and the requests."""

    def run(source, task):
        rules = own("diagnosis", at_least=0.5, size=20).model_copy(update={"tasks": TASKS})
        effects = (accuracy(task, family="diagnosis"),)
        check_effects(effects, rules)
        images = with_truths(
            load_images(str(source), salt="s", columns=columns_of_tasks(effects, rules)), effects, rules
        )
        plan, renderer = Plan(images.records, effects, rules), Renderer(store, 1, rules.catalogue)
        requests = []
        model = function_model(lambda request: (requests.append(request), "A")[1])
        prefetch(plan, model, store, renderer, batch_size=8, deadline=20, on_progress=lambda t: None, ask_on=True)
        data = AnswerReader(
            plan, digests(plan, store, renderer, Tally()), Keys(model, 8, rules.catalogue), store, renderer
        ).measure()
        found = data.column(Question(task, "direct")).value("correct").tolist()
        right = {record.name: value for record, value in zip(data.records, found, strict=True)}
        return right, requests, images, plan

    return run


def test_the_grades_that_experts_gave_are_the_right_answers(tmp_path, run):
    """dr_regular as MedIMeta writes it: "Overall quality", 0 and 1, said in words by info.yaml."""
    folder = tmp_path / "dr_regular"
    (folder / "images").mkdir(parents=True)
    labels = {0: "not good enough", 1: "good enough"}
    task = {"task_name": "Overall quality", "task_target": "BINARY_CLASSIFICATION", "labels": labels}
    info = {"id": "dr_regular", "name": "DR (Regular Fundus)", "domain": "Fundus Photography", "tasks": [task]}
    (folder / "info.yaml").write_text(yaml.safe_dump(info))
    rows = [("filepath", "tasks/Overall quality", "patient_id", "Overall quality")]
    grades = ["1", "0", "1.0", "0.0", ""]
    for i, grade in enumerate(grades):
        Image.fromarray(pixels(i)).save(folder / "images" / f"{i:06d}.tiff")
        rows.append((f"images/{i:06d}.tiff", grade, f"p{i}", "words"))
    with (folder / "annotations.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    right, requests, images, plan = run(folder, "gradable")
    assert [right[f"images/{i:06d}.tiff"] for i in range(4)] == [1.0, 0.0, 1.0, 0.0]
    assert len(requests) == 4
    assert sorted(r.attributes["truth.gradable"] for r in images.records) == ["bad", "bad", "good", "good", "unknown"]
    (reason,) = {reason for record in images.records for reason in plan.lacking(record).values()}
    assert "overall_quality" in reason


def test_questions_and_answers_of_an_imagefolder(tmp_path, run):
    rows = [("file_name", "patient_id", "question", "A", "B", "C", "D", "answer")]
    for i in range(3):
        Image.fromarray(pixels(i)).save(tmp_path / f"{i}.png")
    rows += [
        ("0.png", "p0", "Noise?", "yes", "no", "", "", "A"),
        ("0.png", "p0", "Blur?", "yes", "no", "", "", "no"),
        ("1.png", "p1", "Which?", "dust", "fold", "blur", "none", "2"),
        ("2.png", "p2", "", "", "", "", "", ""),
    ]
    with (tmp_path / "metadata.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    _, requests, images, plan = run(tmp_path, "ward")
    assert sorted(request.prompt.splitlines()[0] for request in requests) == ["Blur?", "Noise?", "Which?"]
    said = {record.columns.get("question"): record.columns.get("truth.ward") for record in images.records}
    assert said == {"Noise?": "yes", "Blur?": "no", "Which?": "blur", None: None}
    assert len(plan.records) == 4
    assert len({record.cluster for record in images.records}) == 3


def test_a_table_of_medq_is_asked_as_it_is_written(tmp_path, run):
    def b64(seed):
        stream = io.BytesIO()
        Image.fromarray(pixels(seed)).save(stream, "PNG")
        return base64.b64encode(stream.getvalue()).decode()

    rows = [("index", "question", "A", "B", "C", "D", "answer", "image_a", "image_b")]
    rows += [
        (0, "Noise?", "yes", "no", "", "", 1, b64(0), ""),
        (1, "Which is\nsharper?", "the first", "the second", "", "", "A", b64(1), b64(2)),
    ]
    with (tmp_path / "medqbench_QA_test.tsv").open("w", newline="") as stream:
        csv.writer(stream, delimiter="\t", lineterminator="\n").writerows(rows)
    right, requests, *_ = run(tmp_path / "medqbench_QA_test.tsv", "ward")
    assert [request.prompt for request in requests] == ["Noise?\nA. yes\nB. no\nOne letter."]
    assert right["medqbench_QA_test.tsv[0]"] == 0.0
    right, requests, *_ = run(f"medq:{tmp_path / 'medqbench_QA_test.tsv'}", "pairs")
    (request,) = requests
    assert request.prompt == "Which is\nsharper?\nA. the first\nB. the second\nOne letter."
    for image, seed in zip(request.images, (1, 2), strict=True):
        np.testing.assert_array_equal(np.asarray(image), pixels(seed))
    assert right["medqbench_QA_test.tsv[1]"] == 1.0
