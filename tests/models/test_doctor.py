import json
import os
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError

import pytest

from auditkit.errors import AuditkitError
from auditkit.models.base import DEFAULTS, ModelOptions
from auditkit.models.doctor import Finding, as_text, examine, machine
from auditkit.models.reference import checkpoint
from auditkit.models.registry import VARIABLE, load_registry
from auditkit.version import install_line
from tests.models.fake_hub import FakeHub

MEDGEMMA = "google/medgemma-4b-it"
PINNED = load_registry()["medgemma"].revision
OTHER = "0123456789abcdef0123456789abcdef01234567"
GET = f"hf download {MEDGEMMA} --revision {PINNED}"


@pytest.fixture(autouse=True)
def hub(tmp_path, monkeypatch):
    """An empty cache, an empty current folder, no token, and a machine with room for anything."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(machine, "_gpus", lambda: [])
    monkeypatch.setattr(machine, "_free_memory", lambda: 10**12)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**13, 0, 10**13))
    hub = FakeHub(tmp_path / "hf")
    hub.use_in(monkeypatch)
    return hub


def look(name: str, **options) -> dict[str, Finding]:
    _, findings = examine(name, ModelOptions(**options))
    assert len({finding.about for finding in findings}) == len(findings)
    return {finding.about: finding for finding in findings}


def missing(found: dict[str, Finding]) -> set[str]:
    return {about for about, finding in found.items() if finding.state == "missing"}


@pytest.fixture
def copy(tmp_path):
    """A checkpoint that may be damaged."""
    shutil.copytree(checkpoint(), tmp_path / "copy")
    return tmp_path / "copy"


@pytest.mark.parametrize("name", ["reference", "reference-prestige"])
def test_nothing_is_missing_for_what_ships(name):
    found = look(name)
    assert not missing(found)
    assert "1 file, 6 MB, 2.9 million parameters" in found["weights"].says
    assert "torch 2" in found["packages"].says


def test_a_gated_model_that_is_not_here(hub, monkeypatch):
    found = look("medgemma")
    assert missing(found) == {"weights", "token"}
    assert found["weights"].remedy == GET
    assert str(hub.cache) in found["weights"].says
    assert f"https://huggingface.co/{MEDGEMMA}" in found["licence"].says
    assert "HAI-DEF" in found["licence"].says
    assert found["token"].remedy == "hf auth login"
    assert "about 8.6 GB to download" in found["disk"].says
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    found = look("medgemma")
    assert missing(found) == {"weights"}
    assert "hf_secret" not in as_text("", list(found.values()))


def test_a_token_saved_by_the_hubs_own_tool_is_found(hub):
    hub.home.mkdir()
    (hub.home / "token").write_text("hf_secret")
    assert look("medgemma")["token"].state == "ok"


def test_a_model_that_is_here_needs_neither_token_nor_room(hub):
    hub.put(MEDGEMMA, PINNED, checkpoint())
    found = look("medgemma")
    assert not missing(found)
    assert not {"token", "licence", "disk"} & set(found)
    assert found["commit"].says == f"{PINNED}, as pinned"
    assert "6 MB of weights in bfloat16" in found["memory"].says  # of the files, not of the registry


def test_another_commit_is_no_substitute_but_can_be_pinned(hub, tmp_path):
    hub.put(MEDGEMMA, OTHER, checkpoint())
    found = look("medgemma")
    assert "weights" in missing(found)
    assert f"at {OTHER}, not at {PINNED}" in found["weights"].says
    pin = found["commit"].remedy.split("auditkit-models.toml:\n")[1]
    (tmp_path / "auditkit-models.toml").write_text(pin)
    assert not missing(look("medgemma"))


def test_an_unpinned_model_prints_the_lines_that_pin_it(hub, tmp_path):
    found = look("llava-med-1.5")
    assert (found["commit"].state, found["commit"].remedy) == ("note", "")
    hub.put("chaoyinshe/llava-med-v1.5-mistral-7b-hf", OTHER, checkpoint())
    found = look("llava-med-1.5")
    assert not missing(found)
    assert f'["llava-med-1.5"]\nrevision = "{OTHER}"' in found["commit"].remedy
    (tmp_path / "mine.toml").write_text(found["commit"].remedy.split("\n", 1)[1])
    assert look("llava-med-1.5", registry="mine.toml")["commit"].says == f"{OTHER}, as pinned"


def test_an_interrupted_download(hub, copy):
    hub.put(MEDGEMMA, PINNED, copy, without=("config.json", "model.safetensors"))
    hub.begin(MEDGEMMA, 2_000_000)
    found = look("medgemma")
    assert "only a part of" in found["weights"].says
    assert "2 MB of a file" in found["download"].says
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-2.safetensors"}}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    (copy / "model.safetensors").rename(copy / "model-1.safetensors")
    hub.put("openai/clip-vit-large-patch14", load_registry()["clip"].revision, copy)
    found = look("clip")
    assert missing(found) == {"weights"}
    assert found["weights"].says == "1 of 2 files are not there: model-2.safetensors"
    assert found["weights"].remedy.startswith("hf download openai/clip-vit-large-patch14")


def test_a_link_to_nothing_is_not_there(hub, copy):
    (copy / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model.safetensors"}}')
    snapshot = hub.put(MEDGEMMA, PINNED, copy)
    (snapshot / "model.safetensors").resolve().unlink()
    assert "1 of 1 files are not there" in look("medgemma")["weights"].says


def test_damaged_and_foreign_weights(copy):
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    found = look(str(copy))
    assert missing(found) == {"weights"}
    assert "model.safetensors is damaged or was not downloaded to its end" in found["weights"].says
    weights.rename(copy / "pytorch_model.bin")
    assert "only pytorch_model.bin: formats that can run code" in look(str(copy))["weights"].says
    (copy / "pytorch_model.bin").unlink()
    assert "no model.safetensors" in look(str(copy))["weights"].says


def test_files_of_the_processor(copy):
    for name in ("tokenizer.json", "processor_config.json", "chat_template.jinja"):
        (copy / name).unlink()
    found = look(str(copy))
    assert missing(found) == {"processor", "chat"}
    assert "the tokenizer (tokenizer.json" in found["processor"].says
    assert "the image processor (processor_config.json" in found["processor"].says
    (copy / "tokenizer_config.json").write_text('{"chat_template": "x"}')  # where older checkpoints have it
    assert look(str(copy))["chat"].state == "ok"


def test_a_dual_encoder_needs_no_chat_template(copy):
    (copy / "chat_template.jinja").unlink()
    (copy / "config.json").write_text('{"model_type": "siglip"}')
    assert not missing(look(str(copy)))


def test_folders_that_are_no_checkpoint(tmp_path):
    found = look(str(tmp_path))
    assert missing(found) == {"folder"}
    assert "without config.json" in found["folder"].says


@pytest.mark.parametrize(
    ("cards", "free", "name", "lacks", "words"),
    [
        ([], 9 * 10**9, "medgemma", True, "about 11.3 GB with room to work; 9.0 GB of memory free"),
        ([], 12 * 10**9, "medgemma", False, "12.0 GB of memory free"),
        ([("A", 24 * 10**9)], 0, "medgemma", False, "24.0 GB on the GPU"),
        ([("A", 48 * 10**9)], 10**12, "qwen2.5-vl-32b", True, "48.0 GB on the GPU"),
        ([("A", 48 * 10**9), ("B", 48 * 10**9)], 0, "qwen2.5-vl-32b", False, "96.0 GB on the GPU"),
        ([("A", 8 * 10**9), ("B", 8 * 10**9)], 0, "medgemma", True, "8.0 GB on the GPU"),
    ],
)
def test_memory(monkeypatch, cards, free, name, lacks, words):
    monkeypatch.setattr(machine, "_gpus", lambda: cards)
    monkeypatch.setattr(machine, "_free_memory", lambda: free)
    found = look(name)
    assert ("memory" in missing(found)) == lacks
    assert words in found["memory"].says
    assert found["gpu"].state == ("ok" if cards else "note")
    assert not lacks or "--audit-endpoint=URL" in found["memory"].remedy


def test_memory_of_a_container(monkeypatch, tmp_path):
    monkeypatch.undo()
    whole = machine._free_memory()
    assert whole > 10**8
    monkeypatch.setattr(machine, "_CONTROL_GROUP", tmp_path)
    for limit, expected in (("3000", 1000), ("max", None)):
        (tmp_path / "memory.max").write_text(limit)
        (tmp_path / "memory.current").write_text("2000\n")
        assert (machine._free_memory() == expected) or (expected is None and machine._free_memory() > 10**8)


def test_disk(hub, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**10, 0, 2 * 10**9))
    found = look("qwen3-vl-2b")
    assert missing(found) == {"weights", "disk"}
    assert "about 4.3 GB to download; 2.0 GB are free" in found["disk"].says
    hub.begin("Qwen/Qwen3-VL-2B-Instruct", 300_000_000)
    assert "about 4.0 GB to download" in look("qwen3-vl-2b")["disk"].says


def test_packages_that_are_missing_or_too_old(monkeypatch):
    real = machine.version

    def version(name):
        if name == "accelerate":
            raise PackageNotFoundError(name)
        return "4.57.0" if name == "transformers" else real(name)

    monkeypatch.setattr(machine, "version", version)
    found = look("reference")["packages"]
    assert found.state == "missing"
    assert found.says == "transformers is 4.57.0, needed is >=5.0, accelerate is not installed"
    assert found.remedy == install_line("local")


@pytest.mark.parametrize("name", ["biomedclip", "pubmedclip"])
def test_what_cannot_be_loaded_is_said_with_the_way_out(name):
    entry = load_registry()[name]
    assert look(name) == {"support": Finding("missing", "support", entry.unsupported, entry.instead)}


def test_import_paths(tmp_path, monkeypatch):
    name = f"doctored_{os.urandom(4).hex()}"
    (tmp_path / f"{name}.py").write_text(
        "class Fine:\n    revision = '7'\n    def generate(self, requests): return []\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert look(f"{name}:Fine")["import"].says == "it has generate(requests); revision 7"
    assert "Did you mean 'Fine'" in look(f"{name}:Fin")["import"].remedy


def test_names_that_stand_for_nothing():
    with pytest.raises(AuditkitError, match="Did you mean 'medgemma'"):
        examine("medgema")


class _Served(BaseHTTPRequestHandler):
    """Knows one model and answers "yes"."""

    def _send(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        known = {"object": "list", "data": [{"id": "vendor/model", "object": "model"}]}
        self._send(200, known) if self.path == "/v1/models" else self._send(404, {})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if asked["model"] != "vendor/model":
            return self._send(404, {"error": {"message": "no such model"}})
        message = {"role": "assistant", "content": "yes"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return self._send(200, {"id": "1", "object": "chat.completion", "model": "vendor/model", "choices": [choice]})

    def log_message(self, *arguments):
        pass


@pytest.fixture
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Served)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def test_a_server_that_has_the_model_and_one_that_has_not(address, tmp_path, monkeypatch):
    text = (
        f'[hosted]\nbackend = "openai"\nbase_url = "{address}"\nserved = "vendor/model"\n'
        'key_variable = "AUDITKIT_API_VENDOR"\n'
    )
    (tmp_path / "auditkit-models.toml").write_text(text)
    found = look("hosted")
    assert not missing(found)
    assert "'yes'" in found["server"].says
    assert (found["key"].state, "AUDITKIT_API_VENDOR is not set" in found["key"].says) == ("note", True)
    monkeypatch.setenv("AUDITKIT_API_VENDOR", "secret")
    assert look("hosted")["key"].state == "ok"
    found = look("medgemma", endpoint=address)
    assert missing(found) == {"server"}
    assert MEDGEMMA in found["server"].says
    assert "name" in found["server"].remedy


def test_the_text_is_readable_without_colour():
    findings = [Finding("ok", "packages", "torch 2"), Finding("missing", "weights", "none", "line one\nline two")]
    assert as_text("m: a model", findings).splitlines() == [
        "m: a model",
        "  ok       packages  torch 2",
        "  MISSING  weights   none",
        "                       line one",
        "                       line two",
        "Missing: weights.",
    ]
    assert as_text("m", findings[:1]).endswith("Nothing is missing.")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("tokenizer.json", '{"version": "1.0", "trunc', "damaged, no JSON: tokenizer.json"),
     ("chat_template.jinja", "{% for m in messages %}{{ m }}", "chat_template.jinja cannot be read")],
)  # fmt: skip
def test_damaged_files_are_told_before_anything_is_loaded(checkpoint, tmp_path, name, content, words):
    folder = shutil.copytree(checkpoint("llava"), tmp_path / "copy")
    (folder / name).write_text(content)
    _, findings = examine(str(folder), DEFAULTS)
    assert any(words in finding.says and finding.state == "missing" for finding in findings), findings
