"""The tables of docs/tasks.md are tasks as they stand there."""

import re
import tomllib
from pathlib import Path

from auditkit.tasks import read_tasks
from tests.judge.build import protocol

PAGE = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text(encoding="utf-8")


def test_every_table_of_the_page_is_a_task():
    found = {}
    for block in re.findall(r"```toml\n(.*?)```", PAGE, re.S):
        found |= tomllib.loads(block).get("tasks", {})
    assert list(found) == ["chest.pneumonia", "quiz", "sharper", "description", "decided", "description.people"]
    tasks = read_tasks(found)
    assert tasks["chest.pneumonia"].right({"label": "Viral  Pneumonia"}) == "pneumonia"
    assert tasks["sharper"].pictures == 2
    catalogue = protocol().model_copy(update={"tasks": found}).catalogue
    assert catalogue.task("decided").of == "description"


def test_the_task_of_the_page_on_dual_encoders():
    text = (Path(__file__).parents[2] / "docs" / "dual-encoders.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```toml\n(.*?)```", text, re.S)
    [task] = read_tasks(tomllib.loads(block)["tasks"]).values()
    assert dict(task.statements())["A"] == ("a medical image of clear lungs", "a chest radiograph showing clear lungs")
    assert task.right({"label": "normal"}) == "normal"


def test_the_audits_of_the_page_are_effects():
    [code] = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.S) if "KNOWS" in block]
    names: dict = {}
    exec(compile(code, "docs/tasks.md", "exec"), names)
    [skill], [loss] = names["KNOWS"], names["LOSES"]
    assert skill.parts[0].balanced == "truth.chest.pneumonia"
    assert loss.parts[0].provided == skill.parts[0]
