"""A profile that names families leaves the audits of all others out of the session."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditkit.plugin.profiles import families_asked
from auditkit.protocol.read import load_protocol

ROOT = Path(__file__).resolve().parents[2]
PROTOCOL = ROOT / "audits" / "protocol.toml"


def test_the_families_are_those_that_the_protocol_keeps():
    assert families_asked(PROTOCOL, "quick") == set(load_protocol(PROTOCOL, "quick").families)
    assert families_asked(PROTOCOL, None) is None
    with pytest.raises(LookupError):
        families_asked(PROTOCOL, "nightly")


def test_the_others_are_deselected(tmp_path):
    listed = tmp_path / "audits.json"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "audits", "-q", "-p", "no:cacheprovider", "--audit-profile=quick"]
    done = subprocess.run(
        [*command, f"--audit-list-json={listed}"], cwd=ROOT, capture_output=True, text=True, check=False, env=clean
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(listed.read_text(encoding="utf-8"))["audits"]
    assert {audit["family"] for audit in found} == families_asked(PROTOCOL, "quick")
