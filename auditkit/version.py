"""Which auditkit this is, to the letter of its files, and how more of it is installed."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from auditkit import __version__

DISTRIBUTION = "pytest-auditkit"
"""What pip calls it. The package auditkit on PyPI is somebody else's."""
_COPIED = {"audits", "packs"}
_SUFFIXES = {".py", ".toml", ".j2", ".css", ".js", ".json"}


@cache
def code_version() -> str:
    """Return the version with 12 hex digits of a SHA-256 over the package's code, templates and wording.

    Two commits of one version may judge otherwise. As ``0.1.0+1f2e3d4c5b6a``; the same for a wheel, a checkout and an
    editable install of the same files.
    """
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    # What `auditkit init` copies is the user's copy, and lies elsewhere in a checkout.
    files = (p for p in folder.rglob("*") if p.suffix in _SUFFIXES and not _COPIED & {*p.relative_to(folder).parts})
    for path in sorted(files, key=lambda p: p.relative_to(folder).as_posix()):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{__version__}+{digest.hexdigest()[:12]}"


def install_line(extra: str) -> str:
    """Return the command that adds an extra to this auditkit, by the way it was installed itself.

    An editable checkout, a wheel or an archive is named again by where it came from (PEP 610), so that it is the same
    code and no package of another author; what came from an index is named with its version.

    Parameters
    ----------
    extra : str
        A key of ``[project.optional-dependencies]``, as ``pdf``.
    """
    try:
        installed = distribution(DISTRIBUTION)
        origin = json.loads(installed.read_text("direct_url.json") or "{}")
    except PackageNotFoundError:  # run from a checkout that is not installed
        checkout = Path(__file__).resolve().parents[1]
        return f'pip install -e "{checkout}[{extra}]"'
    url = str(origin.get("url", ""))
    if not url:
        return f'pip install "{DISTRIBUTION}[{extra}]=={installed.version}"'
    if "dir_info" in origin:
        editable = "-e " if origin["dir_info"].get("editable") else ""
        return f'pip install {editable}"{url2pathname(urlsplit(url).path)}[{extra}]"'
    if "vcs_info" in origin:
        url = f"{origin['vcs_info']['vcs']}+{url}@{origin['vcs_info']['commit_id']}"
    return f'pip install "{DISTRIBUTION}[{extra}] @ {url}"'
