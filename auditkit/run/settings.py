"""What a run is to do, what of it is possible, and where it leaves its files."""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from auditkit import durable, masked
from auditkit.ask.store import Store
from auditkit.errors import AuditkitError
from auditkit.images.burned_in import LEAVE_OUT
from auditkit.masked import masked_url
from auditkit.models.base import DEFAULTS, ModelOptions
from auditkit.protocol.model import MAX_LOOKS

DEFAULT_STORE = ".auditkit/answers.sqlite"
REPORTS = "reports"
RECORD = "evidence.json"


@dataclass(frozen=True)
class Settings:
    """The options of a run, parsed.

    Attributes
    ----------
    model : str
        Name, checkpoint folder or import path.
    data : str
        ``demo``, a folder, a manifest.
    protocol : pathlib.Path
        TOML file.
    profile : str or None
        Profile instead of the protocol's own choice.
    looks : int or None
        Number of looks instead of the protocol's own.
    out : pathlib.Path or None
        Output folder; None for ``reports/<model>/<run id>``.
    store : str or None
        Path or URL of the store; None for a temporary one.
    wait : float
        Seconds to wait for another run that uses the store.
    limit : int or None
        Number of patients.
    options : ModelOptions
        How the model is loaded and asked.
    engine : {"local", "ray"}
        Who asks: this process, or workers of a Ray cluster.
    workers : int or None
        Workers of a Ray cluster at most.
    scoring : {"both", "generate"}
        Whether the declared answers' log-probabilities are asked for beside the answers, or answers only.
    ask_on : bool
        Whether to go on where none of the first answers gives a score.
    embeddings : bool
        Keep the model's embeddings of every rendered image.
    burned_in : {"leave-out", "keep"}
        What becomes of images whose file declares that the picture may name or show its patient.
    report_pictures : bool
        Whether pictures stand in the record and the reports.
    references : mapping of str to pathlib.Path
        Records of earlier runs to be held against, by role (``baseline``, ``anchor``).
    roles : mapping of str to str
        Who else answers, by role: a model's name, or the path of a record (``.json``).
    outputs : tuple of pathlib.Path
        Further files that this process leaves, such as a JUnit report.
    root : pathlib.Path
        Where the default store and reports go.
    uid : str
        Id of the run, equal in all its processes.
    """

    model: str
    data: str
    protocol: Path
    root: Path
    uid: str
    profile: str | None = None
    looks: int | None = None
    out: Path | None = None
    store: str | None = DEFAULT_STORE
    wait: float = 5.0
    limit: int | None = None
    options: ModelOptions = DEFAULTS
    engine: str = "local"
    workers: int | None = None
    scoring: str = "both"
    ask_on: bool = False
    embeddings: bool = False
    burned_in: str = LEAVE_OUT
    report_pictures: bool = True
    references: Mapping[str, Path] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[Path, ...] = ()


def check(settings: Settings) -> None:
    """Refuse numbers that make no sense and options that do not go together.

    Raises
    ------
    AuditkitError
        Naming the option and what to give instead.
    """
    options = settings.options
    for role, path in settings.references.items():
        if settings.out is not None and path.resolve() == (settings.out / RECORD).resolve():
            raise AuditkitError(
                f"--audit-{role}={path} is where this run writes its own record: the earlier one would be lost.",
                f"Copy it to another folder first, or give another --audit-out (this one is {settings.out}).",
            )
    if settings.looks is not None and not 1 <= settings.looks <= MAX_LOOKS:
        raise AuditkitError(f"--audit-looks={settings.looks} is not possible.", f"Give 1 to {MAX_LOOKS}.")
    if settings.limit is not None and settings.limit < 1:
        raise AuditkitError(f"--audit-limit={settings.limit} leaves no patient.", "Give 1 or more.")
    if not 0 < options.deadline <= threading.TIMEOUT_MAX:
        raise AuditkitError(f"--audit-deadline={options.deadline:g} leaves no time to answer.", "Give seconds above 0.")
    if options.batch_size is not None and options.batch_size < 1:
        raise AuditkitError(f"--audit-batch-size={options.batch_size} asks nothing.", "Give 1 or more.")
    if settings.workers is not None and settings.engine != "ray":
        raise AuditkitError(
            f"--audit-workers={settings.workers} has no effect without a cluster.", "Add --audit-engine=ray."
        )
    if settings.engine == "ray" and options.endpoint is not None:
        raise AuditkitError(
            "--audit-engine=ray is for models in the workers' own memory; "
            f"--audit-endpoint={masked_url(options.endpoint)} has them on a server.",
            "Leave --audit-engine out and raise --audit-concurrency.",
        )


def open_store(settings: Settings) -> Store:
    """Open the store of the options; without one, a temporary store that all processes of the run share."""
    if settings.store is None:
        return Store(str(temporary_store(settings.uid)))
    if "://" in settings.store or Path(settings.store).is_absolute():
        return Store(settings.store)
    return Store(str(settings.root / settings.store))


def temporary_store(uid: str) -> Path:
    """Return the path of the store that lives as long as the run."""
    return Path(tempfile.gettempdir()) / f"auditkit-run-{uid}" / "answers.sqlite"


def remove_temporary_store(uid: str) -> None:
    """Remove what ``--audit-no-store`` left."""
    shutil.rmtree(temporary_store(uid).parent, ignore_errors=True)


def check_writable(out: Path) -> None:
    """Refuse an output folder that cannot be written, before hours of asking."""
    if re.match(r"[A-Za-z][\w+.-]+:/", str(out)):  # a folder of that name would be made
        raise AuditkitError("--audit-out is an address; reports are written into a folder.", "Give --audit-out=FOLDER.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / durable.part_name()
        probe.write_text("", encoding="utf-8")
        probe.unlink()
    except (OSError, ValueError) as error:  # the latter: a name with a zero byte
        raise AuditkitError(
            f"--audit-out={masked.shown(str(out))} cannot be written: {getattr(error, 'strerror', None) or error}.",
            "Give another folder.",
        ) from None
