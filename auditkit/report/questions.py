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
    "accuracy": (
        "How many answers are right?",
        "Answers that were declined or could not be read are neither right nor wrong here. A high share may be no more "
        "than the commonest class: whether the model knows anything is asked below.",
    ),
    "skill": (
        "Does the model know more than guessing would?",
        "Every class counts alike, so that the commonest answer gains nothing: 0 % is guessing, 100 % is always right.",
    ),
    "recall": (
        "Is the disease found, and health cleared?",
        "Sensitivity is the share of patients with the disease who are told that they have it, specificity the share "
        "of the others who are told that they have not. A lost answer counts as wrong before a PASS.",
    ),
    "recall_of_kinds": (
        "Is every kind recognised?",
        "Of the images of each class, the share that got the right answer. A model may be good on average and never "
        "name one of the kinds.",
    ),
    "loss": (
        "Are the answers still right when the image gets worse?",
        "Each image was degraded and asked about again. The estimate is by how much fewer answers are right. Who "
        "guesses has nothing to lose: a PASS takes that the model is better than guessing about images as they are.",
    ),
    "auroc": (
        "Do the probabilities tell the classes apart?",
        "The chance that an image of the class gets a higher probability of it than one of another class. It depends "
        "on the scale of the probabilities where there are three classes or more, and on no threshold.",
    ),
    "corrupted": (
        "How many answers are right under each corruption?",
        "The share of right answers over all severities of a corruption; what it lacks of 100 % is the corruption "
        "error.",
    ),
    "corrupted_published": (
        "How many answers are right under each published corruption?",
        "As above, of the corrupted images that come with the data set.",
    ),
    "loss_published": (
        "Are the answers still right about the corrupted images that come with the data set?",
        "Each published image was asked about beside the clean one it was made of. The estimate is by how much fewer "
        "answers are right.",
    ),
    "errors": (
        "How many errors under corruption for each one of the reference?",
        "The sum of the errors over all corruptions and severities over that of another model on the same images "
        "(mCE). Relative: the errors about clean images are taken off on either side. Where those of the reference are "
        "not shown to be above zero the ratio is undetermined, and no number is given.",
    ),
    "errors_published": (
        "How many errors under published corruption for each one of the reference?",
        "As above, of the corrupted images that come with the data set.",
    ),
    "errors_over_alexnet": (
        "How large are the errors beside the published ones of AlexNet?",
        "The mean over the corruptions of error / published error. Those are balanced over the classes, the model's "
        "are over the images as they are: where classes differ in size the two are not the same thing.",
    ),
    "loss_by_class": (
        "Do sensitivity and specificity survive, each by itself?",
        "A model that overlooks disease in degraded images may gain as many right answers about healthy patients, so "
        "each class is looked at alone.",
    ),
    "wording": (
        "Are as many answers right when the question is worded differently?",
        "The same images were asked about in several wordings, and with the question turned round. The estimate shown "
        "is the difference of the pair furthest apart.",
    ),
    "wording_lost": (
        "Are as many answers lost when the question is worded differently?",
        "The same wordings, compared by the share of answers that were declined or cannot be used.",
    ),
    "position": (
        "Does the answer stay when the options change places?",
        "What is said is compared, not the letter. The share of answers that also change when the same question is "
        "asked again is taken off: that is the model's own noise.",
    ),
    "refusals": (
        "Does the model answer about the images at all?",
        "A model that declines what is hard looks better than it is. Every lost answer is counted, by wording.",
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
