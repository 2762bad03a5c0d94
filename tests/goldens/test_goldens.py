"""Same keys, same numbers, same rates as before the names changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.goldens import computed

FOLDER = Path(__file__).parent


def golden(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def test_the_shipped_plan_asks_what_it_asked(tmp_path):
    """Ten demo images: the multiset of answer keys, so that no stored answer is asked for again."""
    assert computed.keys(tmp_path) == golden("keys.json")


def test_the_recorded_answers_get_the_same_numbers():
    """The reference model's answers on 40 demo patients: plain, disturbed, and one against the other."""
    found = json.loads(json.dumps(computed.verdicts(golden("answers.json"))))
    wanted = golden("verdicts.json")
    assert found.keys() == wanted.keys()
    for name, numbers in wanted.items():
        for now, before in zip(_flat(found[name]), _flat(numbers), strict=True):
            assert now == (pytest.approx(before, rel=1e-6, abs=2e-6) if isinstance(before, float) else before), name


def test_seeded_replicates_count_the_same():
    assert computed.rates() == golden("rates.json")


def _flat(value):
    if isinstance(value, list):
        for item in value:
            yield from _flat(item)
    else:
        yield value
