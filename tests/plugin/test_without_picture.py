"""Rows of a manifest without a picture, asked in words only, from the table to the page and to what checks it."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from auditkit.cli import main
from auditkit.records.verify import verify
from tests.plugin.conftest import evidence_of

PROTOCOL = """
name = "own"
profile = "ci"
seed = 7
covers = ["advice", "chest"]
[profiles.ci]
alpha = 0.05
[prompts]
score = "quality.direct"

[tasks.advice]
pictures = 0
scorer = { choice = { A = "yes", B = "no" } }
truth = "answer"
wordings.direct = "{finding} Is a follow-up needed?\\n{options}\\nReply with one letter."

[tasks.chest]
scorer = { choice = { A = "pneumonia", B = "none" } }
truth = "label"
wordings.direct = "Which fits the radiograph?\\n{options}\\nReply with one letter."

[families.in_words]
at_least = 0.5
size = 1
[families.in_pictures]
at_least = 0.5
size = 1
"""
AUDITS = '''
import pytest
from auditkit import accuracy


@pytest.mark.parametrize("effect", [accuracy("advice", family="in_words")], ids=str)
def test_advice(effect, audit):
    """Is the advice right?"""
    audit.at_least(effect)


@pytest.mark.parametrize("effect", [accuracy("chest", family="in_pictures")], ids=str)
def test_chest(effect, audit):
    """Is the finding right?"""
    audit.at_least(effect)
'''
MODEL = '''
import numpy as np
from auditkit.models.base import Response


class Reader:
    """Says yes to odd findings, and takes what is bright for pneumonia; never mixes up what has a picture."""
    name, revision, fingerprint = "reader", "1", "reader-1"
    wrong = False

    def generate(self, requests):
        return [Response(self.answer(r)) for r in requests]

    def answer(self, request):
        if "follow-up" in request.prompt:
            assert request.images == (), "a question in words was shown a picture"
            odd = int(request.prompt.split()[1].strip(".")) % 2
            return "A" if bool(odd) != self.wrong else "B"
        [image] = request.images
        return "A" if np.asarray(image.convert("L")).mean() > 100 else "B"


class Wrong(Reader):
    name, fingerprint = "wrong", "reader-2"
    wrong = True


reader, wrong = Reader(), Wrong()
'''
COLUMNS = ("file_name", "patient_id", "modality", "sex", "label", "finding", "answer")
TEXTS, PICTURES = 40, 24


@pytest.fixture
def mixed(bench):
    """A protocol with a task in words and one of pictures, and a table with rows for each of them."""
    audits = bench.path / "own"
    audits.mkdir()
    (audits / "protocol.toml").write_text(PROTOCOL)
    (audits / "test_own.py").write_text(AUDITS)
    bench.makepyfile(reader_model=MODEL)
    rows = [
        ("", f"t{i}", "xray", ("F", "M")[i % 2], "", f"Nodule {i}.", "yes" if i % 2 else "no") for i in range(TEXTS)
    ]
    for i in range(PICTURES):
        pixels = np.random.default_rng(i).normal((70, 150)[i % 2], 8, (24, 24))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(bench.path / f"{i:02d}.png")
        rows.append((f"{i:02d}.png", f"p{i}", "xray", "", ("none", "pneumonia")[i % 2], "", ""))
    rows.append(("", "t-copy", "xray", "M", "", "Nodule 7.", "yes"))
    rows.append(("", "t-blank", "", "", "", "", ""))
    with (bench.path / "mixed.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([COLUMNS, *rows])
    return bench


@pytest.fixture
def run(mixed, forked):
    def run(*arguments, model="reader", data="mixed.csv"):
        return forked.pytest("own", f"--model=reader_model:{model}", f"--audit-data={data}", *arguments, cwd=mixed.path)

    return run


def words(result) -> str:
    return " ".join((result.stdout.str() + result.stderr.str()).split())


def test_each_is_asked_what_it_can_be_asked(mixed, run):
    done = run("--audit-out=out")
    assert done.ret == 0, words(done)
    evidence = evidence_of(mixed, "out")
    assert {audit.id: (audit.verdict, audit.n_images) for audit in evidence.audits} == {
        "in_words/advice-correct": ("PASS", TEXTS),
        "in_pictures/chest-correct": ("PASS", PICTURES),
    }
    assert sorted(item.pictures for item in evidence.answers.items) == [0] * TEXTS + [1] * PICTURES
    assert [(entry.tasks, entry.why, entry.n) for entry in evidence.data.not_asked] == [
        (["chest"], "it has no picture", TEXTS),
        (["advice"], "no 'finding' is given", PICTURES),
    ]
    assert [(entry.name, entry.reason) for entry in evidence.data.left_out] == [
        (
            f"mixed.csv row {TEXTS + PICTURES + 2}",
            "it is a copy of mixed.csv row 9, and the two rows differ in patient_id: the first is used",
        ),
        (f"mixed.csv row {TEXTS + PICTURES + 3}", '"file_name" is empty, and so is the rest'),
    ]
    assert evidence.data.n_without_picture == TEXTS
    told = "40 of 64 images are items without a picture: they were asked about in words only."
    assert told in words(done)
    page = (mixed.path / "out/report.html").read_text()
    assert told in page
    assert "64 images of 64 patients, 40 of them without a picture" in page
    assert evidence.data.strata["sex"][0].n_images == TEXTS // 2


def test_a_wrong_answer_is_a_case_without_a_picture(mixed, run):
    run("--audit-out=out", model="wrong")
    evidence = evidence_of(mixed, "out")
    found = {audit.id: audit for audit in evidence.audits}
    audit = found["in_words/advice-correct"]
    assert (audit.verdict, audit.n_images) == ("FAIL", TEXTS)
    assert audit.cases
    assert {(case.control_jpeg, case.treated_jpeg) for case in audit.cases} == {("", "")}
    without = {item.id for item in evidence.answers.items if not item.pictures}
    assert {case.item for case in audit.cases} <= without
    page = (mixed.path / "out/report.html").read_text()
    assert 'src=""' not in page
    assert 'href="#"' not in page


def test_what_checks_a_record_knows_them_too(mixed, run):
    run("--audit-out=before")
    run("--audit-out=after", "--audit-baseline=before/evidence.json")
    baseline = [audit for audit in evidence_of(mixed, "after").audits if audit.family == "baseline"]
    assert sorted(audit.n_images for audit in baseline) == [PICTURES, TEXTS]
    assert {audit.verdict for audit in baseline} <= {"PASS", "INCONCLUSIVE"}
    run("--audit-out=wrong", model="wrong")
    assert main(["compare", "before/evidence.json", "wrong/evidence.json", "--out=compared.html"]) == 0
    assert 'src=""' not in (mixed.path / "compared.html").read_text()

    checks = verify(mixed.path / "before/report.html", data="mixed.csv")
    assert {check.state for check in checks} <= {"ok", "not checked"}, checks
    said = " ".join(check.words for check in checks)
    assert "64 images, their patients and modalities are those of --audit-data=mixed.csv, read again" in said
    # What was asked in the words of the data cannot be found without them; what is about pictures is found.
    assert f"all answers to {PICTURES} of 64 images are in the store" in said
    table = (mixed.path / "mixed.csv").read_text()
    (mixed.path / "mixed.csv").write_text(table.replace("Nodule 3.", "Nodule 33."))
    changed = verify(mixed.path / "before/report.html", data="mixed.csv")
    assert "DOES NOT MATCH" in {check.state for check in changed if check.part == "images"}


def test_without_a_task_in_words_the_rows_are_listed_with_what_to_do(mixed, run):
    done = run("--audit-out=out", "-k", "test_chest")
    evidence = evidence_of(mixed, "out")
    assert len(evidence.answers.items) == PICTURES
    reason = '"file_name" is empty; name its picture or, if it has none, ask a task with pictures = 0'
    assert {entry.reason for entry in evidence.data.left_out} == {reason}
    assert evidence.data.n_left_out == TEXTS + 2
    assert done.ret == 0


def test_a_dry_run_counts_them(run):
    said = words(run("--audit-dry-run"))
    assert "40 of 64 images are items without a picture" in said
    assert "40 of 64 images were not asked chest: it has no picture." in said


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_other_tables_give_the_same_items(mixed, run, suffix):
    rows = list(csv.DictReader((mixed.path / "mixed.csv").open()))
    rows = [{key: value or None for key, value in row.items()} for row in rows]
    path = mixed.path / f"mixed.{suffix}"
    if suffix == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.Table.from_pylist(rows), path)
    run("--audit-out=first")
    run("--audit-out=second", data=path.name)
    one, other = (evidence_of(mixed, folder) for folder in ("first", "second"))
    assert other.answers.items == one.answers.items
    assert other.data.sha256 == one.data.sha256
    assert other.run.probes.asked == 0, "the words are the same, so nothing is asked again"
