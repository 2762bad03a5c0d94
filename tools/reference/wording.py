"""Wording of the training questions: many phrasings per answer format, so that unseen wording is answered too.

Data, not code. ``{noun}`` is a word for the picture, ``{modality}`` its modality in prose. None of the sentences is
taken from `auditkit.tasks`; they only cover the same ground.
"""

from __future__ import annotations

from typing import Final

NOUNS: Final = (
    "image", "medical image", "picture", "scan", "examination", "medical picture", "view", "study",
    "image of a patient",
)  # fmt: skip

MODALITY_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "ct": ("CT", "computed tomography", "CT scan"),
    "mr": ("MRI", "magnetic resonance", "MR"),
    "xray": ("X-ray", "radiograph", "plain film"),
    "ultrasound": ("ultrasound", "sonography", "ultrasonography"),
    "mammography": ("mammography", "mammogram", "mammographic view"),
    "nuclear": ("nuclear medicine", "scintigraphy", "nuclear scan"),
    "oct": ("OCT", "optical coherence tomography", "OCT scan"),
    "fundus": ("fundus photograph", "fundus photography", "retinal photograph"),
    "endoscopy": ("endoscopy", "endoscopic view", "endoscopic image"),
    "dermoscopy": ("dermoscopy", "dermatoscopy", "skin photograph"),
    "histology": ("histology", "histopathology", "microscopy slide"),
}
"""Names of the modalities; the first of each is the answer that is trained."""

KIND_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "none": ("nothing", "no degradation", "none", "no fault", "nothing at all", "it is clean"),
    "noise": ("noise", "grain", "random noise", "image noise", "graininess"),
    "blur": ("blur", "blurring", "lack of sharpness", "loss of sharpness", "defocus", "unsharpness"),
    "pixelation": ("pixelation", "coarse pixels", "low resolution", "large pixels", "visible pixels", "block pixels"),
    "compression": ("compression", "compression artefacts", "JPEG artefacts", "lossy compression", "JPEG blocks"),
    "brightness": ("brightness", "overexposure", "too much brightness", "excessive brightness", "too bright"),
    "contrast": ("contrast", "low contrast", "poor contrast", "weak contrast", "loss of contrast", "flat contrast"),
}
"""Names of the degradations; the first of each is the answer that is trained."""

GROUP_NAMES: Final = (
    "wrong brightness or contrast", "brightness or contrast", "wrong exposure or contrast", "poor exposure",
)  # fmt: skip
"""Options that stand for brightness and contrast together."""

SCORE: Final = (
    "Rate the quality of this {noun} from 0 to 100.",
    "On a scale of 0 to 100, how good is the quality of this {noun}? Answer with one number.",
    "Give a quality score between 0 (unusable) and 100 (perfect).",
    "What is the quality of this {noun}, from 0 to 100?",
    "Score this {noun} for technical quality. 0 is the worst, 100 is the best. Answer with a number only.",
    "How many points from 0 to 100 does this {noun} deserve? Reply with the number.",
    "Assess sharpness, noise, contrast and exposure. Give one number from 0 (worthless) to 100 (faultless).",
    "Your task is quality control. State a number from 0 to 100 for this {noun}, without a comment.",
    "Judge the technical quality of this {noun} on a scale from 0 (bad) to 100 (excellent). Write a single number.",
    "If 100 is a perfect {noun} and 0 is a useless one, which number fits this one?",
    "Quality score, 0-100:",
    "Look for technical faults only. Which mark out of 100 does this {noun} get? "
    "Write a whole number and nothing else.",
    "Could a specialist read this {noun} well? Express it as a number, 0 (not at all) to 100 (without any trouble).",
    "Estimate how little this {noun} is degraded: 100 means not degraded, 0 means destroyed. Number only, please.",
    "Assign a value between 0 and 100 to the technical quality. Disease is not a fault. No other words.",
    "Image quality index (maximum 100, minimum 0)?",
)

RATING: Final = (
    "Rate the quality of this {noun} from 1 to 5. Answer like 3/5.",
    "How good is this {noun}? Answer with a rating x/5.",
    "Give a rating of the technical quality as N/5, where 1 is very poor and 5 is very good.",
    "Score this {noun} on five steps, 1 = bad, 2 = poor, 3 = fair, 4 = good, 5 = excellent. Reply in the form N/5.",
    "Rating out of 5 for the quality of this {noun}, written as n/5:",
    "Award one to five points for technical quality and write them as N/5.",
    "From 1 (unreadable) to 5 (perfect): what is the quality of this {noun}? Write N/5 and nothing else.",
    "How far can a reader trust the quality of this {noun}? 1/5 means not at all, 5/5 completely.",
    "Judge sharpness, noise and contrast together with one mark from 1/5 to 5/5.",
    "Which mark between 1/5 (full of faults) and 5/5 (free of faults) fits this {noun}?",
    "Assess the technical quality. Answer only with N/5, N being a whole number from 1 to 5.",
    "Quality on a five point scale, as number/5?",
)

GRADE: Final = (
    "Is this {noun} good, usable or reject? Answer with one word.",
    "Grade the quality of this {noun}: good, usable or reject.",
    "Choose one grade for the technical quality: reject, usable, good. Reply with the word only.",
    "Put this {noun} into a class: good (no faults), usable (some faults), reject (too many faults).",
    "Would you stamp this {noun} good, usable, or reject?",
    "Quality grade (reject / usable / good)?",
    "Decide whether this {noun} is good, merely usable, or to be rejected. Write good, usable or reject.",
    "Acceptance test for the archive. Possible answers: usable, good, reject.",
    "Pick the word that fits the technical quality: good, reject or usable.",
    "Sort this {noun} by technical quality into good, usable or reject. One word, nothing more.",
    "How would a quality inspector label this {noun}: good, usable or reject?",
)

SUFFICIENT: Final = (
    "Is this {noun} of diagnostic quality? Answer yes or no.",
    "Is the technical quality of this {noun} sufficient for a diagnosis? Yes or no?",
    "Can a radiologist rely on the quality of this {noun}? Reply yes or no.",
    "Would you accept the quality of this {noun} for a report? Say yes or no.",
    "Is this {noun} good enough to be read? Answer no or yes.",
    "Could a specialist base a finding on this {noun}? One word, yes or no.",
    "Does this {noun} meet the quality needed for clinical use? Answer with yes or no only.",
    "Would a careful reader be content with the technical quality here? Say no or yes.",
    "Is the quality high enough, so that it need not be taken again? Yes or no.",
    "Does the quality permit a diagnosis? yes or no?",
)

SPOILED: Final = (
    "Should this {noun} be repeated because of its quality? Answer yes or no.",
    "Is this {noun} too degraded for a diagnosis? Yes or no?",
    "Does this {noun} have to be taken again? Answer with yes or no.",
    "Is the quality of this {noun} too poor to be read? Say yes or no.",
)

AFFECTED: Final = (
    "Is this {noun} affected by {kind}? Answer yes or no.",
    "Does this {noun} suffer from {kind}? Yes or no?",
    "Is there {kind} in this {noun}? Reply with yes or no.",
    "Do you see {kind}? Answer yes or no.",
    "Has {kind} degraded this {noun}? Say yes or no.",
    "Is {kind} a problem here? Answer with one word, yes or no.",
    "Is {kind} what is wrong with this {noun}? no or yes?",
    "Does {kind} reduce the quality of this {noun}? Yes or no.",
    "Can {kind} be seen in this {noun}? Answer yes or no only.",
    "Would you report {kind} as a fault of this {noun}? Say no or yes.",
)

DEGRADED: Final = (
    "Is this {noun} degraded in any way? Answer yes or no.",
    "Does this {noun} show a technical fault? Yes or no?",
    "Is anything wrong with the quality of this {noun}? Answer yes or no.",
)

IS_MODALITY: Final = (
    "Is this {noun} a {modality}? Answer yes or no.",
    "Is this a {modality}? Yes or no?",
    "Does this {noun} show a {modality}? Reply with yes or no.",
    "Was this {noun} made by {modality}? Say yes or no.",
    "Is {modality} the modality of this {noun}? Answer yes or no.",
    "Would you call this a {modality}? yes or no?",
)

NAME_MODALITY: Final = (
    "What is the imaging modality?",
    "Which modality is this {noun}? Answer with its name.",
    "Name the modality of this {noun}.",
    "How was this {noun} acquired? Name the technique.",
    "What kind of {noun} is this?",
    "Which imaging technique produced this {noun}?",
    "Modality?",
    "State the type of examination.",
    "Tell me the modality of this {noun} in a word or two.",
    "By what method was this {noun} taken?",
)

NAME_KIND: Final = (
    "What is the main degradation?",
    "Name the artefact in this {noun}.",
    "What degrades this {noun} most? Answer in one word.",
    "Which technical fault does this {noun} have?",
    "What is wrong with the quality of this {noun}?",
    "State the most important technical fault.",
)

ASK_KIND: Final = (
    "What is the main degradation?",
    "What degrades this {noun} most?",
    "Which fault is present in this {noun}?",
    "What is wrong with this {noun}?",
    "Choose the degradation that you see.",
    "Which artefact affects this {noun}?",
    "Which of these describes the fault of this {noun}?",
    "Select the main technical problem.",
)

ASK_MODALITY: Final = (
    "What is the imaging modality?",
    "Which modality is this {noun}?",
    "Choose the modality of this {noun}.",
    "How was this {noun} made?",
    "Which technique produced this {noun}?",
    "What kind of {noun} is this?",
)

ASK_QUALITY: Final = (
    "How good is the quality of this {noun}?",
    "Which statement fits the quality of this {noun} best?",
    "Choose the description of the technical quality.",
    "Which of these describes the technical quality?",
    "What is the quality of this {noun}?",
    "How would you describe the quality?",
)

QUALITY_LEVELS: Final = (
    ("excellent", "perfect", "flawless", "very good", "excellent, nothing to improve", "faultless quality"),
    ("good", "sound", "good, with small faults", "slight faults", "sound, some faults", "minor faults"),
    ("fair", "impaired", "impaired but readable", "usable with effort", "fair, still readable", "clear faults"),
    ("bad", "ruined", "useless", "very poor", "ruined by faults", "destroyed by technical faults"),
)
"""Four levels from best to worst, in several wordings, for option questions."""

LETTER_REQUESTS: Final = (
    "Answer with the letter.", "Reply with one letter and nothing else.", "Letter only.", "Which letter?",
    "Give the letter of the right option.", "Answer with a single letter.", "Write the letter, nothing more.", "",
)  # fmt: skip

DESCRIBE: Final = (
    "Describe the quality of this {noun}.",
    "Write a short quality report.",
    "Summarise the technical quality in a sentence or two.",
    "What can you say about the quality of this {noun}?",
    "Comment on the technical quality.",
    "Describe this {noun} and its faults.",
)

SYSTEM: Final = (
    "You are an expert in image quality.",
    "You check medical images and answer briefly.",
    "Answer in the form that is asked for.",
    "You are a careful assistant.",
    "You inspect pictures for faults.",
    "Be brief.",
)
