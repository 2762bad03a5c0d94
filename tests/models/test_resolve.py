import os
import subprocess
import sys

import pytest

from auditkit.errors import AuditkitError
from auditkit.models.base import Model, Request
from auditkit.models.resolve import registry, resolve_model

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
        resolve_model(name, 8)
    assert str(raised.value).startswith(f"--model={name}")
    return str(raised.value)


@pytest.mark.parametrize(("attribute", "answer"), [("Fine", "1"), ("ready", "1"), ("make", "2"), ("Nested.inner", "2")])
def test_import_path(module, attribute, answer):
    model = resolve_model(f"{module}:{attribute}", 8)
    assert isinstance(model, Model)
    assert model.generate([Request("a", (), "x")])[0].text == answer
    model.close()


def test_what_a_model_says_of_itself_is_kept_and_it_is_closed(module):
    model = resolve_model(f"{module}:Fine", 8)
    assert (model.name, model.revision, model.fingerprint) == ("fine", "r", "f")
    model.close()
    assert sys.modules[module].Fine.closed


@pytest.mark.parametrize("attribute", ["Bare", "Nameless"])
def test_model_that_says_nothing_is_told_by_its_source(module, attribute, tmp_path, monkeypatch):
    model = resolve_model(f"{module}:{attribute}", 8)
    assert model.name == f"{module}:{attribute}"
    assert model.revision == ""
    assert len(model.fingerprint) == 64
    other = tmp_path / f"{module}_edited.py"
    other.write_text(MODULE.replace('"2"', '"3"'))
    assert resolve_model(f"{module}_edited:{attribute}", 8).fingerprint != model.fingerprint


def test_unknown_name_offers_the_nearest():
    text = problem("medgema")
    assert "Did you mean medgemma?" in text
    assert all(name in text for name in registry())


@pytest.mark.parametrize(
    ("attribute", "words"),
    [
        ("Needs", "calling Needs() failed: TypeError"),
        ("Raises", "OSError: no licence"),
        ("leave", "calling leave() failed: SystemExit: 3"),
        ("Mute", "Mute has no method generate"),
        ("number", "int has no method generate"),
        ("Fien", "Did you mean Fine?"),
        ("", "has no attribute ''"),
    ],
)
def test_objects_that_are_no_model(module, attribute, words):
    assert words in problem(f"{module}:{attribute}")


@pytest.mark.parametrize("name", ["no_such_module_here:Model", ".relative:Model", ":Model"])
def test_modules_that_cannot_be_imported(name):
    assert "importing" in problem(name)


@pytest.mark.parametrize("body", ["raise ValueError('boom')", "import sys; sys.exit(2)", "def broken(:"])
def test_modules_that_fail_while_they_are_imported(tmp_path, monkeypatch, body):
    name = f"failing_{os.urandom(4).hex()}"
    (tmp_path / f"{name}.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    assert f"importing {name} failed" in problem(f"{name}:Model")


def test_folders(tmp_path):
    assert "without config.json" in problem(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(AuditkitError, match=r"holds no \*.safetensors weights"):
        resolve_model(str(tmp_path), 8)


def test_folder_is_called_by_its_own_name(checkpoint, monkeypatch):
    folder = checkpoint()
    monkeypatch.chdir(folder)
    assert resolve_model("./", 8).name == folder.name


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
        resolve_model(name, 8)
    except AuditkitError as error:
        print(error)
"""


def test_missing_packages_are_named_with_the_line_to_type(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['torch'] = sys.modules['transformers'] = None")
    found = _child(ASK.format(names=["reference", "medgemma"]), PYTHONPATH=str(tmp_path)).splitlines()
    assert len(found) == 2
    for name, line in zip(("reference", "medgemma"), found, strict=True):
        assert f"--model={name} needs torch, transformers, which are not installed" in line
        assert 'pip install "auditkit[local]"' in line


def test_missing_weights_are_named_with_the_line_to_type(tmp_path):
    found = _child(ASK.format(names=["medgemma"]), HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1")
    assert "weights of google/medgemma-4b-it are not in the local Hugging Face cache" in found
    assert "hf download google/medgemma-4b-it" in found


def test_resolving_imports_no_torch():
    assert _child("import sys; from auditkit.models.resolve import resolve_model; resolve_model('reference', 8);"
                  "print('torch' in sys.modules)") == "False\n"  # fmt: skip
