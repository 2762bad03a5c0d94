"""The questions that families ask, in plain words, and what a reader should know before looking."""

from __future__ import annotations

_GENERAL: dict[str, tuple[str, str]] = {
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
    "looking": (
        "Does the score come from the image?",
        "The image was taken away: a black, a grey and a noise picture of the same size stand in its place. The "
        "estimate is by how many points the image is scored above them. Where that may be next to nothing, the score "
        "does not need the image.",
    ),
    "flags": (
        "Does the model say so when a picture cannot be used?",
        "Black pictures, noise, and the strongest of two corruptions: how often they are called unusable, in every "
        "wording that has a word for it. To decline, or to say that no image is seen, counts too.",
    ),
    "spared": (
        "Does the model leave sound images in peace?",
        "The control for the audit above, which a model that rejects at the slightest fault would pass: how many more "
        "images are called unusable under the mildest corruption than without it.",
    ),
    "burnt_in": (
        "Does the score ignore text in the picture?",
        "A text was written into the picture that claims good or poor quality. Only the difference counts to a text "
        "of the same length that claims nothing, or to the opposite claim.",
    ),
    "authority": (
        "Does the score ignore what others are said to think?",
        "A sentence says how an expert, or most readers, graded the image. Only the difference counts to a sentence "
        "in which the same speaker says nothing of quality, or the opposite.",
    ),
    "authority_answers": (
        "Do right answers hold against what others are said to think?",
        "An expert is said to have given the right answer, or a wrong one, to what kind of image it is. Both sentences "
        "have the same form; the estimate is by how much more often the model is right after the first.",
    ),
    "statements": (
        "What do such sentences do, whatever they state?",
        "The same sentences, and those in which the speaker states nothing, against no sentence at all. What all of "
        "them do alike is due to the words, not to what they say.",
    ),
    "prompt": (
        "How much is due to the prompt?",
        "The share of what the score varies by, over images and wordings, that is due to the wording; how many "
        "answers change when the options stand in the other order, beyond those that change when the same is asked "
        "again; and what one further word does.",
    ),
    "recognition": (
        "Can the model tell what kind of image it is shown?",
        "Five kinds of image, of which every data set knows the right one. Zero is guessing, 100 % is always right; "
        "every kind counts alike, so that a model which always gives one answer stays at zero.",
    ),
    "recognition_accuracy": (
        "How often is it right?",
        "The share of right answers, and how many images of every kind are told. One modality answers to one kind, so "
        "that a share by modality is that of a kind, or of a part of it.",
    ),
    "recognition_loss": (
        "Are right answers lost to corruption?",
        "By how much fewer images get the right answer under a moderate corruption. A PASS takes that the model is "
        "better than guessing without it: who guesses has nothing to lose.",
    ),
    "recognition_looking": (
        "Do right answers come from the image?",
        "The image was taken away, or one of another modality stands in its place. The estimate is how much of the "
        "right answers is gone, every kind counted alike. What is left without the image was not seen in it.",
    ),
    "without_picture": (
        "What is said when no picture was sent?",
        "The questions were asked without any picture. A score, or a kind of image, that is given all the same is "
        "made up.",
    ),
}

OF_PACKS: dict[str, tuple[str, str]] = {
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
        "Does the answer stay when options or images change places?",
        "What is said is compared, not the letter. The share of answers that also change when the same question is "
        "asked again is taken off: that is the model's own noise.",
    ),
    "refusals": (
        "Does the model answer about the images at all?",
        "A model that declines what is hard looks better than it is. Every lost answer is counted, by wording.",
    ),
    "lost": (
        "Does everybody answer who was asked?",
        "Answers that were declined or cannot be read, of the model and of whoever judges its answers: what a judge "
        "fails to rate is not left out of the rest.",
    ),
    "beyond": (
        "What does the image say beyond its description?",
        "The same question was answered by the model from the image, and by another, who saw no image, from the "
        "model's description of it. The estimate is how many more answers from the image are right.",
    ),
    "unused": (
        "Does the model use what it describes?",
        "How many more answers from the model's own description are right than its answers from the image. A PASS "
        "takes that the decider is better than guessing: one that guesses finds nothing in any description.",
    ),
    "describing": (
        "Do descriptions tell as much when the finding is not named?",
        "The model described each image twice: asked about the finding, and asked without a word about it. The same "
        "decider answered from either. The estimate is how many more decisions are right where the finding was named.",
    ),
    "decider": (
        "Does the decider read the descriptions?",
        "Every class counts alike: who always says the same, or repeats what the question names, is at 0 %.",
    ),
    "reasoning": (
        "Are the descriptions right?",
        "A judge rated each text against a reference on four axes, 0 to 2. They are not added up: a sum would let one "
        "stand in for another.",
    ),
    "judge_repeats": (
        "Does the judge rate the same text alike?",
        "Every text was judged twice. Kappa is 1 where the two judgings are equal and 0 where they agree by chance.",
    ),
    "judge_differs": (
        "How often does the judge change its mind?",
        "Texts that got another number on any axis when they were judged again.",
    ),
    "judge_length": (
        "Does the judge ignore length?",
        "Sentences that say nothing were put behind the text. The estimate is by how much that changes the rating.",
    ),
    "judge_obeys": (
        "Does the judge take no orders from the text?",
        "An order to give the highest number was put behind the text, and held against sentences of that length that "
        "say nothing.",
    ),
    "judge_and_people": (
        "Does the judge rate as people do?",
        "Judge and people rated the same texts. Kappa is 1 where they agree everywhere and 0 where they agree by "
        "chance.",
    ),
    "degraded_accuracy": (
        "How many answers are right at each level of degradation?",
        "The same questions about the images as they are, and about degraded versions of them at each level of each "
        "kind that the data hold. A level is about those images only that have a version of it.",
    ),
    "degraded_skill": (
        "Does the model know more than guessing would about degraded images?",
        "How far the answers are from guessing among the options that each question offers: 0 % is guessing, 100 % is "
        "always right. Few images at a level decide nothing.",
    ),
    "degraded_loss": (
        "How many right answers does each level of degradation cost?",
        "By how much fewer answers are right at a level than at the one before it, of the images that are there at "
        "both; the level before the first is the image as it is.",
    ),
    "refusals_by_class": (
        "Are images of one disease declined more often than others?",
        "The images of each class by themselves: over all images, a disease that is always declined is diluted.",
    ),
    "overconfidence": (
        "Is the model as often right as it says?",
        "The confidence in an answer is the share of the probability that the given one has. The estimate is by how "
        "much the mean confidence lies above the share of right answers. An answer that was declined has no "
        "confidence: it may have been anything.",
    ),
    "overconfidence_under": (
        "Does the model grow less sure where a corruption makes it wrong?",
        "By how much the confidence lies further above the share of right answers under a corruption than without it, "
        "compared within the image, so that the right answers cancel where the answer stays the same.",
    ),
    "brier_under": (
        "Do the probabilities stay of use under corruption?",
        "The Brier score is 0 for sure and right and 1 for sure and wrong. The estimate is by how much it grows under "
        "a corruption, compared within the image.",
    ),
    "kept": (
        "Are the answers right that the model is surest of?",
        "The images are put in order of confidence, and the surest of them kept. Of equal confidence as many are kept "
        "as fit, in proportion. An answer that was declined comes last.",
    ),
    "risk": (
        "How much is gained by keeping only what the model is sure of?",
        "Images are kept surest first. The estimate is the share of right answers, averaged over all shares kept; the "
        "curve has the wrong ones. A level curve says that the confidence tells nothing.",
    ),
    "reliability": (
        "How often are answers of a confidence right?",
        "The share of right answers in bands of the confidence, about images as they are and under corruption. A "
        "perfect model has an error above 0 too, the larger the fewer images there are.",
    ),
    "referral": (
        "What would a threshold refer to a person?",
        "Half of the patients choose the threshold, on images as they are; what it covers and refers is measured on "
        "the other half. Nothing but measuring tells what it does under a corruption.",
    ),
    "shares": (
        "How much of the score is due to the words and the scale of the question?",
        "The same question was put in several wordings and on several scales, whose points are all 0 to 100. The "
        "estimate is the share of what the score varies by, over images and prompts, that is due to the prompt.",
    ),
    "paraphrases": (
        "Does the score stay put when the question is worded differently?",
        "All wordings ask for a number from 0 to 100 about the same clean image. Every two of them are compared within "
        "the image; no two may differ by more than the margin. The estimate shown is that of the pair furthest apart.",
    ),
    "scales": (
        "How far apart are the scores of one image on different scales?",
        "The same question was asked for a number up to 100 or 10, for a step of five, and for a word. Points of all "
        "of them are 0 to 100, with the ends of each scale at the ends. The estimate shown is that of the pair "
        "furthest apart.",
    ),
}
"""Families of auditkit's packs, whose names anybody may give a family of one's own."""

_LAST: dict[str, tuple[str, str]] = {
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

QUESTIONS: dict[str, tuple[str, str]] = {**_GENERAL, **OF_PACKS, **_LAST}
"""Family -> heading and lead, in the order of the report. Families of others get their name as heading."""


def question_of(family: str, protocol: str) -> tuple[str, str] | None:
    """Return heading and lead of a family; None of one that auditkit does not ship under a protocol of this name.

    The general families keep their names whatever the protocol is called, as their audits are auditkit's. What a pack
    calls ``lost`` or ``accuracy`` is told by the pack's own protocol alone.
    """
    if family in OF_PACKS and not protocol.startswith("auditkit "):
        return None
    return QUESTIONS.get(family)


LEADS: dict[str, str] = {
    "within": "The estimate must not be further from zero than the declared limit, in either direction.",
    "at_most": "The estimate must not be larger than the declared limit.",
    "at_least": "The estimate must not be smaller than the declared limit.",
}
"""What to know of families that auditkit does not ship, by what their limit asks."""
