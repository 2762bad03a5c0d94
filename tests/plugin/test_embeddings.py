"""Audits of what the model holds inside: collected with the option only, checked like all others."""

from pathlib import Path

import pytest

from auditkit.evidence import Evidence
from auditkit.records.verify import verify
from auditkit.records.verify.checks import DIFFERS, OK, OPEN

MODEL = """
import numpy as np
import stub_models


class Sees(stub_models.Base):
    name, embeddings = "sees", ("vision",)

    def embed(self, requests, kind="vision"):
        pixels = [np.asarray(request.images[0].convert("L"), np.float32) for request in requests]
        return np.stack([corner[:12, :12].ravel() + 1 for corner in pixels])


model = Sees()
"""
AUDITS = '''
import pytest
from auditkit import shipped

INSIDE = [effect for effect in shipped.embeddings() if "-pixelate" in effect.name]


@pytest.mark.parametrize("effect", INSIDE, ids=str)
def test_inside(effect, audit):
    """Does it see it?"""
    audit.shows(effect)
'''
FAMILY = "\n[families.embeddings]\nshown = true\n"


@pytest.fixture
def inside(bench):
    (bench.path / "sees.py").write_text(MODEL)
    (bench.path / "audits" / "test_inside.py").write_text(AUDITS)
    with (bench.path / "audits" / "protocol.toml").open("a") as protocol:
        protocol.write(FAMILY)
    return bench


def record_of(folder: Path) -> Evidence:
    return Evidence.from_json((folder / "evidence.json").read_text(encoding="utf-8"))


def test_without_the_option_they_are_deselected_and_with_it_kinds_that_there_are_not_are_skipped(inside, audit_run):
    options = ("--audit-limit=12", "--audit-store=answers.sqlite")
    plain = audit_run(*options, "--audit-out=plain", model="sees:model")
    plain.stdout.fnmatch_lines(["*4 deselected*"])
    without = record_of(inside.path / "plain")
    assert "embeddings" not in {audit.family for audit in without.audits}

    found = audit_run(*options, "--audit-out=out", "--audit-embeddings", "-rs", model="sees:model")
    found.stdout.fnmatch_lines(["*sees gives no embeddings of the kind language; it has vision.*"])
    found.stdout.fnmatch_lines(["*2 skipped*"])
    record = record_of(inside.path / "out")
    own = {audit.id: audit for audit in record.audits if audit.family == "embeddings"}
    assert set(own) == {"embeddings/vision-pixelate", "embeddings/vision-pixelate-follows"}
    assert all(audit.shown and audit.estimate.value is not None for audit in own.values())
    assert [a for a in record.audits if a.id not in own] == without.audits, "the others are as they were"
    scores = 12 * 5  # of the pixelated images, which no other audit asks about
    assert record.run.probes.planned == without.run.probes.planned + scores
    assert record.outcomes.total == record.run.probes.planned, "vectors are no answers"
    assert {prompt.id for prompt in record.prompts} == {prompt.id for prompt in without.prompts}

    store = str(inside.path / "answers.sqlite")
    checks = verify(inside.path / "out", store=store, data=str(inside.path / "pictures"))
    assert {check.state for check in checks} == {OK}, [str(check) for check in checks if check.state != OK]
    assert any("embeddings are as alike as recorded" in check.words for check in checks)
    elsewhere = verify(inside.path / "out", store=str(inside.path / "none.sqlite"))
    assert DIFFERS not in {check.state for check in elsewhere}
    assert any("judged again come to the same" in check.words for check in elsewhere), "from the record alone"

    _tampered(record, inside.path / "tampered", store)


def _tampered(record: Evidence, folder: Path, store: str) -> None:
    """A similarity changed in the record shows against the store, and in the audit that rests on it."""
    columns = list(record.answers.columns)
    place = next(i for i, c in enumerate(columns) if c.inside and c.condition)
    marks = columns[place].values[""].split()
    marks[0] = "0.123"
    columns[place] = columns[place].model_copy(update={"values": {"": " ".join(marks)}})
    answers = record.answers.model_copy(update={"columns": columns})
    folder.mkdir()
    text = record.model_copy(update={"answers": answers}).to_json()
    (folder / "evidence.json").write_text(text, encoding="utf-8")
    checks = verify(folder, store=store)
    faults = [fault for check in checks if check.state == DIFFERS for fault in check.details]
    assert any("record 0.123, the store's embeddings give" in fault for fault in faults)
    assert any("embeddings/vision-pixelate" in fault for fault in faults)
    assert OPEN not in {check.state for check in checks if "embeddings" in check.words}
