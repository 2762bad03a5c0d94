"""A question without a picture: every family's chat template takes it, beside others with one and alone."""

import pytest
from PIL import Image

from auditkit.models.base import ModelOptions, Request
from auditkit.models.local import LocalModel
from auditkit.testing import ARCHITECTURES
from tests.models.conftest import request_of

SHOWN = Image.new("L", (48, 40), 99)


def without(request: Request) -> Request:
    return Request("id", (), request.prompt, request.system, request.choices, 4, request.question)


@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if name not in ("clip", "siglip")])
def test_questions_with_and_without_a_picture_do_not_change_each_others_answers(checkpoint, architecture):
    folder = checkpoint(architecture)
    words = ("quality.direct", "quality.acceptance", "quality.reader")
    pictured = [request_of(SHOWN, name, limit=4) for name in words]
    mixed = [one for request in pictured for one in (request, without(request))]
    together = LocalModel(folder, name="m").generate(mixed)
    alone = LocalModel(folder, name="m", options=ModelOptions(exact=True)).generate(mixed)
    assert [one.text for one in together] == [one.text for one in alone]
    assert all(one.error is None for one in together)
    assert any(a.text != b.text for a, b in zip(together[::2], together[1::2], strict=True))
