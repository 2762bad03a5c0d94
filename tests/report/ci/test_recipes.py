"""The recipes of docs/ci.md: what they name exists, and their steps do what the page says as far as they can run here.

Not run: the steps that install from the network, and the actions of GitHub itself.
"""

from __future__ import annotations

import http.server
import json
import os
import re
import shlex
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest
import yaml

from auditkit.cli import _parser
from auditkit.evidence import Evidence
from auditkit.plugin.alias import ALIAS
from auditkit.plugin.options import OPTIONS
from tests.plugin.stubs import FORGETFUL, MODELS
from tests.plugin.test_workers import RERUNS

DOCS = Path(__file__).resolve().parents[3] / "docs"
GITHUB = yaml.safe_load((DOCS / "ci/github-workflow.yml").read_text(encoding="utf-8"))
GITLAB = yaml.safe_load((DOCS / "ci/gitlab-ci.yml").read_text(encoding="utf-8"))["audit"]
CONTAINER = (DOCS / "ci/Containerfile").read_text(encoding="utf-8")
PAGE = (DOCS / "ci.md").read_text(encoding="utf-8")
STEPS = {step["name"]: step for step in GITHUB["jobs"]["audit"]["steps"] if "name" in step}


@pytest.mark.parametrize("name", sorted(p.name for p in (DOCS / "ci").iterdir()))
def test_the_page_holds_the_recipes_word_for_word(name):
    found = re.search(rf"<!-- begin: ci/{name} -->\n```\w+\n(.*?)```\n<!-- end: ci/{name} -->", PAGE, re.DOTALL)
    assert found, f"docs/ci.md has lost {name}"
    assert found[1] == (DOCS / "ci" / name).read_text(encoding="utf-8")


def test_every_option_of_the_plugin_that_is_named_exists():
    named = set(re.findall(r"--audit-[a-z-]+|--model", PAGE))
    assert {"--model", "--audit-baseline", "--audit-allow-inconclusive"} <= named
    assert named <= {ALIAS, *OPTIONS}


def test_every_command_of_auditkit_that_is_named_exists():
    named = re.findall(r"(?:`|^\$ )(auditkit [^`#\n]+)", PAGE, re.MULTILINE)
    assert len(named) >= 3
    for line in named:
        options, rest = _parser().parse_known_args(shlex.split(line)[1:])
        assert not rest, line
        assert callable(options.do)


def test_extras_system_packages_and_the_wheels_name_are_the_projects_own():
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installs = [STEPS["Install"]["run"], "\n".join(GITLAB["before_script"]), CONTAINER]
    extras = re.findall(
        r"(?:whl|AUDITKIT)\[([a-z,]+)\]|EXTRAS=([a-z,]+)|`([a-z]+,pdf|local,[a-z,]+)`", "\n".join([*installs, PAGE])
    )
    assert len(extras) >= 5
    for words in extras:
        assert set("".join(words).split(",")) <= set(project["optional-dependencies"])
    packages = [set(re.findall(r"\blib[a-z0-9.-]*[0-9]", text)) for text in installs]
    assert packages[0] == packages[1] == packages[2] != set()
    wheels = set(re.findall(r"pytest_auditkit-[0-9.]+-py3-none-any\.whl", PAGE))
    assert wheels == {f"pytest_auditkit-{project['version']}-py3-none-any.whl"}
    assert "pip install auditkit" not in PAGE, "that is somebody else's package"


def test_answers_are_cached_without_the_salt_and_kept_when_the_gate_is_shut():
    for name in ("Answers of earlier runs", "Keep the answers"):
        assert STEPS[name]["with"]["path"] == GITLAB["cache"]["paths"][0] == ".auditkit/answers.sqlite*"
    assert STEPS["Answers of earlier runs"]["with"]["key"] == STEPS["Keep the answers"]["with"]["key"]
    assert STEPS["Keep the answers"]["if"] == STEPS["Keep the evidence"]["if"] == "always()"
    assert GITLAB["cache"]["when"] == GITLAB["artifacts"]["when"] == "always"
    order = list(STEPS)
    assert order.index("Answers of earlier runs") < order.index("Audit") < order.index("Keep the answers")


def script_of(name):
    if name == "gitlab":
        return "\n".join(GITLAB["script"])
    return STEPS[name]["run"]


@pytest.mark.parametrize("name", ["Install", "Baseline", "Audit", "gitlab"])
def test_every_script_is_a_script(name):
    subprocess.run(["bash", "-n"], input=script_of(name), text=True, check=True)


def run(name, folder, **environ):
    """Run a step as the CI does: with bash, ending at the first command that fails."""
    given = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "CI_"))}
    given["PATH"] = os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), given["PATH"]])
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script_of(name)],
        cwd=folder, env={**given, **environ}, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


GH = """#!/usr/bin/env bash
# Stands in for GitHub's command line: one green run with one artefact, or none.
if [ "$1 $2" = "run list" ]; then
  [[ "$*" == *"--branch main --event push --status success"* ]] && cat green
elif [ "$1 $2 $3" = "run download $(cat green)" ]; then
  [ -d artefact ] || { echo "artifact expired" >&2; exit 1; }
  mkdir -p "$7" && cp -r artefact/. "$7"
else
  exit 2
fi
"""


@pytest.fixture
def gh(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gh").write_text(GH)
    (tmp_path / "bin/gh").chmod(0o755)
    (tmp_path / "green").write_text("")
    return tmp_path


def baseline(folder, **environ):
    given = {"GITHUB_WORKFLOW": "audit", "BASELINE": GITHUB["jobs"]["audit"]["env"]["BASELINE"], **environ}
    return run("Baseline", folder, **given)


def test_the_github_baseline_is_the_evidence_of_the_last_green_run(gh):
    (gh / "green").write_text("4242")
    (gh / "artefact").mkdir()
    (gh / "artefact/evidence.json").write_text("{}")
    assert baseline(gh).returncode == 0
    assert (gh / "baseline/evidence.json").read_text() == "{}"


def test_a_github_baseline_that_is_lost_fails_the_job_with_the_reason(gh):
    (gh / "green").write_text("4242")
    expired = baseline(gh)
    assert (expired.returncode, expired.stderr) == (1, "artifact expired\n")
    (gh / "artefact").mkdir()
    (gh / "artefact/report.html").write_text("")
    empty = baseline(gh)
    assert empty.returncode == 1
    assert "Run 4242 on main is green, but its artefact has no evidence.json: run main again." in empty.stdout


def test_only_the_first_github_run_goes_without_a_baseline_and_says_so(gh):
    none = baseline(gh)
    assert none.returncode == 1
    assert "No green run of audit on main, so no baseline. Is it the first one? Set BASELINE to optional" in none.stdout
    first = baseline(gh, BASELINE="optional")
    assert first.returncode == 0
    assert "audited without a baseline, because BASELINE is optional" in first.stdout
    (gh / "green").write_text("4242")
    assert baseline(gh, BASELINE="optional").returncode == 1, "an expired one must fail all the same"


TWICE = "baseline/repeatability/asked-twice"


def became_worse(folder):
    """The comparisons with the baseline that a run failed."""
    record = Evidence.from_json((folder / "audit-out/evidence.json").read_text())
    return {audit.id for audit in record.audits if audit.verdict == "FAIL" and audit.id.startswith("baseline/")}


@pytest.mark.slow
def test_the_github_audit_step_gates_and_takes_the_baseline(on_github):
    folder = on_github.path
    (folder / "stub_models.py").write_text(MODELS + FORGETFUL)
    given = {
        "MODEL": "stub_models:base", "DATA": "pictures", "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(folder),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
    }  # fmt: skip
    done = run("Audit", folder, **given)
    assert done.returncode == 1, done.stdout + done.stderr
    assert {p.name for p in (folder / "audit-out").iterdir()} >= {"evidence.json", "report.html", "junit.xml"}
    assert "✗ FAIL" in (folder / "summary.md").read_text()
    (folder / "baseline").mkdir()
    (folder / "audit-out/evidence.json").rename(folder / "baseline/evidence.json")
    done = run("Audit", folder, **given)
    assert done.returncode == 1, done.stdout + done.stderr
    record = Evidence.from_json((folder / "audit-out/evidence.json").read_text())
    assert [(r.role, r.problem) for r in record.references] == [("baseline", "")]
    assert record.run.probes.asked == 0, "the store that the recipes cache was not used"
    assert became_worse(folder) == set()
    done = run("Audit", folder, **given | {"MODEL": "stub_models:forgetful"})
    assert done.returncode == 1
    assert became_worse(folder) == {TWICE}
    assert "worse by" in (folder / "summary.md").read_text()


@pytest.mark.slow
def test_a_github_job_whose_worker_dies_loses_nothing_and_is_not_green(on_github):
    folder = on_github.path
    given = {"MODEL": "stub_models:base", "DATA": "pictures", "GITHUB_ACTIONS": "true", "PYTEST_ADDOPTS": "-n 2"}
    on_github.makeconftest(RERUNS)
    done = run("Audit", folder, **given)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "node down" in done.stdout
    record = Evidence.from_json((folder / "audit-out/evidence.json").read_text())
    assert len(record.audits) == 14, "all that the bench's file has"


NONE = b'{"message":"404 Not Found"}'


class Artefacts(http.server.BaseHTTPRequestHandler):
    """GitLab's artefact address of one project, as the job asks for it."""

    def do_GET(self):
        answer = self.server.answer
        wanted = "/api/v4/projects/7/jobs/artifacts/main/raw/audit-out/evidence.json?job=audit"
        if self.path != wanted or self.headers["JOB-TOKEN"] != "token":
            answer = (404, b'{"message":"404 Project Not Found"}')
        self.send_response(answer[0])
        self.end_headers()
        self.wfile.write(answer[1])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def gitlab():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Artefacts)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def job(server, folder, **changed):
    given = {
        "CI_API_V4_URL": f"http://127.0.0.1:{server.server_port}/api/v4", "CI_PROJECT_ID": "7", "CI_JOB_NAME": "audit",
        "CI_DEFAULT_BRANCH": "main", "CI_JOB_TOKEN": "token", "CI_PROJECT_DIR": str(folder), "GITLAB_CI": "true",
        "MODEL": "stub_models:base", "DATA": "pictures", "BASELINE": GITLAB["variables"]["BASELINE"], **changed,
    }  # fmt: skip
    return run("gitlab", folder, **given)


@pytest.mark.parametrize(
    ("answer", "changed", "said"),
    [
        ((500, b"down"), {}, "The baseline cannot be fetched (HTTP 500): down"),
        ((404, NONE), {"CI_JOB_TOKEN": "not ours"}, "The baseline cannot be fetched (HTTP 404)"),
        ((200, b""), {}, "The baseline cannot be fetched (HTTP 200)"),
        (
            (404, NONE),
            {},
            "No green job audit on main has kept audit-out/evidence.json, so no baseline. Has it expired?",
        ),
    ],
    ids=["server-fault", "no-access", "empty", "expired-or-none"],
)
def test_a_gitlab_baseline_that_cannot_be_had_fails_the_job_with_the_reason(gitlab, tmp_path, answer, changed, said):
    gitlab.answer = answer
    done = job(gitlab, tmp_path, **changed)
    assert done.returncode == 1
    assert said in done.stdout
    assert not (tmp_path / "audit-out").exists()


@pytest.mark.slow
def test_the_gitlab_job_gates_and_takes_the_baseline(gitlab, bench):
    folder = bench.path
    gitlab.answer = (404, NONE)
    (folder / "stub_models.py").write_text(MODELS + FORGETFUL)
    done = job(gitlab, folder, BASELINE="optional")
    assert done.returncode == 1
    assert "audited without a baseline, because BASELINE is optional" in done.stdout
    named = GITLAB["artifacts"]["reports"]
    assert (folder / named["junit"]).is_file()
    assert [e["severity"] for e in json.loads((folder / named["codequality"]).read_text())] == ["critical"]
    gitlab.answer = (200, (folder / "audit-out/evidence.json").read_bytes())
    assert job(gitlab, folder).returncode == 1
    record = Evidence.from_json((folder / "audit-out/evidence.json").read_text())
    assert [(r.role, r.problem) for r in record.references] == [("baseline", "")]
    assert became_worse(folder) == set()
    assert job(gitlab, folder, MODEL="stub_models:forgetful").returncode == 1
    assert became_worse(folder) == {TWICE}
