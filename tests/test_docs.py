"""What the documents tell users to type is there: options, commands, files and headings that links go to."""

import argparse
import re
from pathlib import Path

import pytest

from auditkit.cli import COMMANDS
from auditkit.plugin.alias import ALIAS, OPTION
from auditkit.plugin.options import OPTIONS

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.md")])
OF_PYTEST = {"--junitxml", "--collect-only", "--help", "--tb", "--durations", "--verbose"}


@pytest.fixture(scope="module")
def of_a_run() -> set[str]:
    return {ALIAS, *OPTIONS}


@pytest.fixture(scope="module")
def of_commands() -> dict[str, set[str]]:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    for command in COMMANDS:
        command.add(commands)
    return {name: set(re.findall(r"--[a-z][a-z-]*", one.format_help())) for name, one in commands.choices.items()}


def commands(page: Path, start: str) -> list[str]:
    """Return the lines and code spans that begin with a command, without the comment behind it."""
    text = page.read_text(encoding="utf-8")
    spans = [*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^(?: {4}|\$ )(.+)$", text, re.M)]
    return [span.partition(" #")[0] for span in spans if span.startswith(f"{start} ")]


def named(words: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", words))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_options_exist(page, of_a_run, of_commands):
    known = of_a_run.union(*of_commands.values())
    ours = {name.rstrip("-") for name in named(page.read_text(encoding="utf-8")) if name.startswith("--audit-")}
    assert ours <= known
    for command in commands(page, "pytest"):
        assert named(command) <= of_a_run | OF_PYTEST, command
    for command in commands(page, "auditkit"):
        name = command.split()[1]
        if not name.isalpha():
            continue
        assert name in of_commands, command
        # `auditkit run` hands what it does not know to pytest.
        more = of_a_run | OF_PYTEST if name == "run" else set()
        assert named(command) <= of_commands[name] | more, command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_values_of_options_stand_behind_an_equals_sign(page):
    """After a space pytest may take a path for a place of tests, and move its root folder there."""
    for command in commands(page, "pytest"):
        for name, after in re.findall(r"(?<![\w-])(--model|--audit-[a-z-]+)(.?)", command):
            takes = "metavar" in OPTIONS[OPTION if name == ALIAS else name]
            assert not takes or after == "=", command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_audit_that_is_printed_states_a_criterion(page):
    lines = page.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if found := re.match(r"( *)def test_\w+\(.*\baudit\b.*\):(.*)", line):
            body = [found[2]]
            for below in lines[number + 1 :]:
                if below.strip() and not below.startswith(f"{found[1]} "):
                    break
                body.append(below)
            assert re.search(r"\baudit\.(within|at_most|at_least|shows)\(", "\n".join(body)), line


def slugs(page: Path) -> set[str]:
    """Return the anchors of a page as GitHub makes them of its headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith(("http:", "https:")):
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in slugs(target), link


def test_documents_that_messages_name_are_there():
    text = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("auditkit/**/*.py"))
    found = set(re.findall(r"\bdocs/[a-z-]+\.md", text))
    assert "docs/troubleshooting.md" in found
    assert [name for name in found if not (ROOT / name).exists()] == []


def test_every_page_is_listed_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = {page.name for page in PAGES if f"docs/{page.name}" in readme}
    assert {page.name for page in ROOT.glob("docs/*.md")} - listed == set()
