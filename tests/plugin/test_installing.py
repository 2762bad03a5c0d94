"""How auditkit is installed: every line that says so is right, and another package of the same import name is told."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

from auditkit import version
from auditkit.version import DISTRIBUTION, install_line

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "docs/ci").iterdir())]
FOREIGN = {"vllm", "weasyprint", "sentencepiece"}
"""What the pages and messages ask to be installed beside auditkit."""


def lines_of_docs() -> list[str]:
    """What stands behind ``pip install`` in the pages and recipes, with variables filled in."""
    found = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in re.findall(r'pip install ((?:-\S+ )*(?:"[^"\n]+"|[\w./-]+))', text):
            found[line] = None
    return list(found)


def lines_of_code() -> list[str]:
    """The extras that messages name."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "auditkit").rglob("*.py")))
    assert 'pip install "auditkit' not in code
    return sorted(set(re.findall(r"""install_line\(['"](\w+)['"]\)""", code)))


def test_pages_and_messages_name_extras_that_exist_and_no_strangers_package():
    assert len(lines_of_code()) >= 8
    assert set(lines_of_code()) <= set(EXTRAS)
    assert len(lines_of_docs()) >= 8
    for line in lines_of_docs():
        what = line.split()[-1].strip('"')
        extras = re.search(r"\[([\w,$%{}]+)\]", what)
        if extras is None:
            assert what in FOREIGN, f"pip install {line}"
        else:
            assert re.match(
                r"\.\[|\$AUDITKIT\[|(/tmp/)?(wheels/)?(pytest_auditkit-[\d.]+-py3-none-any\.whl|\$\{WHEEL\})\[", what
            )
            assert extras[1] == "${EXTRAS}" or set(extras[1].split(",")) <= set(EXTRAS), f"pip install {line}"


@pytest.mark.parametrize(
    ("origin", "options", "name", "url"),
    [
        ({"url": "file:///home/me/my%20kit", "dir_info": {"editable": True}}, ["-e"], "/home/me/my kit", None),
        ({"url": "file:///home/me/kit", "dir_info": {}}, [], "/home/me/kit", None),
        ({"url": "file:///w/pytest_auditkit-1-py3-none-any.whl", "archive_info": {}}, [], DISTRIBUTION,
         "file:///w/pytest_auditkit-1-py3-none-any.whl"),
        ({"url": "https://host/kit.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}, [], DISTRIBUTION,
         "git+https://host/kit.git@abc"),
        (None, [], DISTRIBUTION, None),
    ],
    ids=["editable", "folder", "wheel", "repository", "index"],
)  # fmt: skip
def test_the_line_names_what_was_installed(monkeypatch, origin, options, name, url):
    text = None if origin is None else json.dumps(origin)
    installed = SimpleNamespace(version="1.5", read_text=lambda file: text if file == "direct_url.json" else None)
    monkeypatch.setattr(version, "distribution", lambda given: installed if given == DISTRIBUTION else None)
    found = re.fullmatch(r'pip install (-e )?"([^"]+)"', install_line("pdf"))
    assert ([found[1].strip()] if found[1] else []) == options
    if name != DISTRIBUTION:
        assert found[2] == f"{name}[pdf]"
        return
    need = Requirement(found[2])  # as pip reads it
    assert (need.name, need.extras, need.url) == (DISTRIBUTION, {"pdf"}, url)
    assert str(need.specifier) == ("" if url else "==1.5")


def pip(*arguments: str, cwd: Path = ROOT) -> str:
    command = [
        sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--no-index", "--no-build-isolation",
        "--disable-pip-version-check", "--ignore-installed", *arguments,
    ]  # fmt: skip
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PIP_")}
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
def test_pip_would_install_this_package_by_every_line(tmp_path):
    (tmp_path / "wheels").mkdir()
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "wheels")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (tmp_path / "wheels").iterdir()
    ours = [line for line in lines_of_docs() if line.strip('"') not in FOREIGN]
    ours += [install_line(extra).removeprefix("pip install ") for extra in lines_of_code()]
    assert any(wheel.name in line for line in ours), "the pages name a wheel that is not built"
    for line in ours:
        # Whether in place or not, what pip reads is the same; to make it editable takes a package from an index.
        where, _, extras = (
            line.replace("${EXTRAS}", "demo,pdf").removeprefix("-e ").split()[-1].strip('"').partition("[")
        )
        said = pip(f"{wheel if where.endswith(('.whl', '{WHEEL}', '$AUDITKIT')) else where}[{extras}")
        assert f"Would install {DISTRIBUTION}-{PROJECT['version']}" in said, line
        assert "does not provide the extra" not in said, line


@pytest.fixture
def strangers(tmp_path):
    """An environment in which somebody else's auditkit was installed over this one."""
    (tmp_path / "auditkit").mkdir()
    (tmp_path / "auditkit/__init__.py").write_text("raise ImportError('not the auditkit you meant')\n")
    (tmp_path / "auditkit-7.1.dist-info").mkdir()
    (tmp_path / "auditkit-7.1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: auditkit\nVersion: 7.1\n")
    (tmp_path / "test_own.py").write_text("def test_of_ones_own():\n    pass\n")

    def run(*command):
        environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
        environ |= {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        return subprocess.run(
            [sys.executable, *command],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


SAID = "two packages that are both imported as auditkit are installed here: pytest-auditkit, and auditkit 7.1"
TYPE = "Type: pip uninstall --yes auditkit pytest-auditkit"


def test_an_audit_beside_a_strangers_package_is_refused_with_the_line_to_type(strangers):
    done = strangers("-m", "pytest", "-p", "pytest_auditkit", "audits", "--model=reference")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert SAID in done.stderr
    assert TYPE in done.stderr


def test_the_command_beside_a_strangers_package_says_the_same(strangers):
    done = strangers("-c", "import sys, pytest_auditkit; sys.exit(pytest_auditkit.main())")
    assert done.returncode == 4
    assert SAID in done.stderr
    assert "Traceback" not in done.stderr


def test_a_session_that_audits_nothing_goes_on_beside_a_strangers_package(strangers):
    done = strangers("-m", "pytest", "-p", "pytest_auditkit", "test_own.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert SAID in done.stdout
    assert "1 passed" in done.stdout
