"""A pack is one name: its tasks, its effects, its audits and what the reports say of its families."""

import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import auditkit
from auditkit import load_protocol, tasks
from auditkit.report.questions import OF_PACKS

ROOT = Path(__file__).parents[2]


def test_every_folder_of_audits_is_a_pack_and_every_pack_has_one():
    assert {path.parent.name for path in ROOT.glob("packs/*/protocol.toml")} == set(tasks.PACKS)


@pytest.mark.parametrize("name", tasks.PACKS)
def test_a_pack_has_tasks_effects_and_families(name):
    made = getattr(auditkit, name)
    assert made is import_module(f"auditkit.protocol.{name}")
    assert name in auditkit.__all__
    families = load_protocol(ROOT / "packs" / name / "protocol.toml").families
    assert set(families) == set(made.FAMILIES)
    assert {effect.family for make in made.FAMILIES.values() for effect in make()} == set(families)
    assert list(tasks.pack(name))


def test_what_the_reports_say_of_packs_is_of_families_of_packs():
    declared = [tomllib.loads(path.read_text())["families"] for path in ROOT.glob("packs/*/protocol.toml")]
    assert set(OF_PACKS) == {family for families in declared for family in families}
