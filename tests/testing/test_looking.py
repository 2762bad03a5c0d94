"""Made-up models that do not look, and one that follows an opinion: the shipped audits of right answers find them."""

import pytest

from auditkit.ask.donors import with_donors
from auditkit.protocol.declared import declared_ids, lacks_kinds
from auditkit.protocol.effects import share
from auditkit.protocol.shipped import SHIPPED
from auditkit.tasks import shipped
from auditkit.testing import (
    BaseRate,
    FairReader,
    FollowsOpinion,
    IgnoresImage,
    Knowing,
    audit_all,
    made_up_images,
    simulate,
)

FAMILIES = ("recognition", "recognition_loss", "recognition_looking", "authority_answers")
EFFECTS = [effect for name in FAMILIES for effect in SHIPPED[name]()]
KINDS = ("ct", "mr", "xray", "ultrasound", "nuclear", "fundus")


@pytest.fixture(scope="module")
def verdicts(quick):
    records = made_up_images(dict.fromkeys(KINDS, 40))
    records = with_donors(records, records, EFFECTS, quick.catalogue, 1)
    known = {}

    def give(behaviour):
        if behaviour not in known:
            known[behaviour] = audit_all(simulate(behaviour, records, EFFECTS, quick, 5), EFFECTS, quick)
        return known[behaviour]

    return give


def families(audits, verdict):
    return {id.partition("/")[0] for id, audit in audits.items() if audit.verdict == verdict}


def test_a_fair_reader_passes_all_of_them(verdicts):
    assert {audit.verdict for audit in verdicts(FairReader()).values()} == {"PASS"}


@pytest.mark.parametrize("behaviour", [BaseRate(), IgnoresImage()], ids=["base rate", "ignores the image"])
def test_who_does_not_look_fails_and_loses_nothing(verdicts, behaviour):
    audits = verdicts(behaviour)
    assert families(audits, "FAIL") == {"recognition", "recognition_looking"}
    assert {audit.verdict for id, audit in audits.items() if id.startswith("recognition_looking")} == {"FAIL"}
    # No answer changes under a corruption, which is no merit of who guesses.
    losses = [audit for id, audit in audits.items() if id.startswith("recognition_loss/")]
    assert {audit.verdict for audit in losses} == {"INCONCLUSIVE"}
    assert all("not shown to be better than guessing" in audit.sentence for audit in losses)


def test_who_knows_without_the_image_is_right_and_fails_all_the_same(verdicts):
    """Right about every image, shown or not: such answers come from elsewhere."""
    audits = verdicts(Knowing(1.0))
    assert audits["recognition/modality-skill"].verdict == "PASS"
    assert families(audits, "FAIL") == {"recognition_looking"}


def test_who_follows_an_opinion_is_found_by_the_wrong_one(verdicts):
    audits = verdicts(FollowsOpinion(FairReader(), 0.5))
    failed = {id for id, audit in audits.items() if audit.verdict == "FAIL"}
    assert failed == {"authority_answers/authority.answer-correct-vs-wrong"}
    [failed] = (audits[id] for id in failed)
    assert failed.estimate.value == pytest.approx(0.5, abs=0.1)


def test_a_modality_has_one_right_answer_and_no_cell_of_its_own_where_answers_count_alike(verdicts):
    audits = verdicts(FairReader())
    assert {cell.stratum.level for cell in audits["recognition/modality-skill"].parts} == {"all"}
    assert {cell.stratum.level for cell in audits["recognition_looking/black"].parts} == {"all"}
    assert audits["recognition/modality-skill"].sentence.startswith("Met over all patients together. 100.0 % [")
    assert {cell.stratum.level for cell in audits["recognition_loss/jpeg"].parts} == {"all", *KINDS}


def test_images_of_one_kind_leave_out_what_they_cannot_tell(quick):
    tasks, criteria = quick.catalogue.tasks, quick.model_dump(mode="json")
    lacking = {id.partition("/")[0] for id in set(declared_ids(criteria)) - set(declared_ids(criteria, (), ["ct"]))}
    assert lacking == {"recognition", "recognition_loss", "recognition_looking"}
    assert set(declared_ids(criteria, (), KINDS)) == set(declared_ids(criteria))
    [skill] = SHIPPED["recognition"]()
    assert lacks_kinds(skill, tasks, ["xray", "nuclear", "fundus", "other"]) == (
        "no image shows “CT or MRI”, “ultrasound, OCT or mammography”, so that guessing cannot be told from knowing."
    )
    assert lacks_kinds(SHIPPED["looking"]()[0], tasks, ["ct"]) == ""


def test_what_kind_it_is_cannot_be_asked_of_pictures_of_no_known_kind():
    """Such audits are not declared for these data; a run without them is whole, and can pass."""
    known, refused = shipped(), share("refused", "modality", family="answers")
    assert lacks_kinds(refused, known, ["other"]) == "no image is of a kind that modality asks about."
    assert lacks_kinds(refused, known, ["other", "ct"]) == ""
    assert lacks_kinds(share("refused", family="answers"), known, ["other"]) == ""
