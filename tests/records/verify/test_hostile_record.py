"""Numbers, marks and trees that no run writes: every command says so in a sentence, with its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from auditkit.cli import main
from auditkit.evidence.possible import impossible, is_number
from tests.records.verify.conftest import Made
from tests.records.verify.test_record_tampered import METADATA, one_mark, put

Edit = Callable[[Any], object]


def deep(levels: int) -> Any:
    tree: Any = 1
    for _ in range(levels):
        tree = {"a": tree}
    return tree


def seed(text: str) -> Callable[[Any], str]:
    """Return what writes a record with this for a seed: what Python itself would not write."""

    def edit(tree: Any) -> str:
        tree["protocol"]["criteria"]["seed"] = "@"
        return json.dumps(tree, indent=1, sort_keys=True).replace('"@"', text)

    return edit


LAST = ("parts", 0, "terms", 0, "weight")
# What verify ends with: 1 where the file can be read and is no record, 4 where it cannot be read.
HOSTILE: dict[str, tuple[Edit, int, str]] = {
    "mark beyond the scale": (lambda t: one_mark(t, "101"), 1, "101 lies beyond the scale, 0 to 100"),
    "mark below the scale": (lambda t: one_mark(t, "-5"), 1, "-5 lies beyond the scale"),
    "endless mark": (lambda t: one_mark(t, "1e400"), 1, "is no mark of an answer"),
    "mark that is not a number": (lambda t: one_mark(t, "nan"), 1, "is no mark of an answer"),
    "mark that only Python reads": (lambda t: one_mark(t, "1_0"), 1, "is no mark of an answer"),
    "mark of other digits": (lambda t: one_mark(t, "\u0661"), 1, "is no mark of an answer"),
    "long mark": (lambda t: one_mark(t, "9" * 5000), 1, "is no mark of an answer"),
    "huge count": (put("data", "n_images", 10**400), 1, "data.n_images: a number beyond 1e+15"),
    "huge estimate": (put("audits", METADATA, "estimate", "value", 1e308), 1, "a number beyond 1e+15"),
    "endless limit": (put("audits", METADATA, "limit", "within", float("inf")), 1, "not finite"),
    "weight that is not a number": (put("audits", METADATA, "definition", *LAST, float("nan")), 1, "not finite"),
    "huge level": (put("audits", METADATA, "parts", 0, "level", 10**50), 1, "a number beyond 1e+15"),
    "deep criteria": (put("protocol", "criteria", "notes", deep(100)), 1, "more than 40 levels deep"),
    "criteria without end": (seed('{"a":' * 3000 + "1" + "}" * 3000), 4, ""),
    "integer of 5,000 digits": (seed("9" * 5000), 4, ""),
}


@pytest.mark.parametrize(("edit", "code", "words"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_record_is_refused_with_a_sentence(made: Made, tmp_path, capsys, edit: Edit, code, words):
    sound = tmp_path / "sound.json"
    sound.write_text(made.record.read_text())
    tree = json.loads(made.record.read_text())
    text = edit(tree)
    content = text if isinstance(text, str) else json.dumps(tree, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    (made.folder / "report.html").unlink()
    made.record.write_text(content)
    given = str(made.record)
    assert main(["verify", given, f"--store={made.store}", f"--audit-data={made.images}"]) == code
    shown = capsys.readouterr()
    assert words in shown.out + shown.err
    for command in (
        ["compare", given, str(sound), f"--out={tmp_path / 'c.html'}"],
        ["report", given, f"--html={tmp_path / 'r.html'}"],
        ["card", given],
        ["card", given, "--format=chai"],
    ):
        assert main(command) == 4, command
        shown = capsys.readouterr()
        assert words in shown.err
        assert shown.err.startswith("auditkit: ")


def test_numbers_of_a_record_and_others():
    """By hand: the ends of what is allowed, and what only looks like a number."""
    assert [impossible({"a": [x]}) for x in (1e15, -(10**15), True, None, "nan", 0.5)] == [""] * 6
    assert all(impossible({"a": [x]}).startswith("a.0: ") for x in (1.1e15, 10**15 + 1, float("inf"), float("nan")))
    assert all(map(is_number, ("0", "-0", "16.666667", "1e+08", "1.2345678e-05")))
    assert not any(map(is_number, ("", "inf", "1e400", "1e+16", "0x1", "1_0", " 1", "1\n", "+", "1.")))
