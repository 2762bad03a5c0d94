"""Every field of a real record, changed alone: `verify` finds it, or it is listed as one that nothing looks at."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from auditkit.ask.store import Store
from auditkit.evidence import Evidence
from auditkit.records.verify.checks import Check, exit_code
from auditkit.records.verify.criteria import check_history, check_protocol
from auditkit.records.verify.described import check_described
from auditkit.records.verify.record import check_record
from auditkit.records.verify.unchecked import UNCHECKED, listed
from tests.records.verify.conftest import Made

Path_ = tuple[str | int, ...]
# What takes the answers and the audits judged again: seconds for each field.
SLOW = ("audits", "answers")


def leaves(tree: Any, at: Path_ = ()) -> Iterator[Path_]:
    """Yield the way to every value that holds no others."""
    if isinstance(tree, dict | list) and tree:
        places = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for place, below in places:
            yield from leaves(below, (*at, place))
    elif not isinstance(tree, dict | list):
        yield at


def name(at: Path_) -> str:
    return "".join("[]" if isinstance(step, int) else f".{step}" for step in at).lstrip(".")


def changed(tree: Any, at: Path_) -> Any:
    """Return a copy with another value there: a number by more than any rounding, a text by a word."""
    other = copy.deepcopy(tree)
    holder = other
    for step in at[:-1]:
        holder = holder[step]
    value = holder[at[-1]]
    if value is None:
        holder[at[-1]] = 1
    elif isinstance(value, bool):
        holder[at[-1]] = not value
    else:
        holder[at[-1]] = value + 1 if isinstance(value, int | float) else f"{value} x"
    return other


def is_listed(field: str) -> bool:
    return any(re.fullmatch(re.escape(known).replace(r"\*", "[^.]+"), field) for known in UNCHECKED)


def one_of_each(tree: Any) -> dict[str, Path_]:
    found: dict[str, Path_] = {}
    for at in leaves(tree):
        found.setdefault(name(at), at)
    return found


def without_images(evidence: Evidence, store: Store) -> list[Check]:
    """Make the checks that take no answer and no picture."""
    alone = [*check_record(evidence), *check_protocol(evidence)]
    return [*alone, check_history(evidence, store), check_described(evidence, store)]


def test_every_field_that_describes_the_run_is_held_against_something_or_listed(made: Made):
    tree = json.loads(made.record.read_text())
    silent = []
    with closing(Store(str(made.store))) as store:
        assert exit_code(without_images(Evidence.from_json(json.dumps(tree)), store)) == 0
        for field, at in one_of_each(tree).items():
            if field.startswith(SLOW):
                continue
            try:
                evidence = Evidence.from_json(json.dumps(changed(tree, at)))
            except ValidationError:
                continue
            if exit_code(without_images(evidence, store)) == 0:
                silent.append(field)
    # A record of another schema is refused before.
    assert [field for field in silent if not is_listed(field)] == ["schema_version"]
    assert {field.split(".")[1] for field in silent if field.startswith("run")} >= {"id", "finished", "command"}


SHARES = 16


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
def test_every_field_of_the_record_is_held_against_something_or_listed(made: Made, share):
    """The whole of `verify`, for one of each field of audits and answers."""
    (made.folder / "report.html").unlink()
    tree = json.loads(made.record.read_text())
    fields = [(field, at) for field, at in one_of_each(tree).items() if field.startswith(SLOW)]
    silent = []
    for field, at in fields[share::SHARES]:
        other = json.dumps(changed(tree, at), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        made.record.write_text(other)
        if made.code() == 0:
            silent.append(field)
    assert [field for field in silent if not is_listed(field)] == []


@pytest.mark.parametrize(
    ("key", "other", "said"),
    [
        ("task", "qualty", "there is no task 'qualty'"),
        ("wording", "bluntly", "there is no wording of task 'quality' 'bluntly'"),
        ("condition", [["jpg", 3]], "there is no perturbation 'jpg'"),
        ("value", "scores", "there is no value of task 'quality' 'scores'"),
    ],
)
def test_an_audit_of_what_the_protocol_does_not_have_is_named(made: Made, key, other, said):
    tree = json.loads(made.record.read_text())
    audit = next(a for a in tree["audits"] if a["definition"]["parts"][0]["terms"][0]["task"] in ("", "quality"))
    audit["definition"]["parts"][0]["terms"][0][key] = other
    made.record.write_text(json.dumps(tree))
    [check] = [check for check in made.verify() if check.words.startswith("audits of what the protocol does not have")]
    assert len(check.details) == 1
    assert check.details[0].startswith(f"{audit['id']}: {said}")
    assert made.code() == 1


def test_the_list_in_the_documentation_is_the_one_in_the_code():
    page = Path(__file__).parents[3] / "docs" / "integrity.md"
    assert listed() in page.read_text()
