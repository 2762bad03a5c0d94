"""What docs/writing-audits.md shows can be typed as it stands."""

import re
from pathlib import Path

import pytest

import auditkit
from auditkit import Effect, load_protocol
from auditkit.ask.plan import check_effects

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "writing-audits.md").read_text(encoding="utf-8")
HEAD = 'name = "the page"\nseed = 1\n'
REST = '\n[profiles.ci]\nalpha = 0.05\n[prompts]\nscore = "quality.direct"\n'


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def names():
    """Everything public, as `from auditkit import *` would give it."""
    return {name: getattr(auditkit, name) for name in auditkit.__all__} | {"pytest": pytest}


@pytest.fixture
def my_package(tmp_path, monkeypatch):
    """The package that the page speaks of, made of what the page shows."""
    folder = tmp_path / "my_package"
    folder.mkdir()
    [law] = [block for block in blocks("python") if "def scratches" in block]
    [scorer] = [block for block in blocks("python") if "class Stars" in block]
    (folder / "laws.py").write_text("import numpy as np\n" + law, encoding="utf-8")
    (folder / "scorers.py").write_text(scorer, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.fixture
def protocol(my_package):
    tables = blocks("toml")
    top = [table for table in tables if not table.startswith("[")]
    path = my_package / "protocol.toml"
    path.write_text(HEAD + "".join(top) + REST + "".join(t for t in tables if t not in top), encoding="utf-8")
    return load_protocol(path)


def test_the_tables_are_a_protocol(protocol):
    named = set(protocol.entries)
    assert {"perturbation night", "perturbation scratches", "perturbation pixelate", "wording quality.ward"} <= named
    assert protocol.catalogue.task("stars").scorer.quantities[0].high == 5


def test_the_effects_can_be_asked(protocol, names):
    found = []
    for block in blocks("python"):
        if "Perturbation(" not in block and "wordings(" not in block:
            continue
        for line in block.splitlines():
            if re.match(r"[A-Z][A-Z, ]* = ", line):
                exec(line, names)
            elif re.match(r"(change|wordings)\(", line):
                effect = eval(line, names)
                assert isinstance(effect, Effect)
                found.append(effect)
    found += names["WINDOW"]
    assert len({effect.name for effect in found}) >= 6
    check_effects(found, protocol)


def test_every_constructor_verb_and_hook_is_on_the_page():
    from auditkit.plugin import hookspecs
    from auditkit.plugin.fixture import AuditFixture
    from auditkit.protocol.shipped import SHIPPED

    made = (
        "mean", "share", "change", "falls", "rises", "steps", "areas", "wordings", "differs", "between", "calibration",
        "displacement", "follows", "tracks",
    )  # fmt: skip
    verbs = [name for name in vars(AuditFixture) if not name.startswith("_")]
    hooks = [name for name in vars(hookspecs) if name.startswith("pytest_")]
    for word in (*(f"`{name}(" for name in (*made, *hooks)), *(f"audit.{verb}(" for verb in verbs), *SHIPPED):
        assert word in PAGE, word


def test_every_key_of_a_family_is_explained():
    from auditkit.protocol.model import Family, Protocol

    page = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    for key in Family.model_fields:
        assert f"`{key} = " in page, key
    for key in Protocol.model_fields:
        assert f"`{key}`" in page or f"[{key}" in page, key
