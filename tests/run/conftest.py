from dataclasses import replace

import pytest

from auditkit.images.item import ImageSet, LeftOut
from auditkit.models.base import ModelOptions
from auditkit.protocol.effects import differs, share
from auditkit.run.prepare import prepare
from auditkit.run.settings import Settings
from auditkit.vocabulary import Perturbation

LOST = share("lost", family="differential")
EFFECTS = [
    differs(Perturbation("again", 1), name="asked-twice", family="repeatability"),
    LOST.under(Perturbation("pixelate", 5)).minus(LOST).named("pixelate-s5"),
]


@pytest.fixture
def settings(tmp_path, pytestconfig) -> Settings:
    protocol = pytestconfig.rootpath / "audits" / "protocol.toml"
    return Settings(
        model="m", data="d", protocol=protocol, root=tmp_path, uid="uid-1", options=ModelOptions(batch_size=4)
    )


@pytest.fixture
def ready(settings, records, function_model):
    """A prepared run over records given, with a model given."""

    def ready(some=None, model=None, effects=EFFECTS, **changes):
        images = ImageSet("noise", records(6) if some is None else tuple(some), (LeftOut("z.txt", "no image"),))
        return prepare(
            replace(settings, **changes),
            effects,
            find_model=lambda name: model or function_model(),
            find_images=lambda source, salt, side: images,
        )

    return ready
