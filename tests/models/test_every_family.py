"""Every family of the registry runs an audit on its own, on a tiny checkpoint of its architecture, end to end."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from auditkit.evidence import Evidence
from auditkit.models.base import ModelOptions
from auditkit.models.registry import load_registry
from auditkit.protocol.effects import change, differs, displacement, falls, mean, share
from auditkit.run.prepare import prepare
from auditkit.run.record import evidence, header
from auditkit.run.settings import Settings
from auditkit.vocabulary import Perturbation

HERE = ("image-text-to-text", "dual-encoder", "ships")
FAMILIES = sorted({e.family for e in load_registry().values() if e.backend in HERE and not e.unsupported})
ASKED = [
    (change(Perturbation("demographics_operator.sex.female"), family="metadata"), "within"),
    (falls("pixelate", (1, 5), family="sensitivity"), "at_least"),
    (share("refused", "grade", family="answers"), "at_most"),
    (differs(Perturbation("alone"), family="repeatability"), "at_most"),
    (mean("grade", "read", family="scoring"), None),
    (mean("quality", "read", family="scoring"), None),
]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(4):
        coarse = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(coarse).resize((96, 80), Image.Resampling.BICUBIC).save(folder / f"{seed}.png")
    return folder


@pytest.fixture
def registered(checkpoint, tmp_path):
    """A registry of one's own that names tiny checkpoints as the shipped one names the true ones."""

    def registered(family: str) -> str:
        backend = next(e.backend for e in load_registry().values() if e.family == family and e.repository)
        file = tmp_path / "models.toml"
        lines = [f"[{family}-tiny]", f'folder = "{checkpoint(family)}"', f'family = "{family}"']
        lines += [f'backend = "{backend}"', 'licence = "Apache-2.0"', 'description = "tiny"', "medical = false"]
        file.write_text("\n".join(lines))
        return str(file)

    return registered


def test_no_family_is_forgotten():
    assert set(FAMILIES) == {
        "clip", "gemma3", "idefics3", "internvl", "llava", "llava_next", "qwen2_5_vl", "qwen3_vl", "siglip", "smolvlm",
    }  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_an_audit_of_its_own(family, registered, pictures, tmp_path, pytestconfig):
    shipped = (pytestconfig.rootpath / "audits" / "protocol.toml").read_text(encoding="utf-8")
    for name in ("metadata", "sensitivity", "answers", "repeatability"):
        shipped = shipped.replace(f"[families.{name}]\n", f"[families.{name}]\nsize = 100\n")
    without_tail = "".join(line for line in shipped.splitlines(keepends=True) if not line.startswith("tail = "))
    (tmp_path / "protocol.toml").write_text(without_tail, encoding="utf-8")
    settings = Settings(
        model=f"{family}-tiny",
        data=str(pictures),
        protocol=tmp_path / "protocol.toml",
        root=tmp_path,
        uid="one",
        embeddings=True,
        options=ModelOptions(registry=registered(family)),
    )
    inside = [displacement(kind, "pixelate", (1, 5), family="embeddings") for kind in ("vision", "language")]
    run = prepare(settings, [*(effect for effect, _ in ASKED), *inside])
    run.fetch(lambda tally: None)
    run.measure()
    audits = [run.audit(effect, "Does it hold?", verb) for effect, verb in ASKED]
    looked = {effect.name: run.audit(effect, "Does it see it?") for effect in inside if not run.lacks(effect)}
    audits += looked.values()
    record = evidence(header(run), audits, run_id="r", command="c")
    run.close()
    assert run.tally.planned == 4 * 6
    assert run.tally.errors == {}
    assert run.embedded.errors == {}
    assert "vision-pixelate" in looked, "a model may have no language features"
    assert all(audit.n_images == 4 and audit.estimate.value < 1 for audit in looked.values())
    assert record.outcomes.error == 0
    assert record.outcomes.scored >= 0.5 * record.outcomes.total
    assert all(audit.n_images > 0 or audit.outcomes.total for audit in audits)
    assert all(audit.estimate.value > 0 for audit in audits if audit.quantity == "read")
    assert Evidence.from_json(record.to_json()) == record


@pytest.mark.slow
def test_the_whole_command(registered, pictures, tmp_path, pytestconfig):
    """`pytest audits/ --model NAME` as a user types it, for the family of MedGemma."""
    command = [
        sys.executable, "-m", "pytest", "audits", "--model=gemma3-tiny", f"--audit-registry={registered('gemma3')}",
        f"--audit-data={pictures}", f"--audit-out={tmp_path / 'out'}", "--audit-no-store", "-k", "pixelate", "-q",
        "--audit-memory=1G", "--audit-report=html",
    ]  # fmt: skip
    alone = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_XDIST")}
    done = subprocess.run(
        command, cwd=pytestconfig.rootpath, env=alone, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    record = json.loads((tmp_path / "out" / "evidence.json").read_text())
    assert record["model"]["name"] == "gemma3-tiny"
    assert {audit["verdict"] for audit in record["audits"]} <= {"INCONCLUSIVE", "FAIL"}
    assert (tmp_path / "out" / "report.html").is_file()
