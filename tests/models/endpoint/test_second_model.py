"""A model on this machine and the same one on a server, in one run: each through its own back end, with one store."""

from pathlib import Path

import numpy as np
import pytest

from auditkit.images.item import ImageSet, Item, Picture
from auditkit.models.base import ModelOptions
from auditkit.models.local import LocalModel
from auditkit.protocol.effects import mean, versus
from auditkit.run.models import role_infos
from auditkit.run.prepare import prepare
from auditkit.run.record import header
from auditkit.run.settings import Settings
from tests.models.endpoint.faults import SERVED, Server

PROTOCOL = """
name = "two"
seed = 7
[profiles.ci]
alpha = 0.05
[images]
max_side = 96
[prompts]
score = "quality.direct"
[families.sibling]
within = 5.0
size = 1
"""
EFFECT = versus(mean(family="sibling"))


def pictures(number=6):
    return tuple(
        Item(
            id=f"i{i}",
            cluster=f"p{i}",
            modality="ct",
            pictures=(
                Picture(
                    content=f"{i:064x}",
                    read=lambda i=i: np.random.default_rng(i).integers(0, 256, (96, 96), dtype=np.uint8),
                ),
            ),
            synthetic=True,
            source="noise",
        )
        for i in range(number)
    )


@pytest.fixture
def run_with(tmp_path):
    """A prepared run of the reference model beside a model of the registry on a server."""

    def run_with(address, served, uid="one", **options):
        (tmp_path / "protocol.toml").write_text(PROTOCOL)
        (tmp_path / "models.toml").write_text(
            f'[there]\nbackend = "openai"\nbase_url = "{address}"\nserved = "{served}"\nversion = "1"\n'
        )
        settings = Settings(
            model="reference",
            data="noise",
            protocol=Path(tmp_path / "protocol.toml"),
            root=tmp_path,
            uid=uid,
            roles={"sibling": "there"},
            options=ModelOptions(registry=str(tmp_path / "models.toml"), deadline=60.0, **options),
        )
        found = ImageSet("noise", pictures())
        return prepare(settings, [EFFECT], find_images=lambda source, salt, side: found)

    return run_with


def test_the_same_checkpoint_here_and_on_a_server(real_server, run_with):
    port, served = real_server
    run = run_with(f"http://127.0.0.1:{port}/v1", served, dtype="float16")
    run.fetch(lambda tally: None)
    run.measure()
    assert [(who.role, who.tally.asked, who.tally.errors) for who in run.answerers] == [
        ("model", 6, {}),
        ("sibling", 6, {}),
    ]
    audit = run.audit(EFFECT, "Alike?")
    assert (audit.n_images, audit.estimate.value) == (6, 0)
    (other,) = header(run).models
    assert (other.given, other.name, other.backend, other.outcomes.scored) == ("server", "there", "openai", 6)
    assert other.fingerprint != run.answerers[0].model.fingerprint
    run.close()


def test_the_endpoint_option_is_the_audited_models_alone(run_with):
    with Server() as server:
        run = run_with(server.url, SERVED)
        assert [who.served for who in run.answerers] == [False, True]
        run.close()
        with Server() as another:
            run = run_with(server.url, SERVED, uid="two", endpoint=another.url)
            assert [who.model.base_url for who in run.answerers] == [another.url, server.url]
            run.close()


def test_weights_are_let_go_before_the_next_model_is_asked(run_with, monkeypatch):
    said = []
    generate, release = LocalModel.generate, LocalModel.release
    monkeypatch.setattr(LocalModel, "generate", lambda self, some: [said.append("here"), generate(self, some)][1])
    monkeypatch.setattr(LocalModel, "release", lambda self: [said.append("let go"), release(self)][1])
    with Server() as server:
        run = run_with(server.url, SERVED)
        run.fetch(lambda tally: said.append("there") if tally is run.answerers[1].tally and tally.done else None)
        assert list(dict.fromkeys(said)) == ["here", "let go", "there"]
        assert run.model._engine is None
        run.measure()
        assert role_infos(run, header(run).answers)[0].probes.asked == 6
        run.close()
