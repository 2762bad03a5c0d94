"""Made-up models that serve groups of patients unequally, and the gates that find it."""

from dataclasses import replace

import pytest

from auditkit.protocol.effects import between, change, mean, share
from auditkit.testing import FairReader, Planted, Unequal, audit_all, made_up_images, simulate
from auditkit.vocabulary import Perturbation
from tests.judge.build import FAMILIES, protocol

SCANNERS = ("aera", "ingenia", "lightspeed", "revolution", "skyra")
RULES = protocol(families={**FAMILIES, "groups": {"within": 5.0, "size": 4}})


def records(n=400):
    """Scanners in turn; sex and site in all combinations."""
    levels = [{"scanner": SCANNERS[i % 5], "sex": "FM"[i // 5 % 2], "site": "ab"[i // 10 % 2]} for i in range(n)]
    made = made_up_images({"ct": n})
    return tuple(replace(record, attributes=known) for record, known in zip(made, levels, strict=True))


def verdicts(defect, *columns):
    effects = [between(column, mean(), family="groups") for column in columns]
    behaviour = FairReader() if defect is None else Planted(FairReader(), defect)
    audits = audit_all(simulate(behaviour, records(), effects, RULES, 5), effects, RULES)
    return {effect.between: audits[f"groups/{effect.name}"] for effect in effects}


def test_a_fair_reader_passes_between_all_groups():
    found = verdicts(None, "scanner", "sex", "sex*site")
    assert {column: audit.verdict for column, audit in found.items()} == dict.fromkeys(found, "PASS")


def test_a_bias_against_one_scanner_is_found_and_named():
    defect = Unequal("scanner", (("skyra", -12.0),))
    found = verdicts(defect, "scanner", "sex")
    assert (found["scanner"].verdict, found["sex"].verdict) == ("FAIL", "PASS")
    assert "skyra" in found["scanner"].sentence
    assert defect.description == "the score depends on scanner: -12 points in skyra"


def test_opposite_gaps_that_cancel_in_either_column_are_found_between_both():
    opposite = (("F × a", 6.0), ("F × b", -6.0), ("M × a", -6.0), ("M × b", 6.0))
    found = verdicts(Unequal("sex*site", opposite), "sex", "site", "sex*site")
    assert {column: audit.verdict for column, audit in found.items()} == {
        "sex": "PASS", "site": "PASS", "sex*site": "FAIL",
    }  # fmt: skip


@pytest.mark.parametrize(("points", "hit"), [(-6.0, True), (-4.0, False)])
def test_what_is_hit_follows_from_the_size_and_the_column(points, hit):
    defect = Unequal("scanner", (("skyra", points),))
    assert defect.hits(between("scanner", mean(), family="groups"), RULES) is hit
    assert not defect.hits(between("sex", mean(), family="groups"), RULES)
    assert not defect.hits(between("scanner", share("refused"), family="groups"), RULES)
    assert not defect.hits(between("scanner", change(Perturbation("jpeg", 3)), family="groups"), RULES)
    assert defect.touches(between("sex", mean(), family="groups"), RULES)
    assert not defect.touches(change(Perturbation("jpeg", 3), family="metadata"), RULES)
