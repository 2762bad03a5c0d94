"""Adapters on tiny bases of the true architectures: they answer as peft has them answer, or are refused."""

import json
import re
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from auditkit.errors import AuditkitError
from auditkit.models.base import ModelOptions, Request
from auditkit.models.registry import VARIABLE
from auditkit.models.resolve import resolve_model
from auditkit.version import install_line

peft = pytest.importorskip("peft")


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)


def questions(count: int = 6) -> list[Request]:
    pixels = np.random.default_rng(3).integers(0, 256, (30, 40), dtype=np.uint8)
    image = Image.fromarray(pixels)
    return [Request(f"q{i}", (image,), f"Rate this, number {i}.", max_new_tokens=8) for i in range(count)]


def network(folder):
    import transformers

    return transformers.AutoModelForImageTextToText.from_pretrained(folder, local_files_only=True)


@pytest.fixture
def trained(checkpoint, tmp_path):
    """``trained(architecture)`` writes an adapter, as a trainer does, with weights large enough to change answers."""

    def trained(architecture="llava", *, base=None, folder="lora", spread=0.5, **settings):
        import torch

        base = checkpoint(architecture) if base is None else base
        config = peft.LoraConfig(
            r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "lm_head"], **settings
        )  # fmt: skip
        model = peft.get_peft_model(network(base), config)
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if "lora_" in name:
                    weight.copy_(torch.randn(weight.shape, generator=generator) * spread)
        model.save_pretrained(tmp_path / folder)
        return tmp_path / folder

    return trained


def greedy(model, processor, request: Request) -> str:
    """What transformers' own generate answers."""
    import torch

    content = [{"type": "image"}, {"type": "text", "text": request.prompt}]
    chat = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    bos = processor.tokenizer.bos_token
    inputs = processor(
        text=chat, images=[request.images[0].convert("RGB")], return_tensors="pt",
        add_special_tokens=not (bos and chat.startswith(bos)),
    )  # fmt: skip
    with torch.inference_mode():
        new = model.generate(**inputs, max_new_tokens=request.max_new_tokens, do_sample=False)
    return processor.tokenizer.decode(new[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True).strip(" ")


@pytest.mark.parametrize("architecture", ["llava", pytest.param("gemma3", marks=pytest.mark.slow)])
def test_an_adapter_answers_as_peft_has_it_answer(checkpoint, trained, architecture):
    from auditkit.models.local.processors import load_processor

    folder = trained(architecture)
    model = resolve_model(str(folder))
    found = [response.text for response in model.generate(questions())]
    whole = peft.PeftModel.from_pretrained(network(checkpoint(architecture)), folder).eval()
    assert found == [greedy(whole, load_processor(checkpoint(architecture)), q) for q in questions()]
    base = [response.text for response in resolve_model(str(checkpoint(architecture))).generate(questions())]
    assert found != base, "the adapter must change something, or nothing was tested"


def test_the_fingerprint_covers_base_and_adapter(checkpoint, trained, tmp_path):
    folder, other = trained(), trained(folder="other", spread=0.4)
    model = resolve_model(str(folder))
    assert model.name == "lora"
    assert model.description == f"LORA adapter lora on {checkpoint().name}"
    assert model.revision == model.fingerprint[:12]
    base = shutil.copytree(checkpoint(), tmp_path / "base")
    moved = resolve_model(str(folder), ModelOptions(base=str(base)))
    assert moved.fingerprint == model.fingerprint, "the same files elsewhere are the same model"
    config = json.loads((base / "generation_config.json").read_text())
    (base / "generation_config.json").write_text(json.dumps({**config, "repetition_penalty": 1.2}))
    fingerprints = [
        resolve_model(str(checkpoint())).fingerprint,
        model.fingerprint,
        resolve_model(str(other)).fingerprint,
        resolve_model(str(folder), ModelOptions(base=str(base))).fingerprint,
        resolve_model(str(folder), ModelOptions(dtype="bfloat16")).fingerprint,
    ]
    assert len(set(fingerprints)) == len(fingerprints)


def test_an_adapter_in_the_registry(checkpoint, trained, tmp_path):
    folder = trained()
    (tmp_path / "auditkit-models.toml").write_text(
        f'[ours]\nbackend = "image-text-to-text"\nfolder = "{checkpoint()}"\nadapter = "lora"\n'
    )
    ours, bare = resolve_model("ours"), resolve_model(str(folder))
    assert (ours.name, ours.fingerprint) == ("ours", bare.fingerprint)
    with pytest.raises(AuditkitError, match="has its base in the registry"):
        resolve_model("ours", ModelOptions(base="medgemma"))


def test_a_base_of_the_hub_is_found_in_the_cache_at_the_pinned_commit(checkpoint, trained, tmp_path, monkeypatch):
    from auditkit.models.registry import load_registry
    from tests.models.fake_hub import FakeHub

    hub = FakeHub(tmp_path / "hf")
    hub.use_in(monkeypatch)
    folder = trained()
    config = json.loads((folder / "adapter_config.json").read_text())
    named = {**config, "base_model_name_or_path": "google/medgemma-4b-it"}
    (folder / "adapter_config.json").write_text(json.dumps(named))
    pinned = load_registry()["medgemma"].revision
    with pytest.raises(AuditkitError, match=f"hf download google/medgemma-4b-it --revision {pinned}"):
        resolve_model(str(folder))
    hub.put("google/medgemma-4b-it", pinned, checkpoint())
    model = resolve_model(str(folder))
    assert model.path.name == pinned
    assert model.dtype == "bfloat16", "as the registry loads the base"
    assert model.description == "LORA adapter lora on medgemma"
    (folder / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": "ward/base"}))
    with pytest.raises(AuditkitError, match=r"hf download ward/base\n.*--audit-base=NAME"):
        resolve_model(str(folder))
    (folder / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": "/gone/away"}))
    with pytest.raises(AuditkitError, match=r"names the base '/gone/away'.*\n?.*--audit-base=NAME"):
        resolve_model(str(folder))
    assert resolve_model(str(folder), ModelOptions(base="medgemma")).path.name == pinned


def test_a_whole_model_with_an_adapter_beside_it_is_refused(checkpoint, trained, tmp_path):
    both = shutil.copytree(checkpoint(), tmp_path / "both")
    for file in trained().iterdir():
        shutil.copy(file, both)
    with pytest.raises(AuditkitError, match="a whole model and an adapter") as raised:
        resolve_model(str(both))
    assert f"--audit-base={both}" in str(raised.value)


def test_without_peft_the_line_to_type_is_given(trained, monkeypatch):
    folder = trained()
    monkeypatch.setattr("auditkit.models.adapter.find_spec", lambda name: None)
    with pytest.raises(AuditkitError, match=re.escape(install_line("peft"))):
        resolve_model(str(folder))


def test_an_adapter_in_a_pickle_is_refused(trained):
    folder = trained()
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(AuditkitError, match=r"adapter_model.bin is in a format that can run code"):
        resolve_model(str(folder))


def asked(folder, **options) -> str:
    with pytest.raises(AuditkitError) as raised:
        resolve_model(str(folder), ModelOptions(**options)).generate(questions(1))
    return str(raised.value)


def test_weights_without_a_place_and_weights_that_miss_are_named(trained):
    from safetensors.torch import load_file, save_file

    folder = trained()
    weights = load_file(folder / "adapter_model.safetensors")
    first = next(key for key in sorted(weights) if "layers.0" in key)
    more = {**weights, first.replace("layers.0", "layers.77"): weights[first].clone()}
    save_file(more, folder / "adapter_model.safetensors", {"format": "pt"})
    assert "layers.77" in asked(folder)
    assert "the base has no place for 1 weights of the adapter" in asked(folder)
    save_file({k: v for k, v in weights.items() if k != first}, folder / "adapter_model.safetensors", {"format": "pt"})
    assert "the base misses 1 weights of the adapter" in asked(folder)


def test_an_adapter_of_another_base_is_refused(checkpoint, trained):
    assert "could not be loaded" in asked(trained("llava"), base=str(checkpoint("qwen2_5_vl")))


def test_a_part_of_a_processor_is_refused_where_it_differs(checkpoint, trained):
    folder = trained()
    shutil.copy(checkpoint() / "tokenizer.json", folder)
    resolve_model(str(folder))
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    assert "part of a processor that differs from its base's (chat_template.jinja)" in asked(folder)
    for file in checkpoint().iterdir():
        if file.suffix != ".safetensors" and not (folder / file.name).exists() and file.name != "config.json":
            shutil.copy(file, folder)
    assert resolve_model(str(folder))._processor == folder


def test_nothing_of_peft_is_imported_without_an_adapter(checkpoint):
    resolve_model(str(checkpoint())).generate(questions(1))
    assert "auditkit.models.local.adapted" in sys.modules  # which imports peft in its function only
