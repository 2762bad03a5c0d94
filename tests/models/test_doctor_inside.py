"""What the doctor sees inside a checkpoint: dtype, shards, quantisation, template, ends, adapters, and ways out."""

import json
import shutil

import pytest

from auditkit.errors import AuditkitError
from auditkit.models.base import ModelOptions
from auditkit.models.doctor import Finding, examine, machine
from auditkit.models.reference import checkpoint
from auditkit.models.registry import VARIABLE
from auditkit.version import install_line


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(machine, "_gpus", lambda: [])
    monkeypatch.setattr(machine, "_free_memory", lambda: 10**12)


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(checkpoint(), tmp_path / "copy")


def look(name, **options) -> dict[str, Finding]:
    _, findings = examine(str(name), ModelOptions(**options))
    assert len({finding.about for finding in findings}) == len(findings)
    return {finding.about: finding for finding in findings}


def change(file, **values):
    content = json.loads(file.read_text()) if file.is_file() else {}
    file.write_text(json.dumps({**content, **values}))


# --- dtype and memory -----------------------------------------------------------------------------------------------


def of_size(monkeypatch, parameters: int) -> None:
    """Let the weights look as large as those of a real model."""
    monkeypatch.setattr("auditkit.models.doctor.checkpoint.size_of", lambda files: (parameters, 2 * parameters))


def test_bfloat16_weights_are_counted_as_what_they_are(copy, monkeypatch):
    change(copy / "config.json", dtype="bfloat16")
    of_size(monkeypatch, 4_300_000_000)
    monkeypatch.setattr(machine, "_free_memory", lambda: 16 * 10**9)
    found = look(copy)
    assert found["dtype"].says == "bfloat16, the checkpoint's own"
    assert found["memory"].state == "ok"
    assert "8.6 GB of weights in bfloat16, about 11.3 GB" in found["memory"].says  # 4.3e9 * 2 * 1.2 + 1e9
    found = look(copy, dtype="float32")
    assert found["memory"].state == "missing"
    assert "--audit-dtype=bfloat16" in found["memory"].remedy


def test_a_card_that_is_too_small_beside_memory_that_is_not(copy, monkeypatch):
    of_size(monkeypatch, 4_300_000_000)
    monkeypatch.setattr(machine, "_gpus", lambda: [("A", 8 * 10**9)])
    found = look(copy)
    assert found["memory"].state == "missing"
    assert 'device_map = "auto"' in found["memory"].remedy


@pytest.mark.parametrize(("method", "package"), [("gptq", "gptqmodel"), ("bitsandbytes", "bitsandbytes")])
def test_quantised_weights_need_their_package_and_count_as_stored(copy, monkeypatch, method, package):
    change(copy / "config.json", quantization_config={"quant_method": method})
    found = look(copy)
    assert found["quantised"].state == "missing"
    assert found["quantised"].remedy == f"pip install {package}"
    assert "6 MB of weights as they are stored" in found["memory"].says
    monkeypatch.setattr("auditkit.models.doctor.checkpoint.installed", lambda name: "1.2.3")
    assert look(copy)["quantised"].says == f"{method}, read by {package} 1.2.3"
    change(copy / "config.json", quantization_config={"quant_method": "unheard-of"})
    assert look(copy)["quantised"].state == "note"


# --- weights --------------------------------------------------------------------------------------------------------


def test_an_index_that_names_what_its_files_do_not_have(copy):
    shard = "model-00001-of-00001.safetensors"
    (copy / "model.safetensors").rename(copy / shard)
    change(copy / "model.safetensors.index.json", weight_map={"no.such.weight": shard})
    found = look(copy)["weights"]
    assert found.state == "missing"
    assert "1 weights that are not in their files (no.such.weight)" in found.says


def test_what_is_not_read_and_what_is_twice(copy):
    (copy / "consolidated.safetensors").write_bytes(b"x")
    assert look(copy)["unread"].says == "consolidated.safetensors: not read, and said in the record"
    change(copy / "model.safetensors.index.json", weight_map={"a": "consolidated.safetensors"})
    assert "two models" in look(copy)["weights"].says


# --- template and ends ----------------------------------------------------------------------------------------------


def test_a_template_that_opens_a_thought(copy, tmp_path):
    template = copy / "chat_template.jinja"
    template.write_text(template.read_text() + "{% if enable_thinking is not defined %}<think>\n{% endif %}")
    found = look(copy)["thought"]
    assert found.state == "note"
    assert "opens a thought (<think>), and most wordings allow an answer 16 tokens" in found.says
    assert "template = { enable_thinking = false }" in found.remedy
    entry = '[mine]\nbackend = "image-text-to-text"\nfolder = "copy"\n'
    for line in ("template = { enable_thinking = false }", "max_new_tokens = 1024"):
        (tmp_path / "auditkit-models.toml").write_text(entry + line)
        assert "thought" not in look("mine"), line
    (tmp_path / "auditkit-models.toml").write_text(entry + "max_new_tokens = 20")
    assert "answers may have 20 tokens" in look("mine")["thought"].says


def test_a_thought_that_is_closed_again_is_none(copy):
    template = copy / "chat_template.jinja"
    template.write_text(template.read_text() + "<think>\n\n</think>\n\n")
    found = look(copy)
    assert "thought" not in found
    assert r"<|assistant|><think>\n\n</think>\n'" in found["chat"].says  # jinja takes one newline off


@pytest.mark.parametrize(
    "template", ["{% generation %}x{% endgeneration %}", "{{ raise_exception('no') }}", "{{ messages[0].content + 1 }}"]
)
def test_templates_that_cannot_be_told_are_left_to_transformers(copy, template):
    (copy / "chat_template.jinja").write_text(template)
    assert look(copy)["chat"].says == "chat template in chat_template.jinja"


def test_a_turn_that_ends_otherwise_than_an_answer(copy):
    tokens = json.loads((copy / "tokenizer.json").read_text())["added_tokens"]
    user = next(token for token in tokens if token["content"] == "<|user|>")
    template = copy / "chat_template.jinja"
    template.write_text(
        "{% for m in messages %}{% for c in m['content'] %}{{ c['text'] }}{% endfor %}<|user|>{% endfor %}"
    )
    found = look(copy)["ends"]
    assert found.state == "note"
    assert f"a turn ends with <|user|> ({user['id']}) in the template, and an answer with </s> (2)" in found.says
    assert f'"eos_token_id": [2, {user["id"]}]' in found.remedy
    change(copy / "generation_config.json", eos_token_id=[2, user["id"]])
    assert look(copy)["ends"].state == "ok"


def test_ends_are_those_that_transformers_takes(copy):
    (copy / "generation_config.json").unlink()
    change(copy / "config.json", eos_token_id=None, text_config={"eos_token_id": 2})
    assert look(copy)["ends"].says == "an answer ends with </s> (2) (config.json)"
    change(copy / "config.json", text_config={})
    assert "and an answer with nothing" in look(copy)["ends"].says
    (copy / "chat_template.jinja").write_text("{{ messages[0]['role'] }}")
    assert "no token ends an answer" in look(copy)["ends"].says


# --- the same names as a run ----------------------------------------------------------------------------------------


def test_an_adapter_and_its_base(copy, tmp_path, monkeypatch):
    import numpy as np
    from safetensors.numpy import save_file

    folder = tmp_path / "lora"
    folder.mkdir()
    config = {"peft_type": "LORA", "r": 8, "base_model_name_or_path": str(copy)}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    save_file({"a": np.zeros((1000, 500), np.float32)}, folder / "adapter_model.safetensors")
    monkeypatch.setattr("auditkit.models.adapter.find_spec", lambda name: None)
    found = look(folder)
    assert found["adapter"].remedy == f"Install with: {install_line('peft')}"
    monkeypatch.setattr("auditkit.models.adapter.find_spec", lambda name: name)
    found = look(folder)
    assert found["adapter"].says.startswith("LORA, rank 8, 0.5 million parameters, 2 MB; on copy")
    assert "2.9 million" in found["weights"].says
    config["base_model_name_or_path"] = "/gone"
    (folder / "adapter_config.json").write_text(json.dumps(config))
    assert "--audit-base=NAME" in look(folder)["adapter"].remedy
    assert look(folder, base="copy")["adapter"].says.endswith("on copy (copy)")
    shutil.copy(copy / "model.safetensors", folder)
    assert "a whole model and an adapter" in look(folder)["adapter"].says


def test_home_is_put_in_for_its_sign(copy, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert look("~/copy")["weights"].state == "ok"


def test_a_model_object_without_a_fingerprint(tmp_path, monkeypatch):
    (tmp_path / "ward_model_here.py").write_text("class M:\n    def generate(self, requests):\n        return []\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = look("ward_model_here:M")
    assert found["import"].state == "ok"
    assert "--audit-reuse-unfingerprinted" in found["identity"].remedy


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("google/medgemma-4b-it", "Give --model=medgemma"),
        ("ward/own-model", 'hf download ward/own-model\nand write into auditkit-models.toml:\n["own-model"]'),
        ("./nowhere", "there is no such folder"),
        ("./model.gguf", "llama-server -m model.gguf"),
        ("copy/config.json", "Give the folder that it is in: --model=copy"),
    ],
)
def test_names_that_stand_for_nothing_get_a_line_to_type(copy, name, words):
    from auditkit.models.resolve import resolve_model

    for ask in (look, resolve_model):
        with pytest.raises(AuditkitError) as raised:
            ask(name)
        assert words in str(raised.value)


def test_weights_of_llama_cpp_have_a_way_out(tmp_path):
    (tmp_path / "gg").mkdir()
    (tmp_path / "gg" / "model.gguf").write_bytes(b"GGUF")
    found = look("gg")["folder"]
    assert "for llama.cpp" in found.says
    assert "--audit-endpoint=http://127.0.0.1:8080/v1" in found.remedy
