"""What is in a checkpoint's folder and is not read is said, or refused: the answers must be those of the folder."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from auditkit.errors import AuditkitError
from auditkit.models.base import ModelOptions, Request
from auditkit.models.registry import VARIABLE
from auditkit.models.resolve import resolve_model


@pytest.fixture
def copy(checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    return shutil.copytree(checkpoint(), tmp_path / "copy")


def request() -> Request:
    return Request("q", (Image.fromarray(np.full((30, 40), 90, np.uint8)),), "Rate this.", max_new_tokens=4)


def add_weight(folder, name="model.mtp.weight"):
    import torch
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    save_file({**weights, name: torch.ones(3)}, folder / "model.safetensors", {"format": "pt"})


def test_weights_without_a_place_are_named_and_refused(copy):
    add_weight(copy)
    with pytest.raises(AuditkitError, match=r"1 weights that its network has no place for \(model.mtp.weight\)"):
        resolve_model(str(copy)).generate([request()])


def test_unless_the_registry_says_that_they_are_of_no_use(copy, tmp_path):
    add_weight(copy)
    (tmp_path / "auditkit-models.toml").write_text(
        '[mine]\nbackend = "image-text-to-text"\nfolder = "copy"\nunread = ["model.mtp.*"]\n'
    )
    model = resolve_model("mine")
    assert model.generate([request()])[0].error is None
    assert "model.mtp.*" in model.limits[-1]


@pytest.mark.parametrize("name", ["pytorch_model.bin", "consolidated.safetensors", "model.gguf", "weights.pt"])
def test_other_weights_are_said_in_the_record(copy, name):
    (copy / name).write_bytes(b"x")
    model = resolve_model(str(copy))
    assert f"Not read, though it is in the checkpoint's folder: {name}" in model.limits[0]
    assert "those of model.safetensors" in model.limits[0]


def test_what_a_trainer_leaves_is_no_model(copy):
    for name in ("optimizer.pt", "scheduler.pt", "rng_state_0.pth", "training_args.bin"):
        (copy / name).write_bytes(b"x")
    assert resolve_model(str(copy)).limits == ()


def test_two_models_in_one_folder_are_refused(copy):
    shutil.copy(copy / "model.safetensors", copy / "model-00001-of-00001.safetensors")
    index = {"weight_map": {"a": "model-00001-of-00001.safetensors"}}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(AuditkitError, match="holds two models"):
        resolve_model(str(copy))
    (copy / "model.safetensors").unlink()
    assert resolve_model(str(copy)).limits == ()


def test_a_folder_is_loaded_in_its_own_dtype(copy):
    config = json.loads((copy / "config.json").read_text())
    assert resolve_model(str(copy)).dtype == "float32"
    for key in ("dtype", "torch_dtype"):
        bare = {k: v for k, v in config.items() if k not in ("dtype", "torch_dtype")}
        (copy / "config.json").write_text(json.dumps({**bare, key: "bfloat16"}))
        assert resolve_model(str(copy)).dtype == "bfloat16"
    assert resolve_model(str(copy), ModelOptions(dtype="float16")).dtype == "float16"
    fingerprints = {resolve_model(str(copy), ModelOptions(dtype=d)).fingerprint for d in (None, "float16", "float32")}
    assert len(fingerprints) == 3, "answers in one dtype are never handed to another"


def test_without_a_word_in_the_config_the_weights_tell(copy):
    from safetensors.torch import load_file, save_file

    config = json.loads((copy / "config.json").read_text())
    bare = {k: v for k, v in config.items() if k not in ("dtype", "torch_dtype")}
    for part in ("text_config", "vision_config"):
        bare[part] = {k: v for k, v in bare[part].items() if k not in ("dtype", "torch_dtype")}
    (copy / "config.json").write_text(json.dumps(bare))
    weights = {k: v.bfloat16() for k, v in load_file(copy / "model.safetensors").items()}
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    assert resolve_model(str(copy)).dtype == "bfloat16"


def test_arguments_of_the_template_and_a_longer_limit_reach_the_model(copy, tmp_path):
    template = (copy / "chat_template.jinja").read_text()
    (copy / "chat_template.jinja").write_text(template + "{% if thinking is defined %}{{ thinking }}{% endif %}")
    entry = '[{}]\nbackend = "image-text-to-text"\nfolder = "copy"\n{}\n'
    (tmp_path / "auditkit-models.toml").write_text(
        entry.format("plain", "")
        + entry.format("told", 'template = { thinking = "<nothing>" }')
        + entry.format("long", "max_new_tokens = 40")
    )
    plain, told, long = map(resolve_model, ("plain", "told", "long"))
    assert len({model.fingerprint for model in (plain, told, long)}) == 3
    assert plain.fingerprint == resolve_model(str(copy)).fingerprint
    assert told._loaded().loaded.chat(request()) == plain._loaded().loaded.chat(request()) + "<nothing>"
    short = Request("q", request().images, "Rate this.", max_new_tokens=1)
    assert plain.generate([short])[0].finish_reason == "length"
    assert len(long.generate([short])[0].text) > len(plain.generate([short])[0].text)
