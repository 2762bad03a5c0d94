"""One run, from options to evidence: the plugin and the command line call this; nothing here knows of pytest."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from auditkit.conditions import Comparison
from auditkit.errors import AuditkitError
from auditkit.evidence import Audit
from auditkit.images.record import ImageRecord, ImageSet, LeftOut
from auditkit.inference.lock import exclusive
from auditkit.inference.plan import Plan, check_comparisons, distinct, limit_clusters
from auditkit.inference.prefetch import Keys, Progress, Tally, digests, model_identity, pixel_condition, prefetch
from auditkit.inference.render import Renderer
from auditkit.inference.store import Store
from auditkit.models.base import Model
from auditkit.protocol import Protocol, load_protocol

DEFAULT_STORE = ".auditkit/answers.sqlite"
REPORTS = "reports"
SALT_FILE = ".auditkit/salt"
DEMO_SALT = "auditkit-demo"
_SALT_PATIENCE = 2.0  # seconds for another worker to write the salt file it has just made


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
    out : pathlib.Path or None
        Output folder; None for ``reports/<model>/<run id>``.
    store : str or None
        Path or URL of the store; None for a temporary one.
    limit : int or None
        Number of patients.
    batch_size : int
        Requests per call of ``generate``.
    deadline : float
        Seconds per call of ``generate``.
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
    out: Path | None = None
    store: str | None = DEFAULT_STORE
    limit: int | None = None
    batch_size: int = 32
    deadline: float = 600.0


@dataclass
class AuditRun:
    """A prepared run: everything is validated, nothing has been asked yet."""

    settings: Settings
    protocol: Protocol
    model: Model
    images: ImageSet
    plan: Plan
    store: Store
    renderer: Renderer
    protocol_first_seen: str
    started: str
    tally: Tally = field(default_factory=Tally)
    judge: Any = None
    reader: Any = None

    def estimate(self) -> DryRun:
        """Count what a run would ask, without asking, decoding or rendering anything."""
        keys = Keys(self.model, self.settings.batch_size)
        known = self.store.sources(r.content for r in self.plan.records)
        planned = held = 0
        for record in self.plan.records:
            probes = self.plan.probes(record)
            planned += len(probes)
            digest = known.get(record.content)
            if digest is None:
                continue
            rendered = self.renderer.known(digest, {pixel_condition(p.condition) for p in probes})
            addresses = [
                keys.of(p, rendered[pixel_condition(p.condition)])
                for p in probes
                if pixel_condition(p.condition) in rendered
            ]
            there = self.store.known(addresses)
            held += sum(address in there for address in addresses)
        return DryRun(planned, held, self.store.rate(model_identity(self.model)))

    def fetch(self, on_progress: Progress) -> None:
        """Ask what is missing; under several processes the first does it and the others wait and read."""
        with exclusive(self.store, self.settings.uid):
            record = self.store.session(self.settings.uid)
            if record is None:
                self.tally = prefetch(
                    self.plan,
                    self.model,
                    self.store,
                    self.renderer,
                    batch_size=self.settings.batch_size,
                    deadline=self.settings.deadline,
                    on_progress=on_progress,
                )
                answered = self.tally.asked - len(self.tally.errors)
                if answered > 0:
                    self.store.note_rate(model_identity(self.model), answered / max(self.tally.seconds, 1e-9))
                self.store.save_session(self.settings.uid, self.tally.to_record())
            else:
                self.tally = Tally.from_record(record)

    def measure(self) -> None:
        """Read the answers into arrays and make the judge ready."""
        from auditkit.criteria.judge import Judge
        from auditkit.measure import AnswerReader

        unreadable = set(self.tally.unreadable)
        readable = [r for r in self.plan.records if r.id not in unreadable]
        if not readable:
            raise AuditkitError(
                f"none of the {len(self.plan.records)} images of {self.settings.data} could be decoded; the first: "
                f"{self.tally.left_out[0].name}: {self.tally.left_out[0].reason}.",
                "Give other images with --audit-data=SRC.",
            )
        plan = Plan(tuple(readable), self.plan.comparisons, self.protocol)
        found = digests(plan, self.store, self.renderer, Tally())
        self.reader = AnswerReader(plan, found, Keys(self.model, self.settings.batch_size), self.store, self.renderer)
        self.judge = Judge(self.protocol, self.reader.measure(), plan.comparisons)

    def audit(self, comparison: Comparison, gate: str, question: str) -> Audit:
        """Return the judged record of one comparison."""
        from auditkit.criteria.cases import failing_cases

        audit: Audit = self.judge.audit(comparison, gate, question)
        if audit.verdict == "PASS":
            return audit
        cases = failing_cases(self.judge.adverse(comparison), comparison, self.reader, self.judge.data, self.protocol)
        return audit.model_copy(update={"cases": cases})

    def close(self) -> None:
        """Let go of the model and the store (see `remove_temporary_store` for the files of a temporary one)."""
        closing = getattr(self.model, "close", None)
        if callable(closing):
            closing()
        self.store.close()


@dataclass(frozen=True, slots=True)
class DryRun:
    """What ``--audit-dry-run`` prints.

    Attributes
    ----------
    planned, held : int
        Questions of the plan, and those whose answers the store holds.
    rate : float or None
        Questions per second of the last run of this model with this store.
    """

    planned: int
    held: int
    rate: float | None

    def lines(self) -> list[str]:
        """Return the text to print."""
        missing = self.planned - self.held
        if not missing:
            time = "nothing to ask"
        elif self.rate:
            time = f"about {_duration(missing / self.rate)} at {self.rate:.2g} questions/s, this model's last rate here"
        else:
            time = "unknown: this store has no earlier run of this model to go by"
        return [
            f"questions planned:      {self.planned}",
            f"answers in the store:   {self.held}",
            f"questions to ask:       {missing}",
            f"estimated time:         {time}",
            "Nothing was asked (--audit-dry-run).",
        ]


def prepare(
    settings: Settings,
    comparisons: Sequence[Comparison],
    *,
    find_model: Callable[[str], Model | None] = lambda name: None,
    find_images: Callable[[str, str, int], ImageSet | None] = lambda source, salt, side: None,
) -> AuditRun:
    """Validate everything that can be validated before a question is asked.

    Parameters
    ----------
    settings : Settings
        The options.
    comparisons : sequence of Comparison
        What the collected audits need.
    find_model, find_images : callable
        Third parties' models and image sources, asked first.

    Raises
    ------
    AuditkitError
        With what is wrong and the line to type.
    """
    from auditkit.images.sources import load_images
    from auditkit.models.resolve import resolve_model

    started = datetime.now(UTC).isoformat(timespec="seconds")
    protocol = load_protocol(settings.protocol, settings.profile)
    if settings.limit is not None and settings.limit < 1:
        raise AuditkitError(f"--audit-limit={settings.limit} leaves no patient.", "Give 1 or more.")
    if not 0 < settings.deadline <= threading.TIMEOUT_MAX:
        raise AuditkitError(f"--audit-deadline={settings.deadline:g} is no time to wait.", "Give seconds above 0.")
    if settings.batch_size < 1:
        raise AuditkitError(f"--audit-batch-size={settings.batch_size} asks nothing.", "Give 1 or more.")
    planned = distinct(comparisons)
    check_comparisons(planned, protocol)
    check_writable(settings.out or settings.root / REPORTS)
    model = find_model(settings.model) or resolve_model(settings.model, settings.batch_size)
    salt = salt_for(settings.data, settings.root)
    side = protocol.images.max_side
    images = find_images(settings.data, salt, side) or load_images(settings.data, salt=salt, max_side=side)
    if not images.records:
        raise AuditkitError(f"--audit-data={settings.data} holds no image that can be used.", "Give other images.")
    records = limit_clusters(images.records, settings.limit, protocol.seed)
    store = open_store(settings)
    return AuditRun(
        settings=settings,
        protocol=protocol,
        model=model,
        images=images,
        plan=Plan(_unique(records), planned, protocol),
        store=store,
        renderer=Renderer(store, protocol.seed),
        protocol_first_seen=store.protocol_first_seen(protocol.sha256()),
        started=started,
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
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / f".auditkit-{secrets.token_hex(4)}"
        probe.write_text("", encoding="utf-8")
        probe.unlink()
    except OSError as error:
        raise AuditkitError(
            f"--audit-out={out} cannot be written: {error.strerror or error}.", "Give another folder."
        ) from None


def salt_for(source: str, root: Path) -> str:
    """Return the salt of identifiers: from AUDITKIT_SALT, else a secret file made on first use.

    The demo's images are public, so their salt is too and their ids are the same everywhere.
    """
    if source == "demo":
        return DEMO_SALT
    given = os.environ.get("AUDITKIT_SALT")
    if given:
        return given
    path = root / SALT_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_hex(16))
    except FileExistsError:
        pass  # made before, or just now by another worker of this run
    except OSError as error:
        raise AuditkitError(
            f"the salt file {path} cannot be written: {error.strerror or error}.",
            "Set AUDITKIT_SALT to a secret of your own, or run from a folder that may be written.",
        ) from None
    salt = _read_salt(path)
    if not salt:
        raise AuditkitError(f"the salt file {path} is empty.", f"Remove it (rm {path}) or set AUDITKIT_SALT.")
    return salt


def _read_salt(path: Path) -> str:
    """Return the file's content; an empty file is given a moment, because its maker may be about to write."""
    until = time.monotonic() + _SALT_PATIENCE
    try:
        while not (salt := path.read_text(encoding="utf-8").strip()) and time.monotonic() < until:
            time.sleep(0.02)
    except (OSError, UnicodeDecodeError) as error:
        raise AuditkitError(f"the salt file {path} cannot be read: {error}.", "Set AUDITKIT_SALT instead.") from None
    return salt


def _unique(records: Sequence[ImageRecord]) -> tuple[ImageRecord, ...]:
    """Two records with one id would be counted as one image: sources must not do that."""
    seen: Mapping[str, ImageRecord] = {r.id: r for r in records}
    if len(seen) != len(records):
        raise AuditkitError("the image source gave the same id to two images; ids must be unique.")
    return tuple(records)


def all_left_out(run: AuditRun) -> list[LeftOut]:
    """Return what the source and the decoder left out, in a stable order."""
    return sorted([*run.images.left_out, *run.tally.left_out], key=lambda entry: (entry.name, entry.reason))


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
