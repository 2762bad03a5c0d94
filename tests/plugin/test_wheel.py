"""The wheel as its users get it: what is in it, and an audit from an environment that holds nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from auditkit.evidence import Evidence
from auditkit.version import code_version
from tests.plugin.conftest import write_pictures
from tests.plugin.stubs import MODELS

ROOT = Path(__file__).resolve().parents[2]
N_PICTURES = 32


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built by the project's own build backend, from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_holds_the_package_its_data_and_the_audits_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "auditkit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert package <= names
    for name in ("report/templates/report.html.j2", "plugin/hooks.py", "models/reference/checkpoint/model.safetensors"):
        assert f"auditkit/{name}" in names
    audits = {path.name: path.read_bytes() for path in (ROOT / "audits").iterdir() if path.suffix in (".py", ".toml")}
    assert "protocol.toml" in audits
    for name, content in audits.items():
        assert zipfile.ZipFile(wheel).read(f"auditkit/cli/starter/audits/{name}") == content
    packs = {
        f"auditkit/cli/starter/{path.relative_to(ROOT).as_posix()}": path.read_bytes()
        for path in (ROOT / "packs").rglob("*")
        if path.suffix in (".py", ".toml")
    }
    assert "auditkit/cli/starter/packs/diagnosis/protocol.toml" in packs
    for name, content in packs.items():
        assert zipfile.ZipFile(wheel).read(name) == content
    others = names - package - {f"auditkit/cli/starter/audits/{name}" for name in audits} - packs.keys()
    dist_info = f"{wheel.name.split('-py3')[0]}.dist-info"
    assert {name.split("/")[0] for name in others} == {dist_info, "pytest_auditkit.py"}


def oldest() -> str:
    """The oldest versions that the project allows of its base dependencies, as pip's constraints."""
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return "\n".join(need.replace(">=", "==") for need in needs)


@pytest.mark.slow
@pytest.mark.parametrize("versions", ["newest", "oldest"])
def test_an_audit_from_an_empty_environment(wheel, tmp_path, versions):
    """Installs the base dependencies, the newest that pip finds or the oldest allowed (150 MB, kept in its cache)."""
    venv.create(tmp_path / "env", with_pip=True)
    scripts = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    work = tmp_path / "work"
    work.mkdir()
    environ = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST", "GITHUB_", "GITLAB_", "CI_"))
    }
    environ |= {
        "PATH": f"{scripts}{os.pathsep}{environ['PATH']}",
        "AUDITKIT_SALT": "salt of the tests",
        "PYTHONPATH": str(work),
    }

    def run(*words, code=0):
        done = subprocess.run(words, cwd=work, env=environ, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    (work / "versions.txt").write_text(oldest() if versions == "oldest" else "")
    run("python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", "versions.txt", str(wheel))
    there = {p["name"].lower(): p["version"] for p in json.loads(run("python", "-m", "pip", "list", "--format=json"))}
    assert "pytest-auditkit" in there
    assert versions == "newest" or there["numpy"].startswith("1.")
    assert there.keys().isdisjoint({"torch", "transformers", "weasyprint", "pydicom", "hypothesis", "pytest-xdist"})

    (work / "stub_models.py").write_text(MODELS)
    (work / "pictures").mkdir()
    write_pictures(work / "pictures", N_PICTURES)
    run("auditkit", "init")
    protocol = (work / "audits/protocol.toml").read_text().replace("0.10", "0.12")
    # no two of these pictures show one person
    protocol = protocol.replace("files_as_patients = false", "files_as_patients = true")
    (work / "audits/protocol.toml").write_text(protocol)
    assert "you changed it" in run("auditkit", "init", "--diff")
    listed = run("pytest", "audits/", "--collect-only", "-q")
    out = run(
        "pytest", "audits/", "--model=stub_models:base", "--audit-data=pictures", "--audit-out=out",
        "--junitxml=out/junit.xml", "-q", code=1,
    )  # fmt: skip
    record = Evidence.from_json((work / "out/evidence.json").read_text())
    assert record.data.n_images == N_PICTURES
    assert record.not_run == []
    # The pictures are of no kind that is known, so that what kind they are cannot be asked; all else is.
    why = [e.get("message", "") for e in ElementTree.parse(work / "out/junit.xml").iter("skipped")]
    cannot = ("no image is of a kind that modality asks about", "no image can be asked modality")
    not_asked = [w for w in why if w.startswith(cannot)]
    assert {w.split(":")[0].rstrip(".") for w in not_asked} == set(cannot)
    assert len(record.audits) == listed.count("::") - len(not_asked)
    assert record.verdict == "FAIL", "the stub does not see that images get worse"
    assert {a.verdict for a in record.audits if a.family == "repeatability"} == {"PASS"}
    # The installed files are, to the letter, those of the checkout that the wheel was built from.
    assert record.run.packages["auditkit"] == code_version()
    assert record.protocol.criteria["families"]["repeatability"]["at_most"] == 0.12
    assert "report.pdf was not written" in out
    assert not (work / "out/report.pdf").exists()
    page = (work / "out/report.html").read_text()
    assert record.sentence in page
    (work / "out/report.html").unlink()
    run("auditkit", "report", "out/evidence.json")
    assert (work / "out/report.html").read_text() == page
    assert "reference" in run("auditkit", "models")
