"""Made-up models for labelled tasks: what is planted is what the audits of the pack find, and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from auditkit import AuditkitError, diagnosis, load_protocol
from auditkit.testing import (
    BaseRate,
    ByPosition,
    IgnoresImage,
    Knowing,
    RefusesHard,
    WordingFragile,
    audit_all,
    labelled_images,
    made_up_images,
    simulate,
)
from auditkit.vocabulary import Perturbation, Question

SHIPPED = load_protocol(Path(__file__).parents[2] / "packs/diagnosis/protocol.toml")
PROTOCOL = SHIPPED.model_copy(update={"statistics": SHIPPED.statistics.model_copy(update={"resamples": 1000})})
EFFECTS = [
    effect
    for family, make in diagnosis.FAMILIES.items()
    for effect in make()
    if effect.name.startswith("pneumonia.") and (family not in ("loss", "loss_by_class") or "jpeg" in effect.name)
]
N = 200


def images(n=N, sick=0.5, per_patient=(1,)):
    records = made_up_images({"xray": n}, per_patient)
    levels = ["bacterial" if i < sick * len(records) / 2 else "viral" for i in range(round(sick * len(records)))]
    levels += ["normal"] * (len(records) - len(levels))
    return labelled_images(records, "label", np.random.default_rng(0).permutation(levels).tolist())


def verdicts(behaviour, records=None, effects=EFFECTS):
    data = simulate(behaviour, records or images(), effects, PROTOCOL, 7)
    return data, audit_all(data, effects, PROTOCOL)


def failed(audits):
    return {id for id, audit in audits.items() if audit.verdict == "FAIL"}


def families(ids):
    return {id.partition("/")[0] for id in ids}


@pytest.mark.parametrize("accuracy", [0.9, 1.0])
def test_a_model_that_knows_fails_nothing_and_its_accuracy_is_as_made(accuracy):
    data, audits = verdicts(Knowing(accuracy))
    assert failed(audits) == set()
    assert audits["skill/pneumonia.present-skill"].verdict == "PASS"
    assert audits["loss/pneumonia.present-jpeg"].verdict == "PASS"
    assert audits["position/pneumonia.kind-position"].verdict == "PASS"
    for task in ("present", "absent", "letters", "kind"):
        correct = data.column(Question(f"pneumonia.{task}", "named" if task in ("present", "absent") else "direct"))
        assert correct.value("correct").mean() == pytest.approx(accuracy, abs=3 * 0.3 / N**0.5)
    turned = data.column(Question("pneumonia.kind", "direct", (Perturbation("options_reversed"),)))
    assert turned.labels.tolist() == data.column(Question("pneumonia.kind", "direct")).labels.tolist()


def test_the_right_answer_turns_round_with_the_question():
    data, _ = verdicts(Knowing(1.0))
    present, absent = (data.column(Question(f"pneumonia.{name}", "named")).labels for name in ("present", "absent"))
    assert set(zip(present, absent, strict=True)) == {("yes", "no"), ("no", "yes")}


@pytest.mark.parametrize("sick", [0.5, 0.1])
def test_the_base_rate_is_no_skill_and_its_small_losses_count_for_nothing(sick):
    """With one in ten ill, nine of ten answers are right, and neither skill nor loss may be taken in by that."""
    _, audits = verdicts(BaseRate(), images(sick=sick))
    # Twenty who are ill leave the interval too wide for a FAIL.
    assert audits["skill/pneumonia.present-skill"].verdict == ("FAIL" if sick == 0.5 else "INCONCLUSIVE")
    assert audits["loss/pneumonia.present-jpeg"].verdict == "INCONCLUSIVE"
    assert "not shown to be better than guessing" in audits["loss/pneumonia.present-jpeg"].sentence
    assert "recall/pneumonia.present-recall-yes" in failed(audits)
    assert audits["accuracy/pneumonia.present-correct"].estimate.value == pytest.approx(max(sick, 1 - sick))


def test_an_answer_that_does_not_depend_on_the_image_has_no_skill():
    _, audits = verdicts(IgnoresImage())
    assert {"skill", "recall"} <= families(failed(audits))
    assert not any(audit.verdict == "PASS" for id, audit in audits.items() if id.startswith(("skill", "loss")))


def test_answers_by_position_are_found_by_turning_the_options():
    """Half of the images get letter A whatever it says."""
    _, audits = verdicts(ByPosition(Knowing(1.0), 0.5))
    assert {"position/pneumonia.letters-position", "position/pneumonia.kind-position"} <= failed(audits)
    assert not {"skill/pneumonia.present-skill"} & failed(audits)


def test_noise_is_taken_off_the_answers_that_change_with_the_order():
    """A third of the answers are drawn anew in each asking: many differ, as many as when asked again."""
    position = [e for e in EFFECTS if e.family == "position"]
    _, audits = verdicts(Knowing(1.0, unsteady=0.3), images(1000), position)
    for audit in audits.values():
        assert abs(audit.estimate.value) < 0.06
        assert audit.verdict == "PASS"


def test_a_wording_that_costs_right_answers_is_found():
    _, audits = verdicts(WordingFragile(Knowing(1.0), ("pneumonia.present.features",), 0.3))
    assert failed(audits) == {"wording/pneumonia.present-correct"}


def test_declining_the_hard_images_is_no_accuracy():
    """A model that knows 60 % and declines the other 40 % is always right where it answers."""
    data, audits = verdicts(RefusesHard(Knowing(0.6), 0.4))
    shown = audits["accuracy/pneumonia.present-correct"]
    assert shown.estimate.value == 1.0
    lost = int(data.column(Question("pneumonia.present", "named")).value("refused").sum())
    least = (
        f"{lost} answers were lost: {100 * (N - lost) / N:.1f} % if all of them were wrong, 100.0 % if they were right."
    )
    assert shown.sentence.endswith(least)
    assert "refusals" in families(failed(audits))
    assert audits["recall/pneumonia.present-recall-yes"].verdict == "INCONCLUSIVE"
    assert "missing answers at the worst" in audits["recall/pneumonia.present-recall-yes"].sentence


def test_a_loss_is_found_in_the_class_that_bears_it():
    _, audits = verdicts(Knowing(0.95, falls=0.08))
    assert {"loss/pneumonia.present-jpeg", "loss_by_class/pneumonia.present-jpeg-yes"} <= failed(audits)


@pytest.mark.parametrize("shared", [0.0, 1.0])
def test_images_of_a_patient_are_known_together(shared):
    records = images(60, per_patient=(4,))
    data = simulate(Knowing(0.5, shared=shared), records, EFFECTS, PROTOCOL, 3)
    correct = data.column(Question("pneumonia.present", "named")).value("correct")
    patients = {}
    for record, right in zip(data.records, correct, strict=True):
        patients.setdefault(record.cluster, set()).add(right)
    alike = np.mean([len(some) == 1 for some in patients.values()])
    assert alike == 1.0 if shared else alike < 0.4


def test_a_percentage_is_refused():
    with pytest.raises(AuditkitError, match="shares are 0 to 1"):
        ByPosition(Knowing(), 50)


def test_no_interval_of_a_balanced_share_leaves_what_a_share_can_be():
    """Rare classes weigh more, and must not carry an end of the interval beyond 100 %."""
    _, audits = verdicts(Knowing(1.0), images(60, sick=0.2))
    for name in ("accuracy/pneumonia.present-balanced-accuracy", "skill/pneumonia.present-skill"):
        estimate = audits[name].estimate
        assert estimate.value == pytest.approx(1.0)
        assert estimate.low < estimate.high == 1.0
