"""What effects on right answers are called, and what is said after their numbers."""

import pytest

from auditkit import Perturbation, accuracy, balanced_accuracy, differs, loses, loss, recall, share, skill, wordings
from auditkit.judge.right import counted
from auditkit.judge.titles import Titles
from auditkit.protocol import diagnosis
from tests.judge.build import protocol

RULES = protocol()
TITLES = Titles(RULES.catalogue)
PRESENT, ABSENT, KIND = "pneumonia.present", "pneumonia.absent", "pneumonia.kind"
TURNED = Perturbation("options_reversed")


@pytest.mark.parametrize(
    ("effect", "title", "words"),
    [
        (accuracy(PRESENT), "Pneumonia, present: right answers", "of the answers right"),
        (balanced_accuracy(KIND), "Pneumonia, kind: balanced accuracy", "balanced accuracy"),
        (skill(PRESENT), "Pneumonia, present: above guessing", "of the way from guessing to always right"),
        (recall(PRESENT, "yes"), "Pneumonia, present: sensitivity", "sensitivity"),
        (recall(PRESENT, "no"), "Pneumonia, present: specificity", "specificity"),
        # The question turned round: to say no to "free of pneumonia" is to find it.
        (recall(ABSENT, "no"), "Pneumonia, absent: sensitivity", "sensitivity"),
        (recall(KIND, "viral"), "Pneumonia, kind: recall of viral", "recall of viral"),
        (
            loss(Perturbation("jpeg", 3), task=PRESENT),
            "Pneumonia, present: JPEG compression, severity 3",
            "loss of right answers",
        ),
        (
            loses("jpeg", (3, 5), task=PRESENT, answer="yes"),
            "Pneumonia, present, sensitivity: JPEG compression, severity 3 and 5",
            "loss of sensitivity",
        ),
        (
            wordings(PRESENT, ("named", "open"), "correct"),
            "Pneumonia, present, 2 wordings: right answers",
            "difference in right answers",
        ),
        (wordings(PRESENT, ("named", "open"), "lost"), "Pneumonia, present, 2 wordings: lost answers", ""),
        (
            accuracy(ABSENT).minus(accuracy(PRESENT)),
            "Pneumonia, absent vs present: right answers",
            "difference in right answers",
        ),
        (share("refused", PRESENT, wording="open"), "pneumonia, present, open: refused", ""),
    ],
    ids=str,
)
def test_titles_and_words(effect, title, words):
    assert TITLES.title(effect) == title
    found = RULES.resolved(effect)
    change = any(weight < 0 for weight, _ in found.parts[0].terms)
    assert counted(found.parts[0], change=change, catalogue=RULES.catalogue) == words


def test_the_order_of_options_is_named_with_its_task():
    assert TITLES.title(differs(TURNED, task=KIND)).startswith("Pneumonia, kind: ")
    # Other changes keep the title that they have for scores.
    assert TITLES.title(differs(Perturbation("again", 1))) == "Again s1"


def test_every_audit_of_the_pack_has_a_title_of_its_own():
    for make in diagnosis.FAMILIES.values():
        titles = [TITLES.title(effect) for effect in make()]
        assert len(set(titles)) == len(titles)
