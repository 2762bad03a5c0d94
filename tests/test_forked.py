"""A command run in a fork says, leaves and ends as with an interpreter of its own."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, sys
print(os.environ.get("GIVEN"), os.environ.get("HOME"), os.getcwd(), sys.argv[1:], __name__)
print("and this", file=sys.stderr)
sys.path.index(os.getcwd())
open("left", "a").write("once ")
if "--exit" in sys.argv:
    sys.exit(sys.argv[-1] if sys.argv[-1] == "why" else 7)
if "--raise" in sys.argv:
    raise ValueError("seen")
"""


@pytest.mark.parametrize("arguments", [(), ("--exit",), ("--exit", "why"), ("--raise",)], ids=" ".join)
def test_a_fork_is_a_process_of_its_own(forked, tmp_path, arguments):
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    environment = {"GIVEN": "ä", "PATH": os.environ["PATH"], "PYTHONUTF8": "1"}
    own = subprocess.run(
        [sys.executable, "-m", "script", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    fork = forked.run("script", *arguments, cwd=tmp_path, env=environment)
    assert (fork.returncode, fork.stdout) == (own.returncode, own.stdout)
    assert fork.stderr.splitlines()[0] == own.stderr.splitlines()[0] == "and this"
    assert fork.stderr.splitlines()[-1] == own.stderr.splitlines()[-1]
    assert (tmp_path / "left").read_text(encoding="utf-8") == "once once "
    assert os.environ.get("GIVEN") is None


def test_no_library_of_models_is_loaded_beforehand(forked, tmp_path):
    code = "import sys\nprint(sorted({'torch', 'transformers', 'ray', 'weasyprint'} & set(sys.modules)))\n"
    (tmp_path / "loaded.py").write_text(code, encoding="utf-8")
    assert forked.run("loaded", cwd=tmp_path, env=os.environ).stdout == "[]\n"
