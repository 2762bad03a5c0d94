"""What rests on probabilities is judged again from the record alone, and a changed one is found."""

from __future__ import annotations

import math
import shutil
import zlib
from pathlib import Path

import pytest

from auditkit.models.base import Response
from auditkit.protocol import confidence
from auditkit.protocol.right_answers import separation
from auditkit.records.verify import exit_code
from auditkit.vocabulary import Perturbation
from tests.records.verify.conftest import Impressed, Made, run_once
from tests.records.verify.test_record_tampered import found

DONE = Perturbation("jpeg", 3)
OVER = confidence.overconfidence("sex", family="sure")
MORE = (
    OVER,
    confidence.grows(OVER, DONE, family="sure"),
    confidence.grows(confidence.brier("sex"), DONE, family="sure"),
    confidence.kept_loss(DONE, task="sex", share=0.8, family="sure"),
    confidence.risk("sex", ((), (DONE,)), family="curves"),
    confidence.reliability("sex", ((), (DONE,)), family="curves"),
    confidence.referred("sex", ("female", "male"), DONE, family="curves"),
    separation("sex", "male", family="curves"),
)
FAMILIES = """
[families.sure]
at_most = 0.3
size = 4
[families.curves]
shown = true
[tasks.sex]
scorer = { choice = { A = "female", B = "male" } }
truth = { column = "sex", levels = { female = ["F"], male = ["M"] } }
wordings.direct = "Whose is it?\\n{options}\\nOne letter."
"""


class Sure(Impressed):
    """Answers by the picture's checksum, with a probability that it gives too."""

    def _one(self, request):
        if "Whose is it?" not in request.prompt:
            return super()._one(request)
        seed = zlib.crc32(request.images[0].tobytes())
        sure = 0.5 + seed % 1000 / 2001
        if seed % 13 == 0:
            return Response("I cannot tell.", {"A": math.log(sure), "B": math.log1p(-sure)})
        first, second = ("A", "B") if seed % 2 else ("B", "A")
        return Response(first, {first: math.log(sure), second: math.log1p(-sure)})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, pictures: Path, salt: None) -> Made:
    return run_once(
        tmp_path_factory.mktemp("sure"), pictures, ids=("repeatability/asked-twice",), more=MORE, families=FAMILIES,
        model=Sure(),
    )  # fmt: skip


@pytest.fixture
def alone(run: Made, tmp_path: Path) -> Made:
    """The record without its store."""
    shutil.copytree(run.folder, tmp_path / "out")
    return Made(tmp_path / "out", tmp_path / "none.sqlite", run.images)


def test_with_the_store_everything_holds(run: Made):
    assert exit_code(run.verify()) == 0
    measured = [audit for audit in run.evidence.audits if audit.family in ("sure", "curves")]
    assert len(measured) == len(MORE)
    assert sum(audit.estimate.value is not None for audit in measured) >= len(MORE) - 1  # no threshold of so few


def test_the_record_alone_is_enough_to_judge_all_of_them_again(alone: Made):
    [verdicts] = [check for check in alone.verify() if check.part == "verdicts" and "judged again" in check.words]
    assert verdicts.state == "ok"
    assert f"{len(MORE) + 1} audits judged again" in verdicts.words


@pytest.mark.parametrize("name", ["confidence", "brier", "chance of male"])
def test_a_changed_probability_is_found_without_the_store(alone: Made, name: str):
    def edit(tree):
        for column in tree["answers"]["columns"]:
            if column["task"] == "sex":
                marks = column["values"][name].split()
                place = next(i for i, mark in enumerate(marks) if mark[0] in "01")
                marks[place] = "0.012345"
                column["values"][name] = " ".join(marks)

    alone.change(edit)
    assert "verdicts" in found(alone.verify())


def test_a_record_has_six_decimals_of_them(run: Made):
    [column] = [c for c in run.evidence.answers.columns if c.task == "sex" and not c.condition]
    marks = [mark for mark in column.values["confidence"].split() if mark not in ("r", "u", ".")]
    assert marks
    assert all(len(mark.partition(".")[2]) <= 6 for mark in marks)
    assert "chance of male" in column.values
