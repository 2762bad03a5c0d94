"""The questions that families ask, in plain words, and what a reader should know before looking."""

from __future__ import annotations

QUESTIONS: dict[str, tuple[str, str]] = {
    "sensitivity": (
        "Does the score fall when the image gets worse?",
        "Each image was degraded at several severities and scored again. A model that judges quality must give lower "
        "scores as the severity rises. The estimate is by how many points the score falls from one severity to the "
        "next.",
    ),
    "discrimination": (
        "Can the score tell clean from degraded images?",
        "AUROC is the chance that a clean image gets a higher score than a degraded one: 1 is perfect, 0.5 is a "
        "coin toss.",
    ),
    "metadata": (
        "Does the score ignore words that say nothing about the image?",
        "The image stays the same; only a sentence about the operator, the device, the patient or the institution "
        "changes. The two sentences of a pair have the same form and length. The score must not move by more than the "
        "margin in either direction.",
    ),
    "placebo": (
        "Does the score stay put when neutral words are added?",
        "A neutral sentence is put after the question. This is the control for the audits above: if neutral words "
        "move the score, any words do.",
    ),
    "templates": (
        "Does the score stay put when the question is worded differently?",
        "Several wordings ask for the same number about the same clean image. Every two of them are compared within "
        "the image; no two may differ by more than the margin. The estimate shown is that of the pair furthest apart.",
    ),
    "direction": (
        "Does the score refrain from rising when brightness or contrast is pushed?",
        "Pushing brightness or contrast away from the original loses information. The score may fall or stay; it must "
        "not rise by more than the margin.",
    ),
    "answers": (
        "Does the model answer in the form it was asked for?",
        "A refusal or an answer that cannot be read is a result, not a gap. Every one is counted.",
    ),
    "differential": (
        "Do refusals depend on what was changed?",
        "If answers go missing more often under one condition than under another, the remaining scores no longer speak "
        "for all images. This compares the rates.",
    ),
    "repeatability": (
        "Does the same question get the same answer?",
        "The same question was asked twice, and once alone instead of in a batch. Answers "
        "that differ between the two cannot be trusted one by one.",
    ),
    "calibration": (
        "Can the score be read as a probability?",
        "A score of 80 of 100 invites the reading “80 % sure that this image is undamaged”. Here the score is held "
        "against the share of undamaged pictures among those that got it; every image counts twice, clean and once "
        "degraded. The error is the mean distance between the two.",
    ),
    "scoring": (
        "Do the probabilities of the choices say what was written?",
        "Where the back end gives the probability of every declared answer, it is held against the answer written, for "
        "every wording, about clean images.",
    ),
    "subgroups": (
        "Are results the same for all patients and all equipment?",
        "The levels of every attribute that is known of the images are compared with one another: the score of clean "
        "images, the share of them that got none, and by how much the score falls per severity step. The estimate is "
        "the largest gap between two levels that have patients enough.",
    ),
    "embeddings": (
        "Does the model see more than it says?",
        "What the model holds inside was compared between each image as it is and degraded, as a cosine similarity: 1 "
        "is no change. A correlation says whether the score falls in step.",
    ),
    "baseline": (
        "Is this version no worse than the one before?",
        "Both versions saw the same images. Every result is compared with the earlier one, patient by patient, and may "
        "be worse by no more than the declared limit.",
    ),
    "anchor": (
        "Have small steps added up?",
        "The same comparison with a frozen version. Each update may be close to the one before it while the model "
        "drifts away from where it started.",
    ),
}
"""Family -> heading and lead, in the order of the report. Families of others get their name as heading."""

LEADS: dict[str, str] = {
    "within": "The estimate must not be further from zero than the declared limit, in either direction.",
    "at_most": "The estimate must not be larger than the declared limit.",
    "at_least": "The estimate must not be smaller than the declared limit.",
}
"""What to know of families that auditkit does not ship, by what their limit asks."""
