"""What the machine has: packages, memory, GPU, disk, access to the hub."""

from __future__ import annotations

import shutil
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

from auditkit.models.doctor.findings import Finding, gigabytes
from auditkit.models.on_disk import cache_folder
from auditkit.models.registry import Entry
from auditkit.version import DISTRIBUTION, install_line

_PACKAGES = {
    "local": ("torch", "transformers", "tokenizers", "safetensors", "accelerate"),
    "endpoint": ("httpx2", "tenacity"),
    "peft": ("peft",),
}
_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
_LIBRARIES = 1_000_000_000
"""Bytes beside weights and batches: 0.45 GB once the reference model had answered (CPU), rounded up generously."""
_BATCH_SHARE = 0.2
"""Room for a batch, as a share of the weights. A guess to plan with: batches are halved when memory runs out."""
_CONTROL_GROUP = Path("/sys/fs/cgroup")


def packages(extra: str) -> Finding:
    """Compare the installed packages with those of an extra, and with the versions that auditkit asks for."""
    from packaging.requirements import Requirement

    asked = {need.name: need.specifier for need in map(Requirement, requires(DISTRIBUTION) or [])}
    found, lacking = [], []
    for name in _PACKAGES[extra]:
        try:
            has = version(name)
        except PackageNotFoundError:
            lacking.append(f"{name} is not installed")
            continue
        if name in asked and not asked[name].contains(has, prereleases=True):
            lacking.append(f"{name} is {has}, needed is {asked[name]}")
        else:
            found.append(f"{name} {has}")
    if lacking:
        return Finding("missing", "packages", ", ".join(lacking), install_line(extra))
    return Finding("ok", "packages", ", ".join(found))


def access(entry: Entry) -> list[Finding]:
    """Say whether a gated repository can be downloaded, as far as can be told from here. The token is not shown."""
    from huggingface_hub import get_token

    page = f"https://huggingface.co/{entry.repository}"
    licence = Finding("note", "licence", f"{entry.licence}: accept it once, logged in, at {page}")
    if get_token():
        return [licence, Finding("ok", "token", "a token of the hub is there (HF_TOKEN, or saved by hf auth login)")]
    return [licence, Finding("missing", "token", "no token of the hub (HF_TOKEN, or hf auth login)", "hf auth login")]


def disk(entry: Entry) -> Finding | None:
    """Say whether a download fits beside what is already in the cache; None when its size is not known."""
    if entry.parameters is None:
        return None
    own = cache_folder(entry.repository or "")
    there = sum(path.stat().st_size for path in own.glob("blobs/*"))
    needed = max(entry.parameters * 1e9 * _BYTES[entry.dtype or "bfloat16"] - there, 0)
    place = next(folder for folder in (own, *own.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    says = f"about {gigabytes(needed)} to download; {gigabytes(free)} are free at {cache_folder()}"
    if needed > free:
        return Finding("missing", "disk", says, "export HF_HOME=/a/folder/on/a/larger/disk")
    return Finding("ok", "disk", says)


def memory(parameters: float, dtype: str, over_all_gpus: bool, size: int | None = None) -> list[Finding]:
    """Compare weights and room to work with the memory of the GPU, or of the machine where there is none.

    Parameters
    ----------
    parameters : float
        Number of weights.
    dtype : str
        In which they are loaded.
    over_all_gpus : bool
        Whether the model is spread over several GPUs.
    size : int or None
        Bytes of quantised weights, which the dtype does not tell.
    """
    cards = _gpus()
    says = ", ".join(f"{name} with {gigabytes(size)}" for name, size in cards)
    gpu = Finding("ok", "gpu", says) if cards else Finding("note", "gpu", "none seen by torch: the processor is used")
    weights = parameters * _BYTES[dtype] if size is None else size
    needed = _needed(weights)
    if cards:
        sizes = [size for _, size in cards]
        has, where = (sum(sizes) if over_all_gpus else sizes[0]), "on the GPU"
    else:
        free = _free_memory()
        if free is None:
            return [gpu]
        has, where = free, "of memory free"
    stored = f"in {dtype}" if size is None else "as they are stored"
    takes = f"{gigabytes(weights)} of weights {stored}, about {gigabytes(needed)} with room to work"
    says = f"{takes}; {gigabytes(has)} {where}"
    if needed <= has:
        return [gpu, Finding("ok", "memory", says)]
    ways = []
    if size is None and _BYTES[dtype] > 2 and _needed(parameters * 2) <= has:
        ways.append("Load it in half precision, which rounds its weights: --audit-dtype=bfloat16")
    if cards and not over_all_gpus and needed <= sum(size for _, size in cards) + (_free_memory() or 0):
        ways.append('Divide it over all GPUs and memory, slowly: device_map = "auto" in its registry entry')
    ways.append("Serve it on a larger machine and give --audit-endpoint=URL")
    return [gpu, Finding("missing", "memory", says, "\n".join(ways))]


def _needed(weights: float) -> float:
    return weights * (1 + _BATCH_SHARE) + _LIBRARIES


def _gpus() -> list[tuple[str, int]]:
    """Name and bytes of every GPU that torch can use."""
    if find_spec("torch") is None:
        return []
    import torch

    cards = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    return [(card.name, card.total_memory) for card in cards]


def _free_memory() -> int | None:
    """Bytes free on this machine, or within the container's limit; None when psutil (of the local extra) is missing."""
    if find_spec("psutil") is None:
        return None
    import psutil  # type: ignore[import-untyped]

    free = int(psutil.virtual_memory().available)
    try:
        limit, used = ((_CONTROL_GROUP / name).read_text().strip() for name in ("memory.max", "memory.current"))
        return free if limit == "max" else min(free, int(limit) - int(used))
    except (OSError, ValueError):  # no control group of this kind
        return free
