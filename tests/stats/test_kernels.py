"""Nothing that is decided depends on the company of a column, nor on the kernel that multiplies matrices.

Kernels are chosen by the environment before numpy is loaded, so each is a process of its own.
"""

import json
import os
import platform
import signal
import subprocess
import sys

import numpy as np
import pytest

# Names that numpy's OpenBLAS takes; what it does not know, or the processor cannot run, is left out.
KERNELS = {
    "x86_64": ("Haswell", "Sandybridge", "Nehalem"),
    "AMD64": ("Haswell", "Sandybridge", "Nehalem"),
    "aarch64": ("ARMV8", "NEOVERSEN1"),
}.get(platform.machine(), ())


def openblas() -> bool:
    return "openblas" in str(np.show_config(mode="dicts")["Build Dependencies"]["blas"].get("name", ""))


@pytest.fixture(scope="module")
def printed(pytestconfig) -> dict[str, dict]:
    """What `tests.stats.kernels` prints, by the kernel that OpenBLAS says it took; one of them with two threads."""
    asked = {"": "2"} | dict.fromkeys(KERNELS if openblas() else (), "1")
    running = {}
    for name, threads in asked.items():
        env = os.environ | {"OPENBLAS_VERBOSE": "2", "OPENBLAS_NUM_THREADS": threads}
        env.pop("OPENBLAS_CORETYPE", None)
        env |= {"OPENBLAS_CORETYPE": name} if name else {}
        running[name] = subprocess.Popen(
            [sys.executable, "-m", "tests.stats.kernels"],
            cwd=pytestconfig.rootpath,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    found = {}
    for name, process in running.items():
        out, errors = process.communicate(timeout=300)
        if name and process.returncode == -signal.SIGILL:
            continue
        assert process.returncode == 0, errors
        taken = [line.removeprefix("Core: ") for line in errors.splitlines() if line.startswith("Core: ")]
        # The first library loaded is numpy's; without a word from it there is one kernel only.
        found["the machine's own" if not name else taken[0] if taken else "unknown"] = json.loads(out.splitlines()[-1])
    return found


def test_no_number_depends_on_the_company_of_its_column(printed):
    assert {name: result["company"] for name, result in printed.items()} == {name: [] for name in printed}


def test_no_number_depends_on_the_kernel(printed):
    if not openblas() or not KERNELS:
        pytest.skip("numpy's matrix library here has no other kernels")
    # Products of matrices do differ, so there is something to be independent of.
    assert len({result["plain"] for result in printed.values()}) >= 2
    own = printed["the machine's own"]["found"]
    for name, result in printed.items():
        assert {key: value for key, value in result["found"].items() if value != own[key]} == {}, name
