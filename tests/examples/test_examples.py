"""Every example runs as its README says, and ends as its README says."""

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/README.md"))


def block(text, language):
    found = re.search(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert found, f"the README has no block {language}"
    return found[1]


def squeezed(text):
    return re.sub(r"[ \t]+", " ", text)


def test_there_are_examples_and_all_are_listed():
    listed = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert len(EXAMPLES) >= 5
    for example in EXAMPLES:
        assert f"({example.name}/README.md)" in listed


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs_as_its_readme_says(example, tmp_path, forked):
    text = (example / "README.md").read_text(encoding="utf-8")
    pytest_, *arguments = block(text, "console").removeprefix("$ ").split()
    assert pytest_ == "pytest"
    assert f"examples/{example.name}" in arguments
    outside = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "GITHUB_", "GITLAB_"))}
    added = ["-p", "no:cacheprovider", "--audit-report=html", f"--audit-out={tmp_path / 'out'}"]
    environment = {**outside, "PYTHONPATH": str(ROOT), "AUDITKIT_SALT": "salt of the examples"}
    done = forked.run("pytest", *arguments, *added, cwd=ROOT, env=environment)
    expected = block(text, "text").splitlines()
    assert done.returncode == ("failed" in expected[-1]), done.stdout + done.stderr
    for line in expected:
        assert squeezed(line) in squeezed(done.stdout), done.stdout
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("*.py")), ids=lambda path: path.name)
def test_examples_use_public_names_only(path):
    import auditkit

    text = path.read_text(encoding="utf-8")
    assert not re.findall(r"(?:from|import) auditkit\.(?!testing)", text)
    for names in re.findall(r"from auditkit import (.*)", text):
        assert set(names.replace(" ", "").split(",")) <= set(auditkit.__all__)
