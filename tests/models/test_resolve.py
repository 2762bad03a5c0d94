import json
import os
import shutil
import subprocess
import sys

import PIL.Image
import pytest

from auditkit.errors import AuditkitError
from auditkit.models.base import Model, ModelOptions, Request
from auditkit.models.dual_encoder import DualEncoder
from auditkit.models.endpoint import EndpointModel
from auditkit.models.local import LocalModel
from auditkit.models.reference import checkpoint
from auditkit.models.registry import VARIABLE, load_registry
from auditkit.models.resolve import resolve_model
from auditkit.testing import tiny_checkpoint
from auditkit.version import install_line
from tests.models.fake_hub import FakeHub

PINNED = load_registry()["medgemma-4b"].revision
OTHER = "0123456789abcdef0123456789abcdef01234567"

MODULE = """
from auditkit.models.base import Response
class Fine:
    name, revision, fingerprint, closed = "fine", "r", "f", False
    def generate(self, requests): return [Response("1") for _ in requests]
    def close(self): type(self).closed = True
class Bare:
    def generate(self, requests): return [Response("2") for _ in requests]
class Nameless(Bare):
    name = revision = fingerprint = None
class Needs:
    def __init__(self, path): pass
    def generate(self, requests): return []
class Mute: pass
class Raises:
    def __init__(self): raise OSError("no licence")
def make(): return Bare()
def leave(): raise SystemExit(3)
ready = Fine()
number = 3
class Nested: inner = Bare
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module to import, under a name of its own."""
    name = f"models_{os.urandom(4).hex()}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def problem(name: str) -> str:
    with pytest.raises(AuditkitError) as raised:
        resolve_model(name)
    assert str(raised.value).startswith(f"--model={name}")
    return str(raised.value)


@pytest.mark.parametrize(("attribute", "answer"), [("Fine", "1"), ("ready", "1"), ("make", "2"), ("Nested.inner", "2")])
def test_import_path(module, attribute, answer):
    model = resolve_model(f"{module}:{attribute}")
    assert isinstance(model, Model)
    assert model.generate([Request("a", (), "x")])[0].text == answer
    model.close()


def test_what_a_model_says_of_itself_is_kept_and_it_is_closed(module):
    model = resolve_model(f"{module}:Fine")
    assert (model.name, model.revision, model.fingerprint) == ("fine", "r", "f")
    model.close()
    assert sys.modules[module].Fine.closed


@pytest.mark.parametrize("attribute", ["Bare", "Nameless"])
def test_model_that_says_nothing_is_told_by_its_source(module, attribute, tmp_path, monkeypatch):
    model = resolve_model(f"{module}:{attribute}")
    assert model.name == f"{module}:{attribute}"
    assert model.revision == ""
    assert len(model.fingerprint) == 64
    other = tmp_path / f"{module}_edited.py"
    other.write_text(MODULE.replace('"2"', '"3"'))
    assert resolve_model(f"{module}_edited:{attribute}").fingerprint != model.fingerprint


def test_unknown_name_offers_the_nearest():
    text = problem("medgema")
    assert "Did you mean 'medgemma'" in text
    assert "`auditkit models` lists the names" in text


@pytest.mark.parametrize(
    ("attribute", "words"),
    [
        ("Needs", "calling Needs() failed: TypeError"),
        ("Raises", "OSError: no licence"),
        ("leave", "calling leave() failed: SystemExit: 3"),
        ("Mute", "Mute has no method generate"),
        ("number", "int has no method generate"),
        ("Fien", "Did you mean 'Fine'?"),
        ("", "has no ''"),
    ],
)
def test_objects_that_are_no_model(module, attribute, words):
    assert words in problem(f"{module}:{attribute}")


@pytest.mark.parametrize("name", ["no_such_module_here:Model", ".relative:Model", ":Model"])
def test_modules_that_cannot_be_imported(name):
    assert "cannot be imported" in problem(name)


@pytest.mark.parametrize("body", ["raise ValueError('boom')", "import sys; sys.exit(2)", "def broken(:"])
def test_modules_that_fail_while_they_are_imported(tmp_path, monkeypatch, body):
    name = f"failing_{os.urandom(4).hex()}"
    (tmp_path / f"{name}.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    assert f"'{name}' cannot be imported" in problem(f"{name}:Model")


@pytest.fixture(autouse=True)
def no_file_of_the_developers_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    hub = FakeHub(tmp_path / "hf")
    hub.use_in(monkeypatch)
    return hub


def folder_with(path, **files):
    path.mkdir(exist_ok=True)
    for name, content in files.items():
        (path / name.replace("_json", ".json")).write_text(json.dumps(content))
    return str(path)


def test_folders_that_are_no_checkpoint(tmp_path):
    assert "without config.json" in problem(folder_with(tmp_path / "empty"))
    assert "names no peft_type" in problem(folder_with(tmp_path / "adapter", adapter_config_json={"r": 8}))


@pytest.mark.slow  # asks transformers, whose import takes 2 to 7 s
def test_unfamiliar_model_types_are_looked_up(tmp_path):
    assert isinstance(resolve_model(folder_of_type(tmp_path / "aya", "aya_vision")), LocalModel)
    bert = problem(folder_with(tmp_path / "bert", config_json={"model_type": "bert"}))
    assert "'bert'; transformers knows it neither as a model that answers" in bert
    code = {"model_type": "llava_mistral", "auto_map": {"AutoModel": "modeling.Thing"}}
    assert "brings code of its own, which is never run" in problem(folder_with(tmp_path / "code", config_json=code))


def folder_of_type(path, kind):
    shutil.copytree(checkpoint(), path)
    config = json.loads((path / "config.json").read_text())
    return folder_with(path, config_json={**config, "model_type": kind})


@pytest.mark.parametrize(("kind", "backend"), [("llava", LocalModel), ("siglip", DualEncoder)])
def test_model_type_decides_what_a_folder_needs(tmp_path, kind, backend):
    model = resolve_model(folder_of_type(tmp_path / "mine", kind))
    assert isinstance(model, backend)
    assert (model.name, model.dtype) == ("mine", "float16"), "the dtype of its weights"


def test_folder_without_weights_or_with_a_part_of_them(tmp_path):
    folder = folder_with(tmp_path / "part", config_json={"model_type": "llava"})
    with pytest.raises(AuditkitError, match=r"holds no model.safetensors"):
        resolve_model(folder)
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    shutil.copy(checkpoint() / "model.safetensors", tmp_path / "part" / "model-1.safetensors")
    (tmp_path / "part" / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "1 of the weight files that the index names are not there (model-2.safetensors)" in problem(folder)


def test_folder_is_called_by_its_own_name(monkeypatch):
    monkeypatch.chdir(checkpoint())
    assert resolve_model("./").name == checkpoint().name


def test_a_pinned_commit_is_taken_whatever_main_has_become(hub):
    hub.put("google/medgemma-4b-it", PINNED, checkpoint(), main=False)
    hub.put("google/medgemma-4b-it", OTHER, checkpoint())
    model = resolve_model("medgemma")
    assert isinstance(model, LocalModel)
    assert (model.name, model.revision, model.dtype) == ("medgemma", PINNED, "bfloat16")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "architecture"),
    [("medgemma", "gemma3"), ("internvl3.5-2b", "internvl"), ("qwen3-vl-2b", "qwen3_vl"), ("smolvlm2-2.2b", "smolvlm")],
)
def test_cached_models_answer_with_the_settings_of_the_registry(hub, tmp_path_factory, name, architecture):
    entry = load_registry()[name]
    hub.put(entry.repository, entry.revision, tiny_checkpoint(architecture, tmp_path_factory.mktemp(architecture)))
    model = resolve_model(name, ModelOptions(batch_size=2))
    image = PIL.Image.new("L", (200, 156), 90)
    (answer,) = model.generate([Request("a", (image,), "Is this image sharp? 0 to 100.", max_new_tokens=3)])
    assert answer.error is None
    assert answer.text
    model.close()


def test_a_pinned_commit_is_not_replaced_by_another(hub, tmp_path):
    hub.put("google/medgemma-4b-it", OTHER, checkpoint())
    text = problem("medgemma")
    assert f"at the commit {PINNED}, which holds {OTHER}" in text
    assert f"hf download google/medgemma-4b-it --revision {PINNED}" in text
    pin = text.split("write into auditkit-models.toml:\n")[1]
    (tmp_path / "auditkit-models.toml").write_text(pin)
    assert resolve_model("medgemma").revision == OTHER


def test_without_a_pin_the_commit_found_is_the_revision(hub, tmp_path):
    assert "hf download chaoyinshe/llava-med-v1.5-mistral-7b-hf\n" in problem("llava-med-1.5")
    hub.put("chaoyinshe/llava-med-v1.5-mistral-7b-hf", OTHER, checkpoint())
    first = resolve_model("llava-med-1.5")
    assert (first.revision, first.dtype) == (OTHER, "float16")
    hub.put("chaoyinshe/llava-med-v1.5-mistral-7b-hf", PINNED, checkpoint())
    assert resolve_model("llava-med-1.5").revision == PINNED


def test_what_the_registry_says_reaches_the_back_end(hub, tmp_path):
    hub.put("OpenGVLab/InternVL3_5-2B-HF", load_registry()["internvl3.5-2b"].revision, checkpoint())
    hub.put("google/medsiglip-448", load_registry()["medsiglip"].revision, checkpoint())
    first = resolve_model("internvl3.5-2b").fingerprint
    (tmp_path / "mine.toml").write_text('["internvl3.5-2b"]\nprocessor = { crop_to_patches = true }\n')
    assert resolve_model("internvl3.5-2b", ModelOptions(registry="mine.toml")).fingerprint != first
    dual = resolve_model("medsiglip")
    assert isinstance(dual, DualEncoder)
    assert dual.revision == load_registry()["medsiglip"].revision


def test_an_unfinished_download_is_told_before_anything_is_asked(hub, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(checkpoint(), source)
    (source / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-2.safetensors"}}')
    hub.put("google/medgemma-4b-it", PINNED, source)
    assert f"Finish the download: hf download google/medgemma-4b-it --revision {PINNED}" in problem("medgemma")


@pytest.mark.parametrize(("name", "words"), [("biomedclip", "open_clip"), ("pubmedclip", "pytorch_model.bin only")])
def test_models_that_cannot_be_loaded_say_why_and_what_to_do(name, words):
    text = problem(name)
    assert f"--model={name} cannot be loaded" in text
    assert words in text
    assert load_registry()[name].instead in text


def test_a_folder_of_the_registry(tmp_path):
    entry = '[mine]\nbackend = "image-text-to-text"\nfolder = "{}"\ndtype = "bfloat16"\n'
    (tmp_path / "auditkit-models.toml").write_text(entry.format(checkpoint()))
    model = resolve_model("mine")
    assert (model.name, model.dtype, model.path) == ("mine", "bfloat16", checkpoint())
    (tmp_path / "auditkit-models.toml").write_text(entry.format("nowhere"))
    assert "which is not there" in problem("mine")


HOSTED = """
[hosted]
backend = "openai"
base_url = "http://127.0.0.1:9/v1"
served = "vendor/model"
version = "2026-11"
"""


@pytest.mark.parametrize(
    ("name", "endpoint", "served", "address"),
    [
        ("hosted", None, "vendor/model", "http://127.0.0.1:9/v1"),
        ("hosted", "http://127.0.0.1:7/v1", "vendor/model", "http://127.0.0.1:7/v1"),
        ("medgemma", "http://127.0.0.1:7/v1", "google/medgemma-4b-it", "http://127.0.0.1:7/v1"),
        ("biomedclip", "http://127.0.0.1:7/v1", "microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224", None),
        ("any/thing", "http://127.0.0.1:7/v1", "any/thing", "http://127.0.0.1:7/v1"),
    ],
)
def test_an_endpoint_goes_before_everything(tmp_path, name, endpoint, served, address):
    (tmp_path / "auditkit-models.toml").write_text(HOSTED)
    model = resolve_model(name, ModelOptions(endpoint=endpoint))
    assert isinstance(model, EndpointModel)
    assert (model.name, model.served) == (name, served)
    assert address is None or model.base_url == address
    model.close()


def _child(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


ASK = """
from auditkit.errors import AuditkitError
from auditkit.models.resolve import resolve_model
for name in {names!r}:
    try:
        resolve_model(name)
    except AuditkitError as error:
        print(error)
"""


def test_missing_packages_are_named_with_the_line_to_type(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['torch'] = sys.modules['transformers'] = None")
    found = _child(ASK.format(names=["reference", "medgemma"]), PYTHONPATH=str(tmp_path)).splitlines()
    assert len(found) == 2
    for name, line in zip(("reference", "medgemma"), found, strict=True):
        assert f"--model={name} needs torch, transformers, which are not installed" in line
        assert install_line("local") in line


def test_the_cache_is_the_one_that_hf_home_names(tmp_path):
    hub = FakeHub(tmp_path / "home")
    lines = _child(ASK.format(names=["clip"]), HF_HOME=str(hub.home)).splitlines()
    assert "weights of openai/clip-vit-large-patch14 are not in the local Hugging Face cache" in lines[0]
    assert "hf download openai/clip-vit-large-patch14 --revision 32bd6428" in lines[0]
    hub.put("openai/clip-vit-large-patch14", load_registry()["clip"].revision, checkpoint())
    assert _child(ASK.format(names=["clip"]), HF_HOME=str(hub.home)) == ""


def test_resolving_imports_no_torch():
    assert _child("import sys; from auditkit.models.resolve import resolve_model; resolve_model('reference');"
                  "print('torch' in sys.modules)") == "False\n"  # fmt: skip


def test_entry_that_names_the_wrong_back_end_for_its_folder(checkpoint, tmp_path):
    file = tmp_path / "models.toml"
    file.write_text(
        f'[mine]\nbackend = "dual-encoder"\nfolder = "{checkpoint("llava")}"\nlicence = "x"\ndescription = "d"\n'
    )
    with pytest.raises(AuditkitError, match=r'backend = "dual-encoder", but the checkpoint .* image-text-to-text'):
        resolve_model("mine", ModelOptions(registry=str(file)))


def test_processor_setting_that_does_not_exist(checkpoint, tmp_path):
    file = tmp_path / "models.toml"
    file.write_text(
        f'[mine]\nbackend = "image-text-to-text"\nfolder = "{checkpoint("internvl")}"\nlicence = "x"\n'
        'description = "d"\nprocessor = { crop_to_patchs = false }\n'
    )
    model = resolve_model("mine", ModelOptions(registry=str(file)))
    with pytest.raises(AuditkitError, match=r"no setting 'crop_to_patchs'\. Did you mean 'crop_to_patches'"):
        model.generate([Request("", (PIL.Image.new("L", (32, 32)),), "x")])


def test_module_in_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "lying_here.py").write_text("class M:\n    def generate(self, requests):\n        return []\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    assert resolve_model("lying_here:M").name == "lying_here:M"
