"""The diagnosis pack on labelled pictures, as its users run it."""

import csv
import shutil
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.plugin.conftest import evidence_of

PACK = Path(__file__).parents[2] / "packs/diagnosis"
MODEL = """
import numpy as np
from auditkit.models.base import Response


class Bright:
    \"\"\"Takes an image whose middle is bright for pneumonia, and says so in whatever form it is asked.\"\"\"
    name, revision, fingerprint = "bright", "1", "bright-1"

    def generate(self, requests):
        return [Response(self.answer(r)) for r in requests]

    def answer(self, request):
        pixels = np.asarray(request.images[0].convert("L"), float)
        ill = pixels[8:16, 8:16].mean() > 1.3 * pixels.mean()
        if "A. " not in request.prompt:
            return "yes" if ill != ("free of" in request.prompt) else "no"
        lines = [line for line in request.prompt.splitlines() if line[1:3] == ". "]
        sick = [line[0] for line in lines if "pneumonia" in line and "no pneumonia" not in line]
        return sick[0] if ill else next(line[0] for line in lines if line[0] not in sick)


bright = Bright()
"""
CHOSEN = "(accuracy or refusals) and pneumonia"


@pytest.fixture
def pack(bench):
    """A copy of the pack, and eighty labelled pictures of as many patients in three manifests."""
    shutil.copytree(PACK, bench.path / "pack", ignore=shutil.ignore_patterns("__pycache__"))
    bench.makepyfile(bright_model=MODEL)
    rows = []
    for i in range(80):
        pixels = np.random.default_rng(i).normal(90, 5, (24, 24))
        label = ("bacterial", "normal", "VIRAL", "Normal")[i % 4]
        if i % 2 == 0:
            pixels[8:16, 8:16] += 90
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(bench.path / f"{i:02d}.png")
        label = {3: "", 7: "unclear"}.get(i % 20, label)
        rows.append({"file_name": f"{i:02d}.png", "patient_id": f"p{i}", "modality": "xray", "label": label})
    for name, column in (("labelled", "label"), ("called_otherwise", "Befund"), ("mri", "label")):
        with (bench.path / f"{name}.csv").open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["file_name", "patient_id", "modality", column])
            modality = "mr" if name == "mri" else "xray"
            writer.writerows([r["file_name"], r["patient_id"], modality, r["label"]] for r in rows)
    return bench


def run(pack, forked, *arguments, data="labelled.csv"):
    return forked.pytest(
        "pack", "--model=bright_model:bright", f"--audit-data={data}", "--audit-out=out", *arguments, cwd=pack.path
    )


def test_a_condition_is_selected_and_what_is_not_labelled_is_said(pack, forked):
    done = run(pack, forked, "-k", CHOSEN)
    evidence = evidence_of(pack, "out")
    found = {audit.id: audit for audit in evidence.audits}
    assert found["accuracy/pneumonia.present-correct"].estimate.value == 1.0
    assert found["skill/pneumonia.present-skill"].verdict == "PASS"
    assert found["recall/pneumonia.present-recall-yes"].verdict == "PASS"
    # It cannot tell the two kinds apart, and names the first.
    assert found["recall_of_kinds/pneumonia.kind-recall-viral"].verdict == "FAIL"
    cases = found["recall_of_kinds/pneumonia.kind-recall-viral"].cases
    assert {(case.expected, case.treated_answer, case.why) for case in cases} == {
        ("viral", "B", "said 'bacterial', where 'viral' is right")
    }
    tasks = [f"pneumonia.{kind}" for kind in ("absent", "kind", "letters", "present")]
    assert [(entry.tasks, entry.why, entry.n) for entry in evidence.data.not_asked] == [
        (tasks, "no 'label' is given", 4),
        (tasks, "the 'label' is none of the answers", 4),
    ]
    told = f"4 of 80 images were not asked {', '.join(tasks)}: no 'label' is given."
    assert told in " ".join(done.stdout.str().split())
    assert told in evidence.limits
    page = (pack.path / "out/report.html").read_text()
    assert told.replace("'", "&#39;") in page
    assert "Right answer" in page
    # Of the other conditions nothing was collected, so nothing is missing.
    assert evidence.not_run == []


def test_what_no_image_can_be_asked_is_left_out_and_said(pack, forked):
    done = run(pack, forked, "-k", "test_knows_more_than_guessing", "-rs")
    evidence = evidence_of(pack, "out")
    assert {audit.id.split("/")[1].partition(".")[0] for audit in evidence.audits} == {"pneumonia"}
    done.stdout.fnmatch_lines(["*SKIPPED*no image can be asked brain_tumour.present: it is about MRI.*"])
    assert ("it is about histology", 80) in [(entry.why, entry.n) for entry in evidence.data.not_asked]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            "called_otherwise.csv",
            "*nothing is left to ask: no image can be asked pneumonia.*no 'label' is given. The data have no 'label'; "
            'columns that are not read are Befund. Call the column with the right answers "label", or write*',
        ),
        ("mri.csv", "*it is about X-ray. Select the audits of what the images show*"),
    ],
)
def test_where_nothing_can_be_asked_the_sentence_says_what_to_do(pack, forked, data, said):
    done = run(pack, forked, "-k", CHOSEN, data=data)
    assert fnmatch(" ".join((done.stdout.str() + done.stderr.str()).split()), said)


def test_the_column_and_its_levels_can_be_ones_own(pack, forked):
    protocol = pack.path / "pack/protocol.toml"
    truth = 'truth = { column = "Befund", levels = { yes = ["VIRAL"], no = ["normal"] } }'
    protocol.write_text(f'{protocol.read_text()}\n[tasks."pneumonia.present"]\n{truth}\n')
    run(pack, forked, "-k", "test_knows_more_than_guessing and pneumonia.present", data="called_otherwise.csv")
    evidence = evidence_of(pack, "out")
    [audit] = evidence.audits
    assert audit.verdict == "PASS"
    assert audit.n_images == 52  # 20 with VIRAL, 32 with normal
    assert [(entry.why, entry.n) for entry in evidence.data.not_asked] == [
        ("the 'Befund' is none of the answers", 24),
        ("no 'Befund' is given", 4),
    ]
