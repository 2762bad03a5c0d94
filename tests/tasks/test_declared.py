"""Tasks and wordings of one's own: read from a protocol's tables, and every slip named."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

from auditkit.errors import AuditkitError
from auditkit.tasks import SLOT, Choice, Points, Quantity, Score, Task, read, read_tasks, shipped
from auditkit.tasks.declared import task_of

CHOICE = {"choice": {"A": {"text": "noise", "label": "grain"}, "B": {"text": "blur", "label": "blur"}}}
TEXT = "Which?\nA. noise\nB. blur\nOne letter, please."


def one(table: Any, id: str = "own", **scorers: Any) -> Task:
    return read_tasks({id: table}, scorers=scorers)[id]


@pytest.mark.parametrize("task", shipped().values(), ids=lambda task: task.id)
def test_tasks_come_back_from_plain_data_and_from_other_processes(task: Task) -> None:
    back = task_of(task.id, json.loads(json.dumps(task.table(), allow_nan=False)))
    assert back == task
    assert back.scorer == task.scorer
    assert hash(back) == hash(task)
    assert pickle.loads(pickle.dumps(task)) == copy.deepcopy(task) == task
    assert pickle.loads(pickle.dumps(task)).scorer == task.scorer


def test_a_wording_is_added_to_a_task_that_is_shipped() -> None:
    task = one({"wordings": {"night": "It is late. From 0 to 100?"}}, "quality")
    assert list(task.wordings) == [*shipped()["quality"].wordings, "night"]
    assert task.wordings["night"].text == "It is late. From 0 to 100?\n{context}"
    assert task.scorer == Points("score_100")
    assert "night" not in shipped()["quality"].wordings
    assert read(task, "night", "It is late. From 0 to 100?\n87").main == 87


def test_a_task_of_ones_own() -> None:
    table = {"scorer": "yes_no", "wordings": {"direct": {"text": "Good?", "system": "Be brief.", "max_new_tokens": 8}}}
    task = one(table)
    wording = task.wordings[task.first]
    assert (wording.text, wording.system, wording.max_new_tokens) == (f"Good?\n{SLOT}", "Be brief.", 8)
    assert wording.question == "Good?"
    assert read(task, "", "yes").main == 100
    assert one(task.table()) == task


def test_options_of_ones_own_by_score_label_or_text() -> None:
    task = one({"scorer": CHOICE, "wordings": {"direct": TEXT}})
    assert (read(task, "", "A").said, read(task, "", "A").main) == ("grain", None)
    short = one({"scorer": {"choice": {"A": "noise", "B": "blur"}}, "wordings": {"direct": TEXT}})
    assert (read(short, "", "A").said, short.scorer.quantities) == ("noise", ())
    scored = {"choice": {"A": {"text": "noise", "score": 0}, "B": {"text": "blur", "score": 30}}}
    assert read(one({"scorer": scored, "wordings": {"direct": TEXT}}), "", "B").values == {"": 30.0}


class Length:
    """How many words a text has: one main value, and one beside it."""

    quantities = (Quantity("words", "words", 0, 50), Quantity("letters", "letters", 0, 500))
    choices = None

    def __init__(self, most: int = 50) -> None:
        self.most = most

    def read(self, text: str, finish: str, wording: object) -> Score:
        return Score("scored", {"words": min(len(text.split()), self.most), "letters": len(text)}, text)


def make(most: int = 3) -> Length:
    return Length(most)


READY = Length(7)


@pytest.mark.parametrize(
    ("spec", "most"),
    [
        (f"{__name__}:Length", 50),
        ({f"{__name__}:Length": {"most": 5}}, 5),
        ({f"{__name__}:make": {}}, 3),
        (f"{__name__}:READY", 7),
        ("length", 50),
        ({"length": {"most": 4}}, 4),
        ("ready", 7),
    ],
)
def test_scorers_of_ones_own_by_path_and_by_name(spec: Any, most: int) -> None:
    task = one({"scorer": spec, "wordings": {"direct": "Say."}}, length=Length, ready=READY)
    assert isinstance(task.scorer, Length)
    assert task.scorer.most == most
    assert task.table()["scorer"] == spec
    score = read(task, "", "two words")
    assert score.values == {"": 2.0, "letters": 9.0}
    assert type(score.main) is float


class Silent:
    quantities = ()
    choices = None


class Listing(Length):
    quantities = [Quantity("words", "words", 0, 50)]  # type: ignore[assignment] # noqa: RUF012


class Twice(Length):
    quantities = (Quantity("lost", "share", 0, 1),)  # type: ignore[assignment]


class Pointless(Length):
    quantities = (Quantity("words", "words", 1, 1),)  # type: ignore[assignment]


class Wordy(Length):
    choices = "yes"  # type: ignore[assignment]


def good(**change: Any) -> dict[str, Any]:
    return {"scorer": CHOICE, "wordings": {"direct": TEXT}} | change


def options(**change: Any) -> dict[str, Any]:
    return good(scorer={"choice": {**CHOICE["choice"], **change}})


def wording(**change: Any) -> dict[str, Any]:
    return good(wordings={"direct": {"text": TEXT} | change})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("text", r"^tasks\.own: a table is needed \(value seen: 'text'\)"),
        (
            good(scorers="grade"),
            r"tasks\.own\.scorers: unknown key; allowed: scorer, wordings, truth, .*\. Did you mean 'scorer'",
        ),
        ({"wordings": {"direct": TEXT}}, r"tasks\.own\.scorer: missing"),
        ({"scorer": "grade"}, r"tasks\.own\.wordings: missing"),
        (good(wordings={}), r"own\.wordings: a table with at least one wording is needed"),
        (good(wordings="How?"), r"own\.wordings: a table .*'How\?'"),
        (good(wordings={"a.b": TEXT}), r"own\.wordings\.a\.b: 'a\.b' cannot be the name of a wording"),
        (good(scorer="grades"), r"own\.scorer: allowed: score_100, .*value seen: 'grades'\)\. Did you mean 'grade'"),
        (good(scorer=3), r"own\.scorer: allowed: .*package\.module:Name \(value seen: 3\)"),
        (good(scorer={"grade": 3}), r"own\.scorer: allowed: .*value seen: \{'grade': 3\}"),
        (good(scorer="nowhere.scorers:Mine"), r"own\.scorer: 'nowhere\.scorers' cannot be imported \(ModuleNotFound"),
        (good(scorer=f"{__name__}:Nobody"), r"own\.scorer: .* has no 'Nobody'"),
        (good(scorer={f"{__name__}:Length": {"least": 1}}), r"cannot be made with \{'least': 1\}: TypeError"),
        (good(scorer={f"{__name__}:READY": {"most": 1}}), "is an object and takes no arguments"),
        (good(scorer=f"{__name__}:Silent"), r"Silent' has no method read\(text, finish, wording\)"),
        (good(scorer=f"{__name__}:Listing"), "has quantities .* a tuple of auditkit.tasks.Quantity is needed"),
        (good(scorer=f"{__name__}:Twice"), r"has quantities named \['lost'\]"),
        (good(scorer=f"{__name__}:Pointless"), "has a quantity whose range is empty"),
        (good(scorer=f"{__name__}:Wordy"), "has choices 'yes'; None or a tuple of texts is needed"),
        (options(B={"text": "noise", "label": "x"}), r"scorer\.choice: two options have the same text"),
        (options(B={"text": "blur", "score": 1}), r"scorer\.choice: some options have a score and some a label"),
        (options(B={"text": "blur"}), r"scorer\.choice\.B: give it either a score or a label"),
        (options(B={"text": "blur", "score": 101}), r"choice\.B\.score: 0 to 100 is allowed \(value seen: 101\)"),
        (options(B={"text": "blur", "lable": "x"}), r"choice\.B\.lable: unknown key; .*Did you mean 'label'"),
        (options(B={"text": 3, "label": "x"}), r"choice\.B\.text: text is needed \(value seen: 3\)"),
        (options(D="ruins"), r"scorer\.choice: the letters are ABD; they must be ABC"),
        (good(scorer={"choice": {"A": "noise"}}), r"scorer\.choice: 2 to 16 options by letter"),
        (good(class_prompts=["an image of {option}"], scorer="grade"), r"they stand for lettered options"),
        (good(class_prompts="{option}"), r"class_prompts: a list of different texts is needed"),
        (good(class_prompts=["{option}", "{option}"]), r"class_prompts: a list of different texts is needed"),
        (good(class_prompts=["an image"]), r"class_prompts: 'an image' must be a text with the slot \{option\}"),
        (good(class_prompts=["{option} in {place}"]), r"must be a text with the slot \{option\} and no other"),
        (
            good(scorer={"choice": {"A": "noise", "B": "smear"}}),
            r"must show \{options\}, or the line 'B\. smear'",
        ),
        (wording(colour=1), r"wordings\.direct\.colour: unknown key"),
        (wording(text=""), r"wordings\.direct\.text: text is needed \(value seen: ''\)"),
        (wording(system=" "), r"wordings\.direct\.system: text is needed"),
        (wording(text="{context} " + TEXT), r"direct\.text: \{context\} must end the text.*Leave \{context\} out"),
        (wording(text=TEXT + "{context}"), r"direct\.text: \{context\} must end the text, on a line of its own"),
        (
            wording(max_new_tokens=0),
            r"direct\.max_new_tokens: a whole number of at least 1 is needed \(value seen: 0\)",
        ),
        (wording(max_new_tokens=True), r"direct\.max_new_tokens: .*True"),
        ({"lung": good()}, r'^tasks\.own: holds the table \'lung\'\. .*quoted: \[tasks\."own\.lung"\]'),
    ],
)
def test_a_slip_is_named(table: Any, message: str) -> None:
    with pytest.raises(AuditkitError, match=message):
        one(table)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"scorer": "grade"}, r"tasks\.quality\.scorer: auditkit ships this task with a scorer"),
        ({"wordings": {"direct": "How good?"}}, r"quality\.wordings\.direct: auditkit ships a wording of this name"),
        ({}, r"tasks\.quality\.wordings: missing"),
        ({"wording": {"x": "y"}}, r"tasks\.quality: holds the table 'wording'|wording: unknown key"),
    ],
)
def test_what_is_shipped_is_added_to_and_not_changed(table: Any, message: str) -> None:
    with pytest.raises(AuditkitError, match=message):
        one(table, "quality")


def test_an_id_that_could_not_be_written_down_is_refused() -> None:
    with pytest.raises(AuditkitError, match=r"'a b' cannot be an id"):
        one(good(), "a b")
    with pytest.raises(AuditkitError, match=r"^tasks: a table is needed"):
        read_tasks([])  # type: ignore[arg-type]


def test_options_are_a_choice() -> None:
    scorer = one(good()).scorer
    assert isinstance(scorer, Choice)
    assert scorer.choices == ("A", "B")


def test_class_prompts_are_part_of_what_a_task_says_of_itself() -> None:
    plain, prompted = one(good()), one(good(class_prompts=["an image  of {option}"]))
    assert prompted.class_prompts == ("an image of {option}",)
    assert prompted.table()["class_prompts"] == ["an image of {option}"]
    assert one(prompted.table()) == prompted != plain
    statements = dict(prompted.statements("It is late."))
    assert statements["A"] == (f"an image of {prompted.scorer.options[0].text}. It is late.",)
    assert plain.statements() == ()


def test_the_letters_of_many_options_leave_out_the_writer() -> None:
    letters = "ABCDEFGHJ"
    lines = "\n".join(f"{letter}. thing {letter}" for letter in letters)
    scorer = {"choice": {letter: f"thing {letter}" for letter in letters}}
    many = one({"scorer": scorer, "wordings": {"direct": f"Which?\n{lines}\nOne."}})
    assert read(many, "", "J").said == "thing J"
    assert read(many, "", "I am not sure.").outcome != "scored"
