"""Reading every distinct text once gives what reading every text gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from auditkit.protocol.read import load_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.testing import NOISES, Asked, FairReader, Replies, made_up_images, simulate
from auditkit.vocabulary import Question
from validation.asking import answers
from validation.models import REFUSAL
from validation.setting import SHIPPED_PROTOCOL

PROTOCOL = load_protocol(SHIPPED_PROTOCOL)
EFFECTS = [effect for name, make in SHIPPED.items() if not PROTOCOL.families[name].shown for effect in make()]


@dataclass(frozen=True)
class Mixed:
    """Refuses some images, talks about others, and leaves the scale now and then."""

    def answer(self, asked: Asked) -> Replies:
        replies = FairReader(noise=NOISES["discrete"]).answer(asked)
        u = asked.draw("mixed").random(len(asked.subjects))
        replies = Replies(np.where(u > 0.9, 140.0, replies.scores))
        return replies.where(u < 0.1, REFUSAL).where((u >= 0.1) & (u < 0.2), "It shows what it shows.")


@dataclass(frozen=True)
class Silent:
    def answer(self, asked: Asked) -> Replies:
        return Replies(np.full(len(asked.subjects), 50.0)).where(np.ones(len(asked.subjects), dtype=bool), REFUSAL)


@dataclass(frozen=True)
class OneWord:
    """Says the same of every image, which is right of some."""

    def answer(self, asked: Asked) -> Replies:
        n = len(asked.subjects)
        return Replies(np.full(n, 50.0)).where(np.ones(n, dtype=bool), "A")


def test_one_text_is_read_by_what_is_right_of_each_item():
    data = answers(OneWord(), made_up_images({"ct": 9, "xray": 7}), SHIPPED["recognition_loss"](), PROTOCOL, 4)
    correct = data.column(PROTOCOL.resolve(Question("modality"))).values["correct"]
    assert correct.tolist() == [float(record.modality == "ct") for record in data.records]  # A is CT or MRI


@pytest.mark.parametrize(
    "model", [FairReader(noise=NOISES["fine"]), Mixed(), Silent()], ids=["fine", "mixed", "silent"]
)
def test_the_same_columns(model):
    records = made_up_images({"ct": 9, "xray": 7}, (1, 3))
    one, other = (how(model, records, EFFECTS, PROTOCOL, 4) for how in (simulate, answers))
    assert one.asked() == other.asked()
    for question in one.asked():
        a, b = one.column(question), other.column(question)
        assert a.outcomes.tolist() == b.outcomes.tolist(), question
        assert a.values.keys() == b.values.keys()
        for name in a.values:
            assert np.array_equal(a.values[name], b.values[name], equal_nan=True), (question, name)
        assert (a.labels is None) == (b.labels is None)
        assert a.labels is None or a.labels.tolist() == b.labels.tolist()
