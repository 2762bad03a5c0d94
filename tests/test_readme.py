"""The README's generated block is what the program says today."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def options_block() -> str:
    from auditkit.plugin.options import OPTIONS

    rows = ["| option | meaning |", "|---|---|"]
    for name, settings in OPTIONS.items():
        value = f"={settings['metavar']}" if "metavar" in settings else ""
        rows.append(f"| `{name}{value}` | {settings['help']} |")
    return "\n".join(rows)


def test_options_in_the_readme_are_those_of_the_plugin():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- begin: options -->\n(.*?)\n<!-- end: options -->", text, re.DOTALL)
    assert found, "the README has lost its options block"
    assert found[1] == options_block(), "paste this into the README:\n" + options_block()


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text(encoding="utf-8")))
def test_links_of_the_readme_lead_somewhere(link):
    assert (ROOT / link).exists()


def test_the_command_line_explains_itself():
    done = subprocess.run([sys.executable, "-m", "auditkit.cli", "--help"], capture_output=True, text=True, check=True)
    for command in ("run", "models", "report", "schema"):
        assert command in done.stdout
