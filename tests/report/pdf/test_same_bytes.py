"""Equal records give equal files, whatever the process, the place, the hour and the user's settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_another_process_elsewhere_writes_the_same_bytes(rendered: bytes, record: bytes, tmp_path: Path) -> None:
    """Other hash seed, home, time zone, language and folder, no fonts, no SOURCE_DATE_EPOCH; by the command line."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "fonts.conf").write_text(f"<fontconfig><dir>{home}</dir><cachedir>{home}</cachedir></fontconfig>")
    (tmp_path / "evidence.json").write_bytes(record)
    root = str(Path(__file__).parents[3])
    environment = {k: v for k, v in os.environ.items() if k not in ("SOURCE_DATE_EPOCH", "PYTHONHASHSEED")} | {
        "PYTHONHASHSEED": "4711", "HOME": str(home), "TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONPATH": root,
        "FONTCONFIG_FILE": str(home / "fonts.conf"),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "auditkit.cli", "report", "evidence.json", "--pdf", "again.pdf"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "again.pdf\n", "")
    assert (tmp_path / "again.pdf").read_bytes() == rendered
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.pdf", "evidence.json", "home"]
