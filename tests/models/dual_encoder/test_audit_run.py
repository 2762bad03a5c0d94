"""One small audit of a checkpoint folder through pytest: the numbers in evidence.json are those of the model."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from auditkit.evidence import Evidence
from auditkit.models.dual_encoder import DualEncoder
from auditkit.protocol.shipped import metadata
from tests.models.dual_encoder.conftest import ask
from tests.plugin.stubs import AUDITS, INI, PROTOCOL

N = 6
SIDE = 40


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_an_audit_of_a_folder(dual, tmp_path, kind):
    audits, pictures = tmp_path / "audits", tmp_path / "pictures"
    audits.mkdir(), pictures.mkdir()
    (tmp_path / "pytest.ini").write_text(INI)
    (audits / "protocol.toml").write_text(PROTOCOL)
    (audits / "test_audits.py").write_text(AUDITS)
    noise = [np.random.default_rng(i).integers(0, 30 * i + 60, (SIDE, SIDE), np.uint8) for i in range(N)]
    shown = [Image.fromarray(pixels) for pixels in noise]
    for i, image in enumerate(shown):
        image.save(pictures / f"p{i}.png")
    # A process of its own, not pytester: that forgets the modules a test imported, and torch cannot be loaded twice.
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "audits", f"--model={dual(kind)}", "--audit-data=pictures", "--audit-out=out"],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
        | {"AUDITKIT_SALT": "salt of the tests"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (tmp_path / "out/evidence.json").is_file(), done.stdout + done.stderr
    record = Evidence.from_json((tmp_path / "out/evidence.json").read_text())
    assert record.outcomes.scored == record.outcomes.total == record.run.probes.planned > 10 * N
    assert record.model.backend == "dual-encoder"
    assert record.model.name == dual(kind).name
    assert {a.id: a.verdict for a in record.audits}["repeatability/asked-twice"] != "FAIL"

    model = DualEncoder(dual(kind), name="m")
    chosen = [effect for effect in metadata() if effect.name.startswith("institution.")]
    estimates = {a.id.removeprefix("metadata/"): a.estimate.value for a in record.audits}
    assert len(chosen) > 2
    for effect in chosen:
        [part] = effect.parts
        treated, *controls = (
            [int(r.text) for r in model.generate([ask("quality.direct", said.name, image=i) for i in shown])]
            for [said] in (question.condition for question in (*part.treated, *part.controls))
        )
        assert estimates[effect.name] == pytest.approx(np.mean(treated) - np.mean(controls), abs=1e-5)
    assert any(abs(estimates[effect.name]) > 1 for effect in chosen), "nothing moved, so nothing was compared"
