"""Cutting work to a memory bound, and going on by halves when memory runs out."""

import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.models.local.cost import RowCost
from auditkit.models.memory import by_halves, is_out_of_memory, rows_within


@given(st.lists(st.integers(1, 100), max_size=40), st.none() | st.integers(1, 500), st.integers(1, 12))
def test_chunks_keep_the_bound_and_lose_nothing(costs, budget, most):
    lengths = rows_within(costs, budget, most)
    assert sum(lengths) == len(costs)
    at = 0
    for length in lengths:
        chunk = costs[at : at + length]
        assert 1 <= length <= most
        assert budget is None or length == 1 or length * max(chunk) <= budget
        at += length


class Hungry:
    """Fails above so many items, as an allocator does, and keeps a record of what it was given."""

    def __init__(self, most: int, error: Exception) -> None:
        self.most, self.error, self.tried = most, error, []

    def __call__(self, items):
        self.tried.append(len(items))
        if len(items) > self.most:
            raise self.error
        return [item * 10 for item in items]


CPU = RuntimeError("[enforce fail at alloc_cpu.cpp:128] DefaultCPUAllocator: can't allocate memory: you tried to")


@pytest.mark.parametrize("error", [MemoryError(), CPU, RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")])
def test_halves_until_it_fits(error):
    work = Hungry(3, error)
    assert by_halves(work, range(10), lambda item, reason: -1) == [item * 10 for item in range(10)]
    assert work.tried[:2] == [10, 5]


def test_what_does_not_even_fit_alone_is_given_up_and_nothing_else():
    def work(items):
        if 4 in items:
            raise MemoryError("of four")
        return list(items)

    assert by_halves(work, range(8), lambda item, reason: (item, reason)) == [
        0, 1, 2, 3, (4, "MemoryError: of four"), 5, 6, 7,
    ]  # fmt: skip


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    assert not is_out_of_memory(KeyError("out of memory"))
    with pytest.raises(ZeroDivisionError):
        by_halves(lambda items: 1 / 0, [1, 2], lambda item, reason: None)


def test_costs_grow_with_everything_that_takes_memory(checkpoint):
    from auditkit.models.local.loading import load

    cost = RowCost(load(checkpoint("llava"), "x", dtype="float32").model)
    base = cost(200, 20, 2, 64)
    assert 0 < base < 100_000_000
    assert min(cost(400, 20, 2, 64), cost(200, 40, 2, 64), cost(200, 20, 9, 64), cost(200, 20, 2, 128)) > base


SCRIPT = """
import resource, sys
import numpy as np
from pathlib import Path
from PIL import Image
from auditkit.models.base import ModelOptions, Request
from auditkit.models.local import LocalModel
from auditkit.protocol.catalogue import Catalogue
from auditkit.vocabulary import Question

model = LocalModel(Path(sys.argv[1]), name="x")
prompt = Catalogue.of({}, {}, "quality.direct").prompt(Question())
images = [Image.fromarray(np.random.default_rng(i).integers(0, 256, (64, 64), dtype=np.uint8)) for i in range(16)]
requests = [Request("", (image,), prompt.user + " x" * 700, None, prompt.choices, 8) for image in images]
model.generate(requests[:1])
wanted = [model.generate([request])[0].text for request in requests]
for slack in (64, 48, 32, 24, 16, 12, 8):  # how much one batch takes depends on the versions of the libraries
    used = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmSize")) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (used + slack * 2**20, resource.RLIM_INFINITY))
    found = model.generate(requests)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if model._loaded().halved:
        break
print([r.text for r in found] == wanted, sum(r.error is not None for r in found), model._loaded().halved)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a limit on the address space")
def test_a_real_lack_of_memory_halves_the_batch_and_goes_on(checkpoint):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(checkpoint("llava"))],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    same, errors, halved = done.stdout.split()
    assert (same, errors) == ("True", "0")
    assert int(halved) > 0, "the limit was not tight enough to show anything"
