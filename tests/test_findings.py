"""The page of published findings: every source and every family is on it, and its commands ask what their row says."""

import re
from pathlib import Path

import pytest

import auditkit
from auditkit import shipped, tasks

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
FOLDERS = {"audits": "audits", **{name: f"packs/{name}" for name in tasks.PACKS}}
MODULES = {"shipped": shipped, **{name: getattr(auditkit, name) for name in tasks.PACKS}}
TEST = re.compile(r'@pytest\.mark\.parametrize\("effect", (\w+)\.(\w+)\(\), ids=str\)\ndef (test_\w+)\(')
COMMAND = re.compile(r'`pytest (\w+)/ [^`]*-k ("[^"`]+"|\w+)`')
FILES = {folder: sorted((ROOT / path).glob("test_*.py")) for folder, path in FOLDERS.items()}


def asked(folder: str) -> list[tuple[str, str]]:
    """Return what pytest matches ``-k`` with, and the family, of every audit of a folder."""
    return [
        (f"{file.name} {test}[{effect}]".lower(), effect.family)
        for file in FILES[folder]
        for module, function, test in TEST.findall(file.read_text(encoding="utf-8"))
        for effect in getattr(MODULES[module], function)()
    ]


def picks(expression: str, name: str) -> bool:
    """Whether an expression of words, ``and``, ``or``, ``not`` and brackets picks a name, as pytest's ``-k`` does."""
    words = re.sub(r"[\w.]+", lambda m: m[0] if m[0] in {"and", "or", "not"} else str(m[0] in name), expression)
    return bool(eval(words, {"__builtins__": {}}))


def rows() -> list[tuple[str, str, str]]:
    """Return every command of the tables: folder, expression, and the cell that names families."""
    found = []
    for line in PAGE.splitlines():
        if line.startswith("|") and (command := COMMAND.search(line)):
            found.append((command[1], command[2].strip('"'), line.split(" | ")[2]))
    return found


def test_every_command_of_a_pack_or_of_the_shipped_audits_is_read():
    commands = re.findall(r"`pytest (\w+)/", PAGE)
    assert len(rows()) > 25
    assert len(rows()) == sum(name in FOLDERS for name in commands) - PAGE.count("`pytest audits/`")


@pytest.mark.parametrize(("folder", "expression", "families"), rows())
def test_a_command_asks_every_family_of_its_row_that_its_folder_has(folder, expression, families):
    audits = asked(folder)
    picked = {family for name, family in audits if picks(expression, name)}
    stated = {name for name in re.findall(r"`(\w+)`", families) if name in {family for _, family in audits}}
    first = re.findall(r"`(\w+)`", re.split(r"of scores|auditkit's corruptions", families)[0])
    assert stated.intersection(first), families
    assert stated.intersection(first) <= picked


def test_every_source_of_an_audit_is_linked():
    text = "".join(file.read_text(encoding="utf-8") for files in FILES.values() for file in files)
    for kind, number in set(re.findall(r'"(arXiv|doi):([\w./-]+)', text)):
        assert f"](https://{'arxiv.org/abs' if kind == 'arXiv' else 'doi.org'}/{number})" in PAGE, number


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_family_is_named(folder):
    audits = asked(folder)
    assert audits
    assert {family for _, family in audits} - set(re.findall(r"`(\w+)`", PAGE)) == set()
