"""A local cache of the hub, laid out as huggingface_hub lays it out: blobs, links to them, refs."""

from __future__ import annotations

import hashlib
from pathlib import Path


class FakeHub:
    """A folder for HF_HOME.

    Parameters
    ----------
    home : Path
        Where to make it.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.cache = home / "hub"

    def use_in(self, monkeypatch) -> None:
        """Let huggingface_hub, which reads HF_HOME once when it is imported, look here for the rest of a test."""
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(self.cache))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(self.home / "token"))
        monkeypatch.setattr(constants, "HF_STORED_TOKENS_PATH", str(self.home / "stored_tokens"))
        for variable in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(variable, raising=False)

    def put(
        self, repository: str, commit: str, source: Path, *, main: bool = True, without: tuple[str, ...] = ()
    ) -> Path:
        """Make the snapshot that a download of ``source`` would leave, and return its folder."""
        top = self.cache / f"models--{repository.replace('/', '--')}"
        snapshot = top / "snapshots" / commit
        for folder in (top / "blobs", top / "refs", snapshot):
            folder.mkdir(parents=True, exist_ok=True)
        for file in source.iterdir():
            if file.is_file() and file.name not in without:
                blob = top / "blobs" / hashlib.sha256(file.read_bytes()).hexdigest()
                blob.write_bytes(file.read_bytes())
                (snapshot / file.name).symlink_to(f"../../blobs/{blob.name}")
        if main:
            (top / "refs" / "main").write_text(commit)
        return snapshot

    def begin(self, repository: str, size: int) -> None:
        """Leave what an interrupted download leaves."""
        blobs = self.cache / f"models--{repository.replace('/', '--')}" / "blobs"
        blobs.mkdir(parents=True, exist_ok=True)
        with (blobs / ("0" * 64 + ".incomplete")).open("wb") as stream:
            stream.truncate(size)
