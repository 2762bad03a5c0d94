"""The medq pack on tables as MedQ-Bench publishes them, and on a manifest with ratings, as its users run it."""

import base64
import csv
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auditkit.cli import main
from tests.plugin.conftest import evidence_of

PACK = Path(__file__).parents[2] / "packs/medq"
N = 40
AXES = ("completeness", "preciseness", "consistency", "quality_accuracy")
MODELS = """
import math, re
import numpy as np
from auditkit.models.base import Response


def noise(image):
    return float(np.asarray(image.convert("L"), float).std())


class Sees:
    \"\"\"Calls an image noisy whose pixels scatter, whatever stands where.\"\"\"
    name, revision, fingerprint = "sees", "1", "sees-1"

    def generate(self, requests):
        return [self.answer(r) for r in requests]

    def answer(self, request):
        first, *others = map(noise, request.images)
        if others:
            place = 0 if first < others[0] else 1
            return Response("AB"[place] if request.choices else "The %s is better." % ("first", "second")[place])
        if not request.choices:
            return Response("Noisy, to be rejected." if first > 30 else "Clean, good.")
        said = "Yes" if first > 30 else "No"
        letter = next(line[0] for line in request.prompt.splitlines() if line[1:] == ". " + said)
        rest = math.log(0.1)
        return Response(letter, logprobs={c: math.log(0.8) if c == letter else rest for c in request.choices})


class Rates:
    \"\"\"Gives 2 where the text in the fence says what the reference says, else 0; by its text alone.\"\"\"
    name, revision, fingerprint = "rates", "1", "rates-1"

    def generate(self, requests):
        return [self.answer(r) for r in requests]

    def answer(self, request):
        assert not request.images
        reference = re.search(r"Reference: (.*)", request.prompt)[1]
        said = re.search(r"(={8,})\\n(.*)\\n\\1", request.prompt, re.S)[2]
        number = 2 if reference.split()[0] in said else 0
        axes = ("completeness", "preciseness", "consistency", "quality accuracy")
        return Response("\\n".join("%s: %d" % (axis, number) for axis in axes))


sees, rates = Sees(), Rates()
"""


def pixels(i):
    return np.random.default_rng(i).normal(110, 50 if i % 2 else 5, (24, 24)).clip(0, 255).astype(np.uint8)


def b64(i):
    buffer = io.BytesIO()
    Image.fromarray(pixels(i)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def write(path, rows, delimiter="\t"):
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def pack(bench):
    """A copy of the pack, and its four tables: questions, descriptions, pairs, and texts that people rated."""
    shutil.copytree(PACK, bench.path / "pack", ignore=shutil.ignore_patterns("__pycache__"))
    bench.makepyfile(medq_models=MODELS)
    shared = [{"index": i, "modality": "CT"} for i in range(N)]
    said = ["Noisy" if i % 2 else "Clean" for i in range(N)]
    questions = [
        {
            **one,
            "question": "Is there noise?",
            "A": "Yes",
            "B": "No",
            "answer": "A" if i % 2 else "B",
            "category": "Yes-or-No",
            "image": b64(i),
        }
        for i, one in enumerate(shared)
    ]
    write(bench.path / "medqbench_QA_dev.tsv", questions)
    descriptions = [{**one, "description": said[i], "image": b64(i)} for i, one in enumerate(shared)]
    write(bench.path / "medqbench_description_dev.tsv", descriptions)
    pairs = [
        {**one, "description": "first" if i % 2 == 0 else "second", "image_a": b64(i), "image_b": b64(i + 101)}
        for i, one in enumerate(shared)
    ]
    write(bench.path / "medqbench_paired_description_dev.tsv", pairs)
    rated = []
    for i in range(N):
        Image.fromarray(pixels(i)).save(bench.path / f"{i:02d}.png")
        text = said[i] if i % 4 else ("Clean" if i % 2 else "Noisy")  # every fourth is wrong, and people saw it
        human = {f"human_{axis}": 2 if i % 4 else 0 for axis in AXES}
        known = {"file_name": f"{i:02d}.png", "patient_id": f"p{i}", "modality": "ct", "description": said[i]}
        rated.append({**known, "candidate": f"{text} image.", **human})
    write(bench.path / "rated.csv", rated, ",")
    return bench


def run(pack, forked, data, *arguments):
    command = ("pack", "--model=medq_models:sees", "--audit-with=judge=medq_models:rates", f"--audit-data={data}")
    return forked.pytest(*command, "--audit-out=out", *arguments, cwd=pack.path)


def audits(pack):
    return {audit.id: audit for audit in evidence_of(pack, "out").audits}


def test_questions_are_answered_as_written_and_by_the_likeliest_option(pack, forked):
    run(pack, forked, "medq:medqbench_QA_dev.tsv", "-k", "perception or options")
    found = audits(pack)
    assert found["accuracy/perception-as-written"].estimate.value == 1.0
    assert found["accuracy/perception-by-likeliest-option"].estimate.value == 1.0
    assert found["skill/perception-above-guessing"].verdict == "PASS"
    assert found["lost/perception-lost"].verdict == "PASS"
    levels = {(c.stratum.column, c.stratum.level) for c in found["skill/perception-above-guessing"].parts}
    assert ("category", "Yes-or-No") in levels
    # What is asked about descriptions and pairs is not asked of these, and no judge either.
    assert evidence_of(pack, "out").models == []


def test_descriptions_are_judged_and_the_judge_is_audited(pack, forked):
    run(pack, forked, "medq:medqbench_description_dev.tsv", "-k", "reasoning")
    found = audits(pack)
    assert found["reasoning/reasoning-judged-completeness"].estimate.value == 2.0
    assert found["judge_length/reasoning-judged-consistency-padded"].verdict == "PASS"
    assert found["judge_obeys/reasoning-judged-consistency-ordered"].verdict == "PASS"
    assert found["judge_differs/reasoning-judged-again"].verdict == "PASS"
    # All get the same grade, so that chance cannot be told from agreement.
    assert found["judge_repeats/reasoning-judged-completeness-again"].verdict == "INCONCLUSIVE"
    [judge] = evidence_of(pack, "out").models
    assert (judge.role, judge.name, judge.outcomes.scored) == ("judge", "rates", N * 4)


def test_pairs_are_compared_in_both_orders(pack, forked):
    run(pack, forked, "medq:medqbench_paired_description_dev.tsv", "-k", "pictures or comparison-judged-completeness")
    found = audits(pack)
    assert found["position/position-of-pictures"].verdict == "PASS"
    assert found["reasoning/comparison-judged-completeness"].estimate.value == 2.0


def test_the_judge_is_held_against_people_and_the_record_can_be_verified(pack, forked, monkeypatch, capsys):
    run(pack, forked, "rated.csv", "-k", "people")
    evidence = evidence_of(pack, "out")
    found = audits(pack)
    assert {audit.verdict for audit in found.values()} == {"PASS"}
    assert all(audit.estimate.value == 1.0 for audit in found.values())
    people = next(other for other in evidence.models if other.role == "data")
    assert (people.given, people.name, people.outcomes.scored) == ("data", "the data", 2 * N)
    page = (pack.path / "out/report.html").read_text()
    assert "80 answers stand in the data: columns of the images, where nobody was asked." in page
    monkeypatch.chdir(pack.path)
    main(["verify", "out/evidence.json"])
    said = capsys.readouterr().out
    assert "ok              verdicts   4 audits judged again come to the same verdicts" in said
    # What is asked in the words of the data is in no record; everything else holds.
    assert "Nothing is wrong as far as could be checked" in said
