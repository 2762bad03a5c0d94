"""Model objects of somebody else's: what they say is handed on, and what they do not say is said."""

import os
import sys

import pytest

from auditkit.ask.keys import digest_of
from auditkit.ask.requests import answers_identity, model_identity
from auditkit.models.base import ModelOptions
from auditkit.models.resolve import resolve_model

MODULE = """
from auditkit.models.base import Response
class Says:
    fingerprint, batch_size, call_deadline, description = "f", 7, 1234.0, "a ward's own"
    limits = ("It sees one channel.",)
    embeddings = ("vision",)
    something_new = {"of": "tomorrow"}
    def generate(self, requests): return [Response("1") for _ in requests]
    def embed(self, requests, kind="vision"): return "vectors"
class Silent:
    limits = ("It sees one channel.",)
    def generate(self, requests): return [Response("2") for _ in requests]
class Empty(Silent):
    limits = description = batch_size = None
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    name = f"imported_{os.urandom(4).hex()}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_everything_an_object_says_is_handed_on(module):
    model = resolve_model(f"{module}:Says")
    own = sys.modules[module].Says
    for name in ("batch_size", "call_deadline", "description", "limits", "embeddings", "something_new", "fingerprint"):
        assert getattr(model, name) == getattr(own, name), name
    assert model.embed([], "vision") == "vectors"
    assert not hasattr(model, "no_such_thing")


def test_what_is_set_to_nothing_counts_as_not_said(module):
    model = resolve_model(f"{module}:Empty")
    assert model.batch_size is None
    assert len(model.limits) == 1  # that it has no fingerprint


def test_answers_without_a_fingerprint_belong_to_their_run(module):
    one, other = (resolve_model(f"{module}:Silent", ModelOptions(run=run)) for run in ("one", "other"))
    assert answers_identity(one) != answers_identity(other)
    assert answers_identity(one) == answers_identity(resolve_model(f"{module}:Silent", ModelOptions(run="one")))
    assert model_identity(one) == model_identity(other), "what was judged before is remembered over runs"
    assert one.limits[0] == "It sees one channel."
    assert "gives no fingerprint" in one.limits[1]
    assert "answers stored by earlier runs were not used" in one.limits[1]


def test_they_are_used_again_where_that_is_asked_for(module):
    one, other = (resolve_model(f"{module}:Silent", ModelOptions(run="")) for _ in range(2))
    assert answers_identity(one) == answers_identity(other) == model_identity(one)
    assert "--audit-reuse-unfingerprinted" in one.limits[-1]


def test_a_fingerprint_makes_answers_last_whatever_the_run(module):
    one, other = (resolve_model(f"{module}:Says", ModelOptions(run=run)) for run in ("one", "other"))
    assert answers_identity(one) == answers_identity(other)
    assert answers_identity(one) == digest_of(f"{module}:Says", "", "f"), "stored answers keep their keys"
    assert one.limits == ("It sees one channel.",)
