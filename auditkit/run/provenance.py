"""Where a record comes from: the packages, the machine."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from auditkit.version import code_version

PACKAGES = ("pytest", "numpy", "scipy", "pillow", "pydicom", "torch", "transformers", "tokenizers", "peft")


def packages() -> dict[str, str]:
    """Return the versions of Python, of auditkit and of the packages that an answer or a number may depend on."""
    known = {"python": sys.version.split()[0]}
    for name in PACKAGES:
        try:
            known[name] = version(name)
        except PackageNotFoundError:
            continue
    return known | {"auditkit": code_version()}


def machine() -> dict[str, str | int]:
    """Return what ran it, without any name."""
    found: dict[str, str | int] = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 0,
    }
    gpus = _gpus()
    return found | {"gpus": gpus} if gpus else found


def _gpus() -> str:
    """Return the GPUs that torch saw; empty where it was not needed. Importing it only to tell would take seconds."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return ""
    return ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
