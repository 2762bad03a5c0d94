"""One answer in many dresses. The right value of every row was decided by a person who read the text."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from auditkit.tasks import OUTCOMES, Task, read, shipped

SCORE, RATING, GRADE = shipped()["quality"], shipped()["rating"], shipped()["grade"]
YES_NO, LETTER = shipped()["yes_no"], shipped()["options.quality"]

# {thought} holds a number or nothing, and the model's answer comes after it.
THOUGHTS = [
    "<think>{}</think>",
    "<Thinking>\n{}\n</Thinking>\n",
    "<reasoning>{}</reasoning><answer>",
    "<analysis>{}</analysis>\n",
    "<scratchpad>{}</scratchpad>",
    "<seed:think>{}</seed:think>",
    "[THINK]{}[/THINK]",
    "[thinking] {} [/thinking]",
    "{{think}}{}{{/think}}",
    "◁think▷{}◁/think▷",
    "【thought】{}【/thought】",
    "<|begin_of_thought|>{}<|end_of_thought|>",
    "<|START_THINKING|>{}<|END_THINKING|>",
    "<|think_start|>{}<|think_end|>",
    "<unused94>thought\n{}<unused95>",
    "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>",
    "<|channel>thought\n{}<channel|>",
    "analysis{}assistantfinal",
    "analysis {} assistant final ",
    "{}</think>",
    "Thought process: {}\nResponse: ",
    "thought process: {} response: ",
    "Here is my thought process:\n\n{}\n\nHere is my response:\n\n",
    "**Thinking:** {}\n\n**Answer:** ",
    "Reasoning: {}\n\nFinal answer: ",
    "### Analysis\n{}\n\n### Output: ",
    "Chain of thought: {}\nConclusion: ",
    "Inner monologue: {}\nReply: ",
]
MUSINGS = [
    "The score is 40.",
    "Score: 40/100.",
    "Perhaps 40, perhaps 60.",
    "It is good, so yes.",
    "No, reject. Grade: reject. Option D.",
    "A or C? I choose C.",
    "First 2/5, then 3/5.",
    "Step 1: look. Step 2: rate it 12.",
]


@pytest.mark.parametrize("musing", MUSINGS)
@pytest.mark.parametrize("thought", THOUGHTS)
def test_reasoning_in_any_dress_is_left_aside(thought: str, musing: str) -> None:
    before = thought.format(musing)
    for task, answer, said in (
        (SCORE, "85", "85"),
        (RATING, "4/5", "4"),
        (GRADE, "usable", "usable"),
        (YES_NO, "yes", "yes"),
        (LETTER, "B", "B"),
    ):
        score = read(task, "", before + answer)
        assert (score.outcome, score.said) == ("scored", said), (before + answer, score)


UNCLOSED = [
    "<think>{}",
    "[THINK]{}",
    "◁think▷{}",
    "<|begin_of_thought|>{}",
    "<|channel|>analysis<|message|>{}",
    "<|channel>thought\n{}",
    "<unused94>thought\n{}",
    "analysis{}",
    "thought\n{}",
    "Thought process: {}",
    "Thinking: {}",
    "Here is my thought process:\n{}",
    "**Reasoning:**\n{}",
]


@pytest.mark.parametrize("musing", MUSINGS)
@pytest.mark.parametrize("thought", UNCLOSED)
def test_a_thought_that_is_not_closed_is_no_answer(thought: str, musing: str) -> None:
    for task in (SCORE, RATING, GRADE, YES_NO, LETTER):
        for finish, outcome in (("length", "truncated"), ("stop", "unparsed")):
            score = read(task, "", thought.format(musing), finish)
            assert score.outcome == outcome, (task.id, thought.format(musing), score)


TWO_READINGS = [
    (SCORE, "60 -> 85"),
    (SCORE, "60 => 85"),
    (SCORE, "60 → 85"),
    (SCORE, "Score: 60 → 85"),
    (SCORE, "Score 60 --> 85"),
    (SCORE, r"$60 \to 85$"),
    (SCORE, r"60 \rightarrow 85"),
    (SCORE, "60, now 85"),
    (SCORE, "85 (was 60)"),
    (SCORE, "40 seems right. 85"),
    (SCORE, "85. Initial score: 60"),
    (SCORE, "<musing>Score 40</musing> 85"),
    (SCORE, "(thinking) score: 40 (/thinking) 85"),
    (SCORE, "Thinking: 40\nAnswer: 60\nAnswer: 85"),
    (SCORE, "<s>60</s>85"),
    (SCORE, "<del>60</del> 85"),
    (SCORE, "loss: 85 %"),
    (SCORE, "Quality loss: 85 %"),
    (SCORE, "loss of quality: 85"),
    (SCORE, "JPEG quality 85"),
    (SCORE, "JPEG quality: 85"),
    (SCORE, "JPEG quality is 85."),
    (SCORE, "Compression 85%"),
    (SCORE, "Compression level: 85"),
    (SCORE, "Expected score: 40"),
    (SCORE, "The previous rating was 40"),
    (SCORE, "Threshold value: 50"),
    (SCORE, "Step 4"),
    (SCORE, "Step 4: look at the noise"),
    (SCORE, "Page 1"),
    (RATING, "Page 1/5"),
    (RATING, "Page: 1/5"),
    (RATING, "Slice 3/5"),
    (RATING, "Figure 4/5"),
    (RATING, "Series 2/5"),
    (RATING, "Lobe 4/5"),
    (RATING, "Step 4/5: check the noise"),
    (RATING, "3/5 → 4/5"),
    (RATING, "Rating: 3/5 -> 4/5"),
    (GRADE, "usable -> reject"),
    (GRADE, "good → usable"),
    (GRADE, "good => rejected"),
    (GRADE, "usable, rejected"),
    (GRADE, "not rejected"),
    (YES_NO, "yes → no"),
    (LETTER, "A → B"),
    (LETTER, "A -> C"),
    (LETTER, "Figure B"),
    (LETTER, "It is A or B"),
]


@pytest.mark.parametrize(("task", "text"), TWO_READINGS)
def test_two_readings_are_none(task: Task, text: str) -> None:
    score = read(task, "", text)
    assert score.outcome == "unparsed", score
    assert score.why


READ = [
    (SCORE, "Final: 85", "85"),
    (SCORE, "final - 85", "85"),
    (SCORE, "Final answer: 85", "85"),
    (SCORE, "At first 60, then 70. Final answer: 85", "85"),
    (SCORE, r"We weigh 60 against 90. The result is $\boxed{85}$.", "85"),
    (SCORE, r"Final answer: $\boxed{85}$", "85"),
    (SCORE, r"$\boxed{\text{Score: }85}$", "85"),
    (SCORE, r"\[ \frac{85}{100} \]", "85"),
    (SCORE, r"$85\%$", "85"),
    (SCORE, r"$$ 85 $$", "85"),
    (SCORE, "Score → 85", "85"),
    (SCORE, "It is 85", "85"),
    (SCORE, "It's 85.", "85"),
    (SCORE, "I think it is 85.", "85"),
    (SCORE, "Response: 85", "85"),
    (SCORE, "Output: 85", "85"),
    (SCORE, "1. The edges are sharp.\n2. The noise is low.\nScore: 85", "85"),
    (SCORE, "1) sharp edges\n2) low noise\n3) good contrast\n\n85", "85"),
    (SCORE, "Step 1: sharp edges. Step 2: low noise. Final: 85", "85"),
    (SCORE, "Step 1: sharp edges.\nStep 2: low noise.\n85", "85"),
    (SCORE, "Reasoning: sharp edges, low noise.\n85", "85"),
    (SCORE, "Score: 60 instead of 85", "60"),
    (SCORE, "85 out of 100", "85"),
    (SCORE, "８５／１００", "85"),
    (SCORE, "85<|im_end|>\n<|im_start|>user\nAnd 60?", "85"),
    (SCORE, "85<end_of_turn>\n60", "85"),
    (SCORE, "The image was compressed as JPEG. Quality: 85", "85"),
    (SCORE, "Initial score 60, final score 85", "85"),
    (SCORE, "The image is fairly sharp: 85", "85"),
    (SCORE, "Score (0-100): 85", "85"),
    (SCORE, "There is no image noise. 85", "85"),
    (SCORE, "I don't see any image artefacts. 85", "85"),
    (SCORE, "No scan lines are visible. 85", "85"),
    (SCORE, "The image is missing a marker. Score: 85", "85"),
    (SCORE, "No image is perfect. Score: 85", "85"),
    (RATING, "Step 4", "4"),
    (RATING, "step 4.", "4"),
    (RATING, "Answer: step 4", "4"),
    (RATING, "Level 4", "4"),
    (RATING, "Page 1/5. Rating: 4/5", "4"),
    (RATING, r"$\frac{4}{5}$", "4"),
    (RATING, "It deserves 4/5", "4"),
    (RATING, "A solid 4/5", "4"),
    (RATING, "I'd go with 4/5", "4"),
    (GRADE, "Rejected", "reject"),
    (GRADE, "**Rejected.**", "reject"),
    (GRADE, "Grade: rejected", "reject"),
    (GRADE, "This image should be rejected.", "reject"),
    (GRADE, "Usable, not rejected", "usable"),
    (GRADE, "Final: good", "good"),
    (GRADE, r"$\text{good}$", "good"),
    (YES_NO, r"\boxed{\text{yes}}", "yes"),
    (YES_NO, "Final: no", "no"),
    (LETTER, "It is B", "B"),
    (LETTER, "It's B.", "B"),
    (LETTER, "I think it is B.", "B"),
    (LETTER, "This is B", "B"),
    (LETTER, "It is A", "A"),
    (LETTER, "The best fit is B", "B"),
    (LETTER, "(B)", "B"),
    (LETTER, "B)", "B"),
    (LETTER, "Option B", "B"),
    (LETTER, "Final: B", "B"),
    (LETTER, "Response: (B)", "B"),
]


@pytest.mark.parametrize(("task", "text", "said"), READ)
def test_unmistakable_answers_are_read(task: Task, text: str, said: str) -> None:
    score = read(task, "", text)
    assert (score.outcome, score.said) == ("scored", said), score


DENIALS = [
    "No image was provided.",
    "No image was provided. Score: 0",
    "No image was provided, so 0/5.",
    "No medical image is attached.",
    "No picture attached: no",
    "I don't see any image. Please upload the image.",
    "I do not see an image in your message. 50",
    "I can't see the image.",
    "I cannot view images.",
    "I am unable to access the image. Reject.",
    "There is no image here. A",
    "There's no attachment, so I would say 0.",
    "It seems you haven't uploaded an image. Rating: 1/5",
    "You forgot to attach the image.",
    "The image was not provided. Grade: reject",
    "The image did not load, so the answer is no.",
    "The image failed to load.",
    "The image is missing.",
    "Without an image, my answer is D.",
    "Please provide the image.",
    "I see no image. 0",
]


@pytest.mark.parametrize("finish", ["stop", "length"])
@pytest.mark.parametrize("text", DENIALS)
@pytest.mark.parametrize("task", [SCORE, RATING, GRADE, YES_NO, LETTER], ids=lambda task: task.id)
def test_a_model_that_says_there_is_no_image_has_no_score(task: Task, text: str, finish: str) -> None:
    score = read(task, "", text, finish)
    assert (score.outcome, score.main, score.said) == ("no_image", None, ""), score
    assert "image" in score.why


FEW = settings(max_examples=100)
GIVEN = (
    (SCORE, [str(n) for n in range(101)]),
    (RATING, [f"{n}/5" for n in range(1, 6)]),
    (GRADE, ["good", "usable", "reject"]),
    (YES_NO, ["yes", "no"]),
    (LETTER, list("ABCD")),
)
ANSWERS = st.one_of(*(st.sampled_from(texts).map(lambda text, task=task: (task, text)) for task, texts in GIVEN))
WRAPS = ["${}$", "$${}$$", "\\({}\\)", "\\[{}\\]", "\\boxed{{{}}}", "$\\boxed{{{}}}$", "$\\mathbf{{{}}}$"]
WRAPS += ["\\text{{{}}}", "**{}**", "`{}`", "*{}*", "_{}_", "```\n{}\n```", "# {}", "- {}", "({})", "[{}]"]
WRAPS += ['"{}"', "<b>{}</b>", "<answer>{}</answer>", "{}.", "{}!", " {}\n", "{}</s>", "{}<|im_end|>"]
LABELS = ["{}", "Answer: {}", "Final answer: {}", "The answer is {}", "Response: {}"]


@FEW
@given(ANSWERS, st.sampled_from(LABELS), st.sampled_from(WRAPS), st.sampled_from(WRAPS), st.booleans())
def test_mathematics_and_markup_change_nothing(
    asked: tuple[Task, str], label: str, inner: str, outer: str, whole: bool
) -> None:
    assume(not ("$" in inner and "$" in outer))  # no mathematics within mathematics
    task, answer = asked
    wrapped = inner.format(answer)
    text = outer.format(label.format(wrapped)) if whole else label.format(outer.format(answer))
    score = read(task, "", text)
    assert score.outcome == "scored", (text, score)
    assert score == read(task, "", answer)


PLAIN = ["{}", "Answer: {}", "The answer is {}", "**{}**", "${}$", "({})"]
BETWEEN = ["\n", ". ", " or ", " → ", " -> ", " => ", ", ", "; ", " / ", " vs ", "\n\n", " and "]


@FEW
@given(ANSWERS, st.data(), st.sampled_from(PLAIN), st.sampled_from(BETWEEN))
def test_a_second_answer_of_equal_standing_leaves_none(
    asked: tuple[Task, str], data: st.DataObject, form: str, between: str
) -> None:
    task, one = asked
    texts = next(texts for asked_, texts in GIVEN if asked_ is task)
    other = data.draw(st.sampled_from([text for text in texts if text != one]))
    text = form.format(one) + between + form.format(other)
    assume((between, other) != (" / ", "100"))  # "85 / 100" is one answer, in whatever dress
    assert read(task, "", text).outcome in ("unparsed", "out_of_range"), (text, read(task, "", text))
    assert read(task, "", text).main is None


SIGNS = "0159ABC/%.,:;-→$\\(){}[]<>|*_\n "
PIECES = st.sampled_from(
    [
        *SIGNS,
        *("85", "4/5", "good", "yes", "B", "step", "it is", "initial score", "->", "$$", "\\boxed{", "\\frac{"),
        *("<think>", "</think>", "[THINK]", "[/THINK]", "<|channel|>", "analysis", "final", "assistant", "</s>"),
        *("Thought process:", "Response:", "no image was provided", "please upload the image", "<|im_end|>"),
    ]
)


@FEW
@given(st.lists(PIECES, max_size=20).map(" ".join) | st.lists(PIECES, max_size=20).map("".join), ANSWERS)
def test_nothing_raises(text: str, asked: tuple[Task, str]) -> None:
    for finish in ("stop", "length"):
        assert asked[0].scorer.read(text, finish, asked[0].wordings[asked[0].first]).outcome in OUTCOMES


@pytest.mark.parametrize(
    ("text", "outcome"), [("$ 85 $", "scored"), ("$ 85\n$", "scored"), ("It is $ 85 $", "unparsed")]
)
def test_a_space_within_dollars_is_mathematics_where_there_is_nothing_else(text, outcome):
    score = read(shipped()["quality"], "", text)
    assert score.outcome == outcome
    assert score.values == ({"": 85.0} if outcome == "scored" else {})
