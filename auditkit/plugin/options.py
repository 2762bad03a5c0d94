"""The options of the command line, and the settings of a run that they stand for.

Imported in every pytest session, so it imports the standard library and pytest only.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from auditkit.plugin.alias import ALIAS, OPTION

if TYPE_CHECKING:
    import argparse

    from auditkit.run.settings import Settings

_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def whole(option: str) -> Any:
    """Return a parser of whole numbers from 1."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise pytest.UsageError(f"{option}={text}: give a whole number.") from None
        if value < 1:
            raise pytest.UsageError(f"{option}={text}: give 1 or more.")
        return value

    return parse


def positive(option: str) -> Any:
    """Return a parser of numbers above 0."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise pytest.UsageError(f"{option}={text}: give a number.") from None
        if not 0 < value < float("inf"):
            raise pytest.UsageError(f"{option}={text}: give a number above 0.")
        return value

    return parse


def size(option: str) -> Any:
    """Return a parser of amounts of memory: ``8G``, ``500MB``, ``1.5 GiB`` (units of 1024)."""

    def parse(text: str) -> int:
        found = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([kmgt]?)(i?b)?\s*", text.lower())
        if found is None or float(found[1]) == 0:
            raise pytest.UsageError(f"{option}={text}: give an amount of memory such as 8G or 500M.")
        return max(int(float(found[1]) * _UNITS[found[2]]), 1)

    return parse


def named(option: str, file: str = "an evidence.json") -> Any:
    """Return a parser of file names; an empty one, of a variable that is not set, is no way to leave an option out."""

    def parse(text: str) -> str:
        if not text.strip():
            raise pytest.UsageError(f"{option}= names no file: give {file}, or leave the option out.")
        return text

    return parse


OPTIONS: dict[str, dict[str, Any]] = {
    OPTION: {
        "metavar": "NAME",
        "help": "model to audit: a registry name, a checkpoint folder, or module:attribute; --model=NAME is short for "
        "it where no other plugin or conftest.py has an option --model",
    },
    "--audit-data": {
        "metavar": "SRC",
        "default": "demo",
        "help": "images: demo, a folder, a manifest (.csv, .jsonl, .parquet), or a public layout (MedMNIST, "
        "MediMeta-C, …; #SPLIT behind it for one split); default: demo",
    },
    "--audit-protocol": {"metavar": "FILE", "help": "criteria; default: protocol.toml beside the audits"},
    "--audit-profile": {
        "metavar": "NAME",
        "help": "profile of the protocol to use: ci, pilot, quick; default: its own choice",
    },
    "--audit-looks": {
        "metavar": "K",
        "type": whole("--audit-looks"),
        "help": "look up to 4 times as patients come in and stop asking what is settled; part of the protocol",
    },
    "--audit-out": {"metavar": "DIR", "help": "output folder; default: reports/<model>/<run id>/"},
    "--audit-report": {
        "metavar": "WHICH",
        "choices": ("both", "html"),
        "default": "both",
        "help": "both: report.html and, with the extra [pdf], report.pdf; html: no PDF; default: both",
    },
    "--audit-report-pictures": {
        "metavar": "WHETHER",
        "choices": ("yes", "no"),
        "default": "yes",
        "help": "no: reports and evidence.json without any picture; default: yes",
    },
    "--audit-burned-in": {
        "metavar": "WHAT",
        "choices": ("leave-out", "keep"),
        "default": "leave-out",
        "help": "images whose file declares a name or a face in the picture: leave-out, or keep to ask about them and "
        "show none of them; default: leave-out",
    },
    "--audit-store": {
        "metavar": "URL",
        "help": "answer store, a file or a database URL; default: .auditkit/answers.sqlite",
    },
    "--audit-wait": {
        "metavar": "SECONDS",
        "type": positive("--audit-wait"),
        "default": 5.0,
        "help": "how long to wait for another run that uses the same store; default: 5",
    },
    "--audit-no-store": {"action": "store_true", "help": "keep no answers beyond this run"},
    "--audit-limit": {
        "metavar": "N",
        "type": whole("--audit-limit"),
        "help": "audit a seeded subset of N patients, spread over the modalities; default: all",
    },
    "--audit-dry-run": {
        "action": "store_true",
        "help": "print what would be asked and how long it would take; ask nothing",
    },
    "--audit-list": {
        "action": "store_true",
        "help": "print every audit with its question, source, hazard, limit and the fewest patients that a PASS takes; "
        "ask nothing",
    },
    "--audit-list-json": {
        "metavar": "FILE",
        "type": named("--audit-list-json", "one to write"),
        "help": "write the same list as JSON; ask nothing",
    },
    "--audit-allow-inconclusive": {
        "action": "store_true",
        "help": "let INCONCLUSIVE audits not fail the session; they are still no pass",
    },
    "--audit-baseline": {
        "metavar": "FILE",
        "type": named("--audit-baseline"),
        "help": "evidence.json of the previous version: also test that nothing became worse than in that run",
    },
    "--audit-anchor": {
        "metavar": "FILE",
        "type": named("--audit-anchor"),
        "help": "the same against a frozen version, so that many small steps down cannot add up unseen",
    },
    "--audit-with": {
        "metavar": "ROLE=NAME",
        "action": "append",
        "default": [],
        "help": "who else answers, for audits that compare with it: NAME as for --model, or the evidence.json of a "
        "run; repeatable",
    },
    "--audit-registry": {
        "metavar": "FILE",
        "help": "your own models (TOML); default: AUDITKIT_REGISTRY, else auditkit-models.toml here if there is one",
    },
    "--audit-base": {
        "metavar": "NAME",
        "help": "base of an adapter folder given as --model, a registry name or a folder; default: what it names",
    },
    "--audit-dtype": {
        "metavar": "DTYPE",
        "choices": ("float32", "bfloat16", "float16"),
        "help": "load the weights as float32, bfloat16 or float16; default: the registry's, else the checkpoint's own",
    },
    "--audit-reuse-unfingerprinted": {
        "action": "store_true",
        "help": "use stored answers of a model object without a fingerprint, though it may have changed since",
    },
    "--audit-endpoint": {
        "metavar": "URL",
        "help": "ask an OpenAI-compatible server, such as http://127.0.0.1:8000/v1, for the model named",
    },
    "--audit-concurrency": {
        "metavar": "N",
        "type": whole("--audit-concurrency"),
        "default": 16,
        "help": "requests on their way to a server at once; default: 16",
    },
    "--audit-rate": {
        "metavar": "R",
        "type": positive("--audit-rate"),
        "help": "requests per second to a server at most; default: no limit",
    },
    "--audit-batch-size": {
        "metavar": "N",
        "type": whole("--audit-batch-size"),
        "help": "requests per call of the model; default: what suits the model, 128 to 1024",
    },
    "--audit-deadline": {
        "metavar": "SECONDS",
        "type": positive("--audit-deadline"),
        "default": 600.0,
        "help": "how long one call of the model, or one request to a server with its repetitions, may take; "
        "default: 600",
    },
    "--audit-exact": {
        "action": "store_true",
        "help": "ask one by one without any shortcut; the answers must be the same, it only takes longer",
    },
    "--audit-memory": {
        "metavar": "SIZE",
        "type": size("--audit-memory"),
        "help": "memory that answering may take beside the weights, such as 8G; default: no bound",
    },
    "--audit-scoring": {
        "metavar": "MODE",
        "choices": ("both", "generate"),
        "default": "both",
        "help": "both: the declared answers' probabilities beside the answers; generate: answers only; default: both",
    },
    "--audit-ask-on": {
        "action": "store_true",
        "help": "ask on, and count, where none of the first 32 answers gives a score; default: stop with a sentence",
    },
    "--audit-embeddings": {
        "action": "store_true",
        "help": "keep the model's embeddings of every rendered image and show how corruption moves them",
    },
    "--audit-engine": {
        "metavar": "ENGINE",
        "choices": ("local", "ray"),
        "default": "local",
        "help": "local: this process; ray: workers on many GPUs or nodes (extra [ray]); default: local",
    },
    "--audit-workers": {
        "metavar": "N",
        "type": whole("--audit-workers"),
        "help": "workers of --audit-engine=ray at most; default: one per GPU, else one per core",
    },
}


def settings_of(config: pytest.Config, uid: str) -> Settings:
    """Return the settings of a run.

    Raises
    ------
    AuditkitError
        When no model was named.
    """
    from auditkit.errors import AuditkitError
    from auditkit.models.base import ModelOptions
    from auditkit.run.roles import is_record, roles_of
    from auditkit.run.settings import DEFAULT_STORE, Settings

    option = config.option
    if not option.audit_model:
        raise AuditkitError("audits were collected, but no model was named.", f"Add {_how_to_name(option)}")
    store = None if option.audit_no_store else (option.audit_store or DEFAULT_STORE)
    registry = option.audit_registry and _from_invocation(config, option.audit_registry)
    return Settings(
        model=option.audit_model,
        data=_from_invocation(config, option.audit_data),
        protocol=protocol_path(config),
        profile=option.audit_profile,
        looks=option.audit_looks,
        root=config.rootpath,
        uid=uid,
        out=out_of(config),
        store=store,
        wait=option.audit_wait,
        limit=option.audit_limit,
        scoring=option.audit_scoring,
        ask_on=option.audit_ask_on,
        embeddings=option.audit_embeddings,
        burned_in=option.audit_burned_in,
        report_pictures=option.audit_report_pictures == "yes",
        references={
            role: Path(_from_invocation(config, given))
            for role, given in (("baseline", option.audit_baseline), ("anchor", option.audit_anchor))
            if given
        },
        roles={
            role: there if is_record(there := _from_invocation(config, name)) else name
            for role, name in roles_of(option.audit_with).items()
        },
        outputs=tuple(
            config.invocation_params.dir / given
            for given in (getattr(option, "xmlpath", None), getattr(option, "log_file", None))
            if given
        ),
        engine=option.audit_engine,
        workers=option.audit_workers,
        options=ModelOptions(
            batch_size=option.audit_batch_size,
            exact=option.audit_exact,
            memory=option.audit_memory,
            endpoint=option.audit_endpoint,
            deadline=option.audit_deadline,
            concurrency=option.audit_concurrency,
            rate_limit=option.audit_rate,
            registry=registry,
            dtype=option.audit_dtype,
            base=option.audit_base,
            run="" if option.audit_reuse_unfingerprinted else uid,
        ),
    )


def _how_to_name(option: argparse.Namespace) -> str:
    if hasattr(option, "model"):
        return (
            f"{OPTION}=NAME, such as {OPTION}=reference ({ALIAS} is an option of another plugin or conftest.py here)."
        )
    return f"{ALIAS}=NAME, such as {ALIAS}=reference."


def out_of(config: pytest.Config) -> Path | None:
    """Return the output folder of the command line, meant from where it was typed; it need not exist yet."""
    return config.invocation_params.dir / config.option.audit_out if config.option.audit_out else None


def _from_invocation(config: pytest.Config, value: str) -> str:
    """Paths on the command line are meant from where it was typed; xdist workers may run elsewhere."""
    path = config.invocation_params.dir / value
    return str(path) if path.exists() else value


def protocol_path(config: pytest.Config) -> Path:
    """The protocol named, else protocol.toml beside the first path on the command line, else in audits/."""
    if config.option.audit_protocol:
        return Path(_from_invocation(config, config.option.audit_protocol))
    for argument in (*config.args, str(config.rootpath / "audits")):
        path = Path(argument.split("::")[0])
        path = path if path.is_absolute() else config.invocation_params.dir / path
        folder = path if path.is_dir() else path.parent
        if (folder / "protocol.toml").is_file():
            return folder / "protocol.toml"
    return config.rootpath / "audits" / "protocol.toml"
