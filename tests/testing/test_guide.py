"""What docs/testing.md shows works as shown."""

import re

import pytest

from auditkit.protocol.shipped import metadata, placebo
from auditkit.testing import DEFECTS, NOISES, FairReader, Planted, PlantedModel, audit_all, simulate


@pytest.fixture
def guide(pytestconfig):
    return (pytestconfig.rootpath / "docs" / "testing.md").read_text(encoding="utf-8")


@pytest.fixture
def blocks(guide, pytestconfig, monkeypatch):
    monkeypatch.chdir(pytestconfig.rootpath)
    return re.findall(r"```python\n(.*?)```", guide, re.S)


def test_the_examples_run_and_print_what_they_say(blocks, guide, capsys):
    names = {}
    exec(blocks[0], names)
    printed = capsys.readouterr().out
    assert len([line for line in blocks[0].splitlines() if line and "import" not in line]) <= 10
    shown = " ".join(re.search(r"prints:\n\n((?:    .*\n)+)", guide)[1].split())
    assert printed.startswith(shown), printed
    assert [a.verdict for a in names["audits"].values()] == ["FAIL", "FAIL", "PASS", "PASS"]
    exec(blocks[1], names)
    assert names["defect"] == DEFECTS["one_modality"](2.0, names["protocol"], names["images"])


def test_a_defect_of_ones_own_works_as_shown(blocks, quick, images):
    names = {}
    exec(blocks[2], names)
    defect, effects = names["Wary"](10.0), placebo()[:2] + metadata()[:2]
    audits = audit_all(simulate(Planted(FairReader(), defect), images(64), effects, quick, 0), effects, quick)
    for effect in effects:
        hit = effect.family == "placebo"
        assert defect.hits(effect, quick) == defect.touches(effect, quick) == hit
        assert audits[f"{effect.family}/{effect.name}"].verdict == ("FAIL" if hit else "PASS")


def test_the_planted_model_can_be_made(blocks):
    names = {}
    exec(blocks[3], names)
    planted = names["planted"]()
    assert isinstance(planted, PlantedModel)
    assert planted.name == "reference-Insensitive"


def test_every_defect_and_noise_is_listed(guide):
    listed = re.findall(r"`(\w+)`", " ".join(line for line in guide.splitlines() if line.startswith("| `")))
    assert set(listed) == set(DEFECTS)
    assert all(f"`{noise}`" in guide for noise in NOISES)
