"""A table of the answers that naive parsers get wrong: one row, one text, one outcome."""

from __future__ import annotations

import pytest

from auditkit.tasks import Task, read, shipped
from auditkit.tasks.declared import task_of

SCORE = shipped()["quality"]
RATING = shipped()["rating"]
GRADE = shipped()["grade"]
YES_NO = shipped()["yes_no"]
LETTER = task_of(
    "traps",
    {
        "scorer": {
            "choice": {
                "A": {"text": "nothing", "label": "none"},
                "B": {"text": "blur", "label": "blur"},
                "C": {"text": "noise", "label": "noise"},
                "D": {"text": "coarse pixels", "label": "pixelation"},
            }
        },
        "wordings": {"direct": "Which?\nA. nothing\nB. blur\nC. noise\nD. coarse pixels\n{context}"},
    },
)

RATINGS_SCORED = [
    ("4/5", "4"),
    ("4 / 5", "4"),
    ("**4**/5", "4"),
    ("**4/5**", "4"),
    ("`4/5`", "4"),
    ("(4/5)", "4"),
    ("4/5.", "4"),
    ("4", "4"),
    ("4.", "4"),
    ("Rating: 4", "4"),
    ("Rating: **4**", "4"),
    ("Rating:\n4/5", "4"),
    ("4 out of 5", "4"),
    ("4 out of 5 because of slight noise", "4"),
    ("I would give it a 4 out of 5.", "4"),
    ("3.5/5", "3.5"),
    ("4,5/5", "4.5"),
    ("4/5 4/5", "4"),
    ("4/5\n4/5\n4/5", "4"),
    ("4/5, so 4/5", "4"),
    ("The scale is 1/5 to 5/5; I give 4/5", "4"),
    ("On a scale from 1 to 5, I rate this image 4.", "4"),
    ("Rating (1-5): 4", "4"),
    ("5/5 means perfect; I give 4/5", "4"),
    ("Final answer: 3/5", "3"),
    ("At first sight 4/5. On reflection, final answer: 3/5", "3"),
    ("Sharpness: 4/5\nNoise: 2/5\nOverall: 3/5", "3"),
    ("I would not give 5/5, but 4/5", "4"),
    ("<think>Perhaps 2/5?</think>4/5", "4"),
    ("Is it 5/5? The rating is 4/5.", "4"),
    ("４／５", "4"),
    ("٤/٥", "4"),
    ("4⁄5", "4"),
    ("⅘", "4"),
    ("④", "4"),
    ("4️⃣/5", "4"),
    ("\u202a4/5\u202c", "4"),
    ("\u200e4/5\u200f", "4"),
    ("\x004/5\x00", "4"),
    ('{"rating": 4}', "4"),
    ('{"rating": "4/5", "reason": "slight noise"}', "4"),
    ("4/5</s>", "4"),
    ("4 = good", "4"),
    ("4/5 stars", "4"),
    ("The image receives a 4/5 rating", "4"),
    ("4/5\n\n1 = very poor, 2 = poor, 3 = fair, 4 = good, 5 = very good", "4"),
    ("4/5 is my rating", "4"),
    ("Score: 4 of 5", "4"),
    ("- 4/5", "4"),
    ("The image shows 2 nodules. Rating: 4/5", "4"),
    ("As an AI model I am not a radiologist, but the quality is 4/5.", "4"),
    ("I cannot give a diagnosis. Rating: 4/5", "4"),
]
RATINGS_NOT_SCORED = [
    ("12/5", "out_of_range"),
    ("0/5", "out_of_range"),
    ("-2/5", "out_of_range"),
    ("−2/5", "out_of_range"),
    ("5.5/5", "out_of_range"),
    ("8", "out_of_range"),
    ("Rating: 0", "out_of_range"),
    ("8/10", "unparsed"),
    ("80/100", "unparsed"),
    ("80%", "unparsed"),
    ("4/50", "unparsed"),
    ("4/5/2026", "unparsed"),
    ("On a 10-point scale, 4", "unparsed"),
    ("On a scale from 1 to 10, 4", "unparsed"),
    ("between 3/5 and 4/5", "unparsed"),
    ("3-4/5", "unparsed"),
    ("3/5 or 4/5", "unparsed"),
    ("3 to 4", "unparsed"),
    ("4/5 ... on reflection 3/5", "unparsed"),
    ("Final answer: 3/5. Actually, 4/5.", "unparsed"),
    ("1/5, 2/5, 3/5, 4/5, 5/5", "unparsed"),
    ("1/5 to 5/5", "unparsed"),
    ("N/5", "unparsed"),
    ("x/5", "unparsed"),
    ("/5", "unparsed"),
    ("four", "unparsed"),
    ("4½/5", "unparsed"),
    ("4²/5", "unparsed"),
    ("4,5", "unparsed"),
    ("4:5", "unparsed"),
    ("~~3/5~~ 4/5", "unparsed"),
    ("3\u03365/5", "unparsed"),
    ("I can't rate this image 5/5 because the ribs are blurred", "unparsed"),
    ("It does not deserve 5/5", "unparsed"),
    ("5/5 would be too high", "unparsed"),
    ("If it were sharper I would give 5/5", "unparsed"),
    ("4/5?", "unparsed"),
    ("At least 3/5", "unparsed"),
    ("Answer in the form 4/5", "unparsed"),
    ("4/5 of the lung is visible", "unparsed"),
    ("Contrast: 4/5", "unparsed"),
    ("4/5 for sharpness", "unparsed"),
    ("Sharpness: 4/5, noise: 2/5", "unparsed"),
    ("BI-RADS score: 4", "unparsed"),
    ("There are 3 nodules", "unparsed"),
    ("Figure 4", "unparsed"),
    ("Image 4 of 5", "unparsed"),
    ("4/5 lobes are visible", "unparsed"),
    ("3/5 due to noise, 5/5 otherwise", "unparsed"),
    ("out of 5", "unparsed"),
    ("I cannot rate this image. 1/5", "unparsed"),
    ("", "unparsed"),
    (" \n\t ", "unparsed"),
    ("\u200b\u200e", "unparsed"),
    ("N/A", "unparsed"),
    ("<think>It may be 4/5", "unparsed"),
    ("4" * 5000 + "/5", "out_of_range"),
]
SCORES_SCORED = [
    ("87", "87"),
    ("87.", "87"),
    ("87.5", "87.5"),
    ("87,5", "87.5"),
    ("87/100", "87"),
    ("87 / 100", "87"),
    ("87 %", "87"),
    ("100%", "100"),
    ("0", "0"),
    ("0/100", "0"),
    ("100", "100"),
    ("Score: 87.", "87"),
    ("Score - 87", "87"),
    ("**Score:** 87", "87"),
    ("Score: **87**/100", "87"),
    ("score=87", "87"),
    ("~87", "87"),
    ("87 points", "87"),
    ("The quality is high. I'd give it 85 points out of 100.", "85"),
    ("85 out of a possible 100", "85"),
    ("Out of 100, I give 55", "55"),
    ("I would assign a quality score of 85 to this image.", "85"),
    ("**Score: 72**\n\n**Reasons:**\n* sharpness: 80\n* noise: 60", "72"),
    ("-0", "0"),
    ("87. The image is sharp.", "87"),
    ("87\n\nThe image is sharp.", "87"),
    ("I would say 87", "87"),
    ("I rate this image 87 on a 0-100 scale.", "87"),
    ("The technical quality of this image is 85 out of 100.", "85"),
    ("Based on the noise, I would give it a score of about 75.", "75"),
    ("I cannot see any noise; 90", "90"),
    ("There is no noise. 90", "90"),
    ("There is no noise, 90", "90"),
    ("On a scale from 0 (useless) to 100 (flawless), I give 60.", "60"),
    ("8/10, that is 80/100", "80"),
    ("Sharpness: 80\nNoise: 70\nOverall quality: 75", "75"),
    ("\\boxed{87}", "87"),
    ("<answer>87</answer>", "87"),
    ("The 3D reconstruction is clean. Score: 87", "87"),
    ("８７", "87"),
    ("𝟖𝟕", "87"),
    ("Taken on 2026-01-02. Score: 87", "87"),
    ('{"score": 87, "confidence": 90}', "87"),
    ("I'm sorry about the wait. Score: 87", "87"),
]
SCORES_NOT_SCORED = [
    ("101", "out_of_range"),
    ("120/100", "out_of_range"),
    ("-5", "out_of_range"),
    ("150%", "out_of_range"),
    ("8/10", "unparsed"),
    ("4/5", "unparsed"),
    ("0.87", "unparsed"),
    ("1,000", "unparsed"),
    ("1.2.3", "unparsed"),
    ("10²", "unparsed"),
    ("8\x007", "unparsed"),
    ("8 7", "unparsed"),
    ("80,90", "unparsed"),
    ("①②", "unparsed"),
    ("1e2", "unparsed"),
    ("NaN", "unparsed"),
    ("inf", "unparsed"),
    ("ninety", "unparsed"),
    ("2026-01-02", "unparsed"),
    ("01/02/2026", "unparsed"),
    ("12:30", "unparsed"),
    ("80-90", "unparsed"),
    ("80 to 90", "unparsed"),
    ("0-100", "unparsed"),
    ("> 80", "unparsed"),
    ("more than 80", "unparsed"),
    ("COVID-19", "unparsed"),
    ("A 45-year-old patient", "unparsed"),
    ("A 12 mm nodule in the left lobe", "unparsed"),
    ("The patient is aged 45", "unparsed"),
    ("On a scale from 1 to 10, 8", "unparsed"),
    ("85 or 90", "unparsed"),
    ("Score: 85. Score: 90.", "unparsed"),
    ("It is not 87", "unparsed"),
    ("Confidence: 90", "unparsed"),
    ("The number of nodules is 3", "unparsed"),
    ("50% of the lung is visible", "unparsed"),
    ("8*7", "unparsed"),
    ("70. Or 80.", "unparsed"),
    ("70 (maybe 80)", "unparsed"),
    ("70;80", "unparsed"),
    ("Maybe 70, maybe 80", "unparsed"),
    ("1. Sharpness: high\n2. Noise: low", "unparsed"),
    ("The lungs are clear. 3. The heart is normal", "unparsed"),
    ("I cannot rate it higher than 40", "unparsed"),
    ("nearly 90", "unparsed"),
    ("$87", "unparsed"),
]
REFUSED = [
    "I cannot assess medical images",
    "I can't assess medical images.",
    "I can’t assess medical images.",
    "I'm sorry, but I can't help with that.",
    "I am sorry, but I am unable to evaluate this image.",
    "As an AI language model, I am not able to rate medical images.",
    "As an AI, I do not have eyes.",
    "Sorry, but I cannot provide a rating.",
    "Unable to assess the image.",
    "I won't rate this.",
    "I must decline to answer.",
    "I'm not qualified to judge X-rays.",
    "I apologize, but this is beyond what I do.",
    "The quality cannot be determined.",
    "I cannot provide a diagnosis; please consult a physician.",
]
GRADES = [
    ("good", "scored", "good"),
    ("Good.", "scored", "good"),
    ("**usable**", "scored", "usable"),
    ("REJECT", "scored", "reject"),
    ("Grade: usable", "scored", "usable"),
    ("The quality is good.", "scored", "good"),
    ("I would grade this image as usable", "scored", "usable"),
    ("Good quality.", "scored", "good"),
    ("usable, because of slight noise", "scored", "usable"),
    ("It is not good, but usable", "scored", "usable"),
    ("The contrast is good. Grade: usable", "scored", "usable"),
    ("The image has good contrast, but reject", "scored", "reject"),
    ("not good", "unparsed", None),
    ("not usable", "unparsed", None),
    ("unusable", "unparsed", None),
    ("The contrast is good", "unparsed", None),
    ("good contrast", "unparsed", None),
    ("good/usable/reject", "unparsed", None),
    ("good, usable, or reject", "unparsed", None),
    ("good or usable", "unparsed", None),
    ("goodness", "unparsed", None),
    ("usable → good", "unparsed", None),
    ("barely usable", "unparsed", None),
    ("Neither good nor usable", "unparsed", None),
    ("good 👍", "scored", "good"),
    ("excellent", "unparsed", None),
]
YES_NOS = [
    ("Yes", "scored", "yes"),
    ("no.", "scored", "no"),
    ("**Yes**, it is.", "scored", "yes"),
    ("Answer: no", "scored", "no"),
    ("The answer is no.", "scored", "no"),
    ("no, it is not of diagnostic quality", "scored", "no"),
    ("Yes, no artefacts are visible.", "scored", "yes"),
    ("There is no noise, so yes.", "scored", "yes"),
    ("Is it good enough? Yes.", "scored", "yes"),
    ("No\n\nThe image is blurred.", "scored", "no"),
    ("yes and no", "unparsed", None),
    ("yes/no", "unparsed", None),
    ("Yes. No.", "unparsed", None),
    ("No noise is visible", "unparsed", None),
    ("There is no blur", "unparsed", None),
    ("It is not of diagnostic quality", "unparsed", None),
    ("Yes, it is not of diagnostic quality", "unparsed", None),
    ("No, the image is of diagnostic quality", "unparsed", None),
    ("Not yes", "unparsed", None),
    ("maybe", "unparsed", None),
    ("nope", "unparsed", None),
    ("noyes", "unparsed", None),
    ("Yes.No", "unparsed", None),
]
LETTERS = [
    ("C", "scored", "noise"),
    ("c", "scored", "noise"),
    ("(C)", "scored", "noise"),
    ("[C]", "scored", "noise"),
    ("**C**", "scored", "noise"),
    ("C)", "scored", "noise"),
    ("C.", "scored", "noise"),
    ("C. noise", "scored", "noise"),
    ("C: noise", "scored", "noise"),
    ("C - noise", "scored", "noise"),
    ("Ｃ", "scored", "noise"),
    ("Answer: C", "scored", "noise"),
    ("Answer: (C) noise", "scored", "noise"),
    ("option C", "scored", "noise"),
    ("Option C is correct.", "scored", "noise"),
    ("The answer is C because of the grain", "scored", "noise"),
    ("a blurry image: the answer is C", "scored", "noise"),
    ("There is a slight blur, so B", "scored", "blur"),
    ("A", "scored", "none"),
    ("a", "scored", "none"),
    ("A. nothing", "scored", "none"),
    ("A nothing", "scored", "none"),
    ("D coarse pixels", "scored", "pixelation"),
    ("noise", "scored", "noise"),
    ("Noise.", "scored", "noise"),
    ("Answer: coarse pixels", "scored", "pixelation"),
    ("Not A. The answer is C.", "scored", "noise"),
    ("At first A. Final answer: C", "scored", "noise"),
    ("<think>A or B?</think>C", "scored", "noise"),
    ("A chest X-ray", "unparsed", None),
    ("A blurry image", "unparsed", None),
    ("The answer is a blurry image", "unparsed", None),
    ("B. noise", "unparsed", None),
    ("A or B", "unparsed", None),
    ("A, B", "unparsed", None),
    ("A and C", "unparsed", None),
    ("Not A", "unparsed", None),
    ("C is wrong", "unparsed", None),
    ("Vitamin C", "unparsed", None),
    ("B > C", "unparsed", None),
    ("A/C", "unparsed", None),
    ("A.M.", "unparsed", None),
    ("C++", "unparsed", None),
    ("N/A", "unparsed", None),
    ("Answer A is incorrect, answer B is correct", "scored", "blur"),
    ("Hepatitis B", "unparsed", None),
    ("A. nothing\nB. blur\nC. noise\nD. coarse pixels", "unparsed", None),
    ("noise and blur", "unparsed", None),
    ("I see", "unparsed", None),
    ("F", "out_of_range", "F"),
    ("Answer: F", "out_of_range", "F"),
]


@pytest.mark.parametrize(("text", "value"), RATINGS_SCORED)
def test_rating_is_read(text: str, value: str) -> None:
    answer = read(RATING, "", text)
    assert (answer.outcome, answer.said) == ("scored", value), answer
    assert answer.main == pytest.approx((float(value) - 1) / 4 * 100)


@pytest.mark.parametrize(("text", "outcome"), RATINGS_NOT_SCORED)
def test_rating_is_not_guessed(text: str, outcome: str) -> None:
    answer = read(RATING, "", text)
    assert (answer.outcome, answer.main) == (outcome, None), answer
    assert answer.why


@pytest.mark.parametrize(("text", "value"), SCORES_SCORED)
def test_score_is_read(text: str, value: str) -> None:
    answer = read(SCORE, "", text)
    assert (answer.outcome, answer.said, answer.main) == ("scored", value, float(value)), answer


@pytest.mark.parametrize(("text", "outcome"), SCORES_NOT_SCORED)
def test_score_is_not_guessed(text: str, outcome: str) -> None:
    answer = read(SCORE, "", text)
    assert (answer.outcome, answer.main) == (outcome, None), answer
    assert answer.why


NO_IMAGE = [
    "No image was provided.",
    "No image was provided. Score: 0",
    "I don't see any image. Please upload the image.",
    "There is no image attached, so 0.",
    "There's no picture here. 0",
    "I can't see an image. 0/5",
    "I am unable to view the attached image. B",
    "0 (no image provided)",
    "The image is missing: reject",
    "0 - the image could not be loaded",
    "**0** \u2014 the scan failed to load",
    "Please upload the image you would like me to rate.",
    "You have not attached an image. No.",
    "Score: 0\n\nNote: no image has been uploaded.",
]
IMAGE_THERE = [
    ("85. No image artefacts were found.", "85"),
    ("There is no image noise. Score: 85", "85"),
    ("No image is perfect; I give 85", "85"),
    ("Score: 40. Part of the image is not visible.", "40"),
    ("The image shows no attachment of the tendon. Score: 60", "60"),
    ("I see no problem with the image. 90", "90"),
]


@pytest.mark.parametrize("task", [SCORE, RATING, GRADE, YES_NO, LETTER], ids=lambda task: task.id)
@pytest.mark.parametrize("text", NO_IMAGE)
def test_whoever_was_given_no_image_gives_no_score(text: str, task: Task) -> None:
    answer = read(task, "", text)
    assert (answer.outcome, dict(answer.values)) == ("no_image", {}), answer


@pytest.mark.parametrize(("text", "value"), IMAGE_THERE)
def test_a_word_about_images_is_not_taken_for_one_that_is_missing(text: str, value: str) -> None:
    answer = read(SCORE, "", text)
    assert (answer.outcome, answer.said) == ("scored", value), answer


@pytest.mark.parametrize("task", [SCORE, RATING, GRADE, YES_NO, LETTER], ids=lambda task: task.id)
@pytest.mark.parametrize("text", REFUSED)
def test_refusal_is_recognised(text: str, task: Task) -> None:
    assert read(task, "", text).outcome == "refused"


@pytest.mark.parametrize(("text", "outcome", "value"), GRADES)
def test_grade(text: str, outcome: str, value: str | None) -> None:
    answer = read(GRADE, "", text)
    assert (answer.outcome, answer.said) == (outcome, value or ""), answer
    assert answer.main == {"good": 100.0, "usable": 50.0, "reject": 0.0, None: None}[value]


@pytest.mark.parametrize(("text", "outcome", "value"), YES_NOS)
def test_yes_no(text: str, outcome: str, value: str | None) -> None:
    answer = read(YES_NO, "", text)
    assert (answer.outcome, answer.said) == (outcome, value or ""), answer
    assert answer.main == {"yes": 100.0, "no": 0.0, None: None}[value]


@pytest.mark.parametrize(("text", "outcome", "value"), LETTERS)
def test_letter(text: str, outcome: str, value: str | None) -> None:
    answer = read(LETTER, "", text)
    assert (answer.outcome, answer.said, answer.main) == (outcome, value or "", None), answer


CUTS = [
    (SCORE, "8", "truncated"),
    (SCORE, "87", "truncated"),
    (SCORE, "87.", "truncated"),
    (SCORE, "87/1", "truncated"),
    (SCORE, "87 out", "truncated"),
    (SCORE, "87, o", "truncated"),
    (SCORE, "Sharpness is high. Noi", "truncated"),
    (SCORE, "", "truncated"),
    (SCORE, "<think>The image is 87", "truncated"),
    (SCORE, "87\n\nThe image is", "scored"),
    (SCORE, "87. The image", "scored"),
    (SCORE, "Score: 87/100. The ima", "scored"),
    (SCORE, "I cannot assess medical images, please as", "refused"),
    (RATING, "4/5", "truncated"),
    (RATING, "4/5\n\nExplanation: the ima", "scored"),
    (RATING, "The image is slightly noisy. Contrast is fair. 4/5\nHow", "truncated"),
    (YES_NO, "No", "truncated"),
    (YES_NO, "No, the image shows", "scored"),
    (GRADE, "good", "truncated"),
    (LETTER, "C", "truncated"),
    (LETTER, "C. noi", "scored"),
]


@pytest.mark.parametrize(("task", "text", "outcome"), CUTS)
def test_cut_answers(task: Task, text: str, outcome: str) -> None:
    answer = read(task, "", text, "length")
    assert answer.outcome == outcome, answer


THOUGHTS = [
    "<think>{}</think>",
    "<thinking>\n{}\n</thinking>\n",
    "[THINK]{}[/THINK]",
    "[think] {} [/think]\n",
    "<seed:think>{}</seed:think>",
    "<|begin_of_thought|>{}<|end_of_thought|>",
    "\u25c1think\u25b7{}\u25c1/think\u25b7",
    "<reasoning>{}</reasoning>",
    "[reasoning] {} [/reasoning]",
    "{{thought}} {} {{/thought}} ",
    "<analysis>{}</analysis>",
    "<unused94>thought\n{}<unused95>",
    "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>",
    "<|channel>thought\n{}<channel|>",
]
"""Marks that models put around their reasoning."""
ANNOUNCED = [
    "Thought process: {}\nResponse: ",
    "thought: {}\n\nanswer: ",
    "**Thinking:** {}\n\n**Final answer:** ",
    "Reasoning: {}\nScore: ",
    "Chain of thought: {}\n- Output: ",
]
IDEAS = ["40", "I would start at 60.", "My first score is 40/100.", "Rating: 30", "Is it 20? No, better.", "40 -> 30"]


@pytest.mark.parametrize("idea", IDEAS)
@pytest.mark.parametrize("dress", [*THOUGHTS, *ANNOUNCED])
def test_reasoning_in_any_dress_is_left_aside(dress: str, idea: str) -> None:
    answer = read(SCORE, "", dress.format(idea) + "85")
    assert (answer.outcome, answer.said) == ("scored", "85"), answer


@pytest.mark.parametrize("idea", IDEAS)
@pytest.mark.parametrize("dress", THOUGHTS)
def test_reasoning_that_was_never_closed_gives_no_score(dress: str, idea: str) -> None:
    opened = dress.partition("{}")[0].replace("{{", "{").replace("}}", "}")
    assert read(SCORE, "", f"{opened}{idea}").outcome == "unparsed"
    assert read(SCORE, "", f"{opened}{idea}", "length").outcome == "truncated"


@pytest.mark.parametrize("text", [
    "60 -> 85", "60 \u2192 85", "60 => 85", "60 --> 85", "60/100 \u27f6 85/100", "loss: 85 %", "Loss of detail: 85 %",
    "JPEG quality 85", "JPEG quality: 85", "Saved as JPEG at 85", "compressed to 85", "kVp 85", "Page 85", "Slice 45",
    "85 dpi", "Figure 12", "thought: 40",
])  # fmt: skip
def test_a_number_of_something_else_is_no_score(text: str) -> None:
    assert read(SCORE, "", text).outcome == "unparsed"


@pytest.mark.parametrize("text", ["Page 1/5", "page 4/5", "Slice 3/5", "4 \u2192 3", "Figure 2/5"])
def test_the_number_of_a_page_is_no_rating(text: str) -> None:
    assert read(RATING, "", text).outcome == "unparsed"


DRESSES = [
    "${}$", "$${}$$", "\\({}\\)", "\\[{}\\]", "\\boxed{{{}}}", "$\\boxed{{{}}}$", "\\[ \\boxed{{\\text{{{}}}}} \\]",
    "$\\text{{{}}}$", "\\textbf{{{}}}", "**{}**", "`{}`", "_{}_", "<answer>{}</answer>", "[{}]", "({})", "# {}",
    "\u2192 {}",
    "Final: {}", "Final answer: ${}$", "It is {}", "It's {}.", "Answer -> {}", "Output: {}", "Step 4: {}", "{}.",
]  # fmt: skip


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize(("task", "said"), [(SCORE, "85"), (RATING, "4"), (GRADE, "reject"), (LETTER, "B")])
def test_dress_around_an_answer_changes_nothing(dress: str, task: Task, said: str) -> None:
    if task in (GRADE, LETTER) and dress in ("\u2192 {}", "Answer -> {}", "Step 4: {}"):
        return  # a word or a letter is not said to be the answer by an arrow or a step alone
    plain = read(task, "", said)
    dressed = read(task, "", dress.format(said))
    assert plain.outcome == "scored"
    assert dressed == plain, dressed


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("between", ["\n", " or ", " / ", " -> "])
def test_two_answers_of_equal_standing_are_none(dress: str, between: str) -> None:
    answer = read(SCORE, "", dress.format("85") + between + dress.format("60"))
    assert answer.outcome == "unparsed", answer


@pytest.mark.parametrize("text", ["Rejected", "rejected.", "Grade: rejected", "The image is rejected"])
def test_another_form_of_a_word_on_offer_is_that_word(text: str) -> None:
    assert read(GRADE, "", text).said == "reject"


@pytest.mark.parametrize("text", ["not rejected", "It should not be rejected", "good or rejected", "Is it rejected?"])
def test_unless_it_is_denied_or_stands_beside_another(text: str) -> None:
    assert read(GRADE, "", text).outcome == "unparsed"
