"""What is wrong with a folder is said under the model's name, whichever back end reads it."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from auditkit.errors import AuditkitError
from auditkit.models.dual_encoder import DualEncoder
from auditkit.models.local import LocalModel
from tests.models.conftest import request_of


@pytest.fixture(params=[("llava", LocalModel), ("clip", DualEncoder)], ids=["local", "dual encoder"])
def broken(request, checkpoint, tmp_path):
    """A folder that may be changed, and what is said when its model is asked."""
    architecture, backend = request.param
    folder = shutil.copytree(checkpoint(architecture), tmp_path / "copy")

    def said() -> str:
        with pytest.raises(AuditkitError) as raised:
            backend(folder, name="mine").generate([request_of(picture, "yes_no.reader")])
        assert str(raised.value).startswith("--model=mine: ")
        return str(raised.value)

    picture = Image.fromarray(np.full((30, 40), 90, dtype=np.uint8))
    assert backend(folder, name="mine").generate([request_of(picture, "yes_no.reader")])[0].error is None
    return folder, said


def test_folder_without_safetensors(broken):
    folder, said = broken
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "holds no model.safetensors, only pytorch_model.bin" in said()


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "processor_config.json"])
def test_damaged_files(broken, name):
    folder, said = broken
    (folder / name).write_bytes((folder / name).read_bytes()[:100])
    assert "could not be loaded" in said()


def test_missing_processor(broken):
    folder, said = broken
    for name in ("processor_config.json", "tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    assert "could not be loaded" in said()


def test_code_in_the_folder_is_never_run(broken, tmp_path):
    folder, said = broken
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "unheard_of", "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    assert "could not be loaded" in said()
    assert not (tmp_path / "ran").exists()
