"""The models known by name: those that come with the package, and those of a file of the user's own.

Both are TOML tables, one per model, with the keys of `Entry`. The user's file adds models and overrides single keys of
shipped ones, such as the commit; ``same_as`` takes over the keys of another entry.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from auditkit.errors import AuditkitError
from auditkit.lookup import near
from auditkit.models.address import checked_address
from auditkit.parsed import ParseError, toml

OWN_FILE = "auditkit-models.toml"
"""The user's file, taken from the current folder when no other is named."""
VARIABLE = "AUDITKIT_REGISTRY"
SENT_PREFIX = "AUDITKIT_API_"
"""How the variables of the environment begin whose values an entry may send to its server."""
MAY_SEND = "AUDITKIT_MAY_SEND"
"""Environment variable in which the user lists further ones."""
OTHER = "other"
"""Family of an entry that names none."""

Backend = Literal["image-text-to-text", "dual-encoder", "openai", "ships"]

_NEEDED: Mapping[Backend, tuple[tuple[str, ...], ...]] = {
    "image-text-to-text": (("repository", "folder"),),
    "dual-encoder": (("repository", "folder"),),
    "openai": (("base_url",), ("served",)),
    "ships": (("checkpoint",),),
}
"""Keys that say where the model is: of each group, exactly one."""
_PLACES = {key for groups in _NEEDED.values() for group in groups for key in group}


_VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(
    r"key|token(?!s)|secret|auth|pass(?:word|wd|phrase)|pwd|signature|cookie|credential|bearer|session|jwt",
    re.IGNORECASE,
)


class Entry(BaseModel):
    """A model known by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    """What --model takes; the title of the table in the file."""
    backend: Backend
    """How it is asked: a checkpoint that answers, one that compares, a server, or what ships with auditkit."""
    family: Annotated[str, Field(min_length=1)] = OTHER
    """``model_type`` of the checkpoint's config.json, such as gemma3 or siglip; for tables and comparisons only."""
    description: str = ""
    licence: str = "unknown"
    gated: bool = False
    """Whether its licence must be accepted on the hub before it can be downloaded."""
    medical: bool = False
    """Whether it was trained for medical images."""
    parameters: Annotated[float, Field(gt=0)] | None = None
    """Billions, to estimate memory and disk before the weights are there."""

    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None
    """On the Hugging Face hub."""
    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = None
    """Commit of the repository, all 40 digits; without one, the commit that the local cache calls main."""
    folder: str | None = None
    """A checkpoint folder instead of a repository; relative to the file that names it."""
    checkpoint: Literal["reference", "reference-prestige"] | None = None
    """One of the checkpoints that ship with the package."""
    adapter: str | None = None
    """Folder of an adapter (LoRA) that is put on the checkpoint; relative to the file that names it."""
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    """In which the weights are loaded; without it, the checkpoint's own."""
    device_map: str | None = None
    """How the weights are laid out over several GPUs, as transformers takes it: ``auto`` divides them."""
    processor: dict[str, bool | int | float | str | dict[str, int]] = {}
    """Settings given to the image processor with every image."""
    unread: list[str] = []
    """Patterns of weights in the files that the network has no place for and needs not, such as ``mtp.*``."""
    template: dict[str, Any] = {}
    """Arguments of the chat template, such as ``{ enable_thinking = false }``; on a server too."""
    max_new_tokens: Annotated[int, Field(gt=0)] | None = None
    """Tokens that an answer may have where a wording allows fewer, for models that think before they answer."""

    base_url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    """Of an OpenAI-compatible server, ending in /v1."""
    served: str | None = None
    """The model's name on that server."""
    version: str = ""
    """Which weights the server has, as far as you know (a commit, a date); part of the fingerprint."""
    key_variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "AUDITKIT_API_KEY"
    """Environment variable that holds the server's key, one that `may_send`; the key itself is never written down."""
    key_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")] | None = None
    """Header that the key is sent in as it is, such as ``api-key``; without it, as a bearer token."""
    headers: dict[str, str] = {}
    """Further headers of every request; ``$NAME`` stands for an environment variable that `may_send`."""
    query: dict[str, str] = {}
    """What is put after every address, such as ``{ "api-version" = "2024-10-21" }``; ``$NAME`` likewise."""
    extra: dict[str, Any] = {}
    """Fields added to every request to the server."""
    omit: list[str] = []
    """Fields that no request has, where a server does not take them: temperature, seed, max_tokens, logprobs."""
    aliases: list[str] = []
    """Other names under which the server may answer, such as a dated one."""

    unsupported: str = ""
    """Why auditkit cannot load it, where it is listed all the same."""
    instead: str = ""
    """The way out for such a model."""

    @model_validator(mode="after")
    def _sends_only_what_it_may(self) -> Entry:
        """A file of models may come with somebody's repository: it must not choose among all secrets of who runs it."""
        sent = [("key_variable", self.key_variable)]
        sent += [(key, v[1:]) for key in ("headers", "query") for v in getattr(self, key).values() if v.startswith("$")]
        for key, name in sent:
            if not may_send(name):  # it may be a secret that begins with $: it is not repeated
                raise ValueError(
                    f"{key}: a variable of the environment that is sent has a name that begins with {SENT_PREFIX} "
                    f"(such as {SENT_PREFIX}KEY); others only where you list them: export {MAY_SEND}=NAME,OTHER"
                )
        return self

    @model_validator(mode="after")
    def _is_somewhere(self) -> Entry:
        needed = _NEEDED[self.backend]
        for key in sorted(_PLACES - {key for group in needed for key in group}):
            if getattr(self, key) is not None:
                raise ValueError(f"{key} does not go with backend {self.backend!r}")
        for group in needed:
            if sum(getattr(self, key) is not None for key in group) != 1:
                raise ValueError(f"backend {self.backend!r} needs {' or '.join(group)}{' (one)' * (len(group) > 1)}")
        if self.adapter is not None and self.backend != "image-text-to-text":
            raise ValueError(f"adapter does not go with backend {self.backend!r}")
        if self.backend != "openai":
            for key in ("key_header", "headers", "query", "extra", "omit"):
                if getattr(self, key):
                    raise ValueError(f"{key} is for servers, and does not go with backend {self.backend!r}")
        for key in ("headers", "query"):
            for field, value in getattr(self, key).items():
                if _SECRET.search(field) and not value.startswith("$"):
                    raise ValueError(
                        f"{key}: {field} looks like a secret; write the name of a variable: $AUDITKIT_API_KEY"
                    )
        for field in _secret_fields(self.extra):
            raise ValueError(f"extra: {field} looks like a secret; secrets go into headers or query: $AUDITKIT_API_KEY")
        if self.base_url is not None:
            try:
                checked_address(self.base_url, "base_url")
            except AuditkitError as error:
                raise ValueError(str(error)) from None
        if self.revision is not None and self.repository is None:
            raise ValueError("revision is a commit of a repository, and no repository is given")
        return self


def may_send(name: str) -> bool:
    """Whether an entry may send this variable of the environment: by its name, or because the user lists it."""
    listed = os.environ.get(MAY_SEND, "").replace(",", " ").split()
    return _VARIABLE.fullmatch(name) is not None and (name.startswith(SENT_PREFIX) or name in listed)


def _secret_fields(fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the fields of a body, at any depth, that hold a text and are called as secrets are."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _secret_fields(value)
        elif isinstance(value, str) and _SECRET.search(name):
            yield name


def load_registry(user_file: str | None = None) -> dict[str, Entry]:
    """Return the known models by name, shipped ones first.

    Parameters
    ----------
    user_file : str, optional
        The user's own file; by default the one that the environment variable ``AUDITKIT_REGISTRY`` names, else
        ``auditkit-models.toml`` in the current folder, where there is one.

    Raises
    ------
    AuditkitError
        When the user's file is missing though it was named, is not TOML, or has a key or value that is not allowed;
        the message names file, entry, key and what is allowed.
    """
    shipped = resources.files("auditkit.models").joinpath("registry.toml")
    tables: dict[str, Any] = tomllib.loads(shipped.read_text(encoding="utf-8"))
    path = _own_file(user_file)
    if path is not None:
        for name, table in _read(path).items():
            for key in ("folder", "adapter"):
                if isinstance(table.get(key), str):
                    table[key] = str(path.parent / Path(table[key]).expanduser())
            tables[name] = _joined(tables.get(name, {}), table)
    file = "registry.toml of auditkit" if path is None else str(path)
    return {name: _entry(name, tables, file) for name in tables}


def _own_file(named: str | None) -> Path | None:
    for option, value in (("--audit-registry", named), (VARIABLE, os.environ.get(VARIABLE))):
        if value:
            path = Path(value).expanduser()
            if not path.is_file():
                raise AuditkitError(f"{option}={value}: there is no such file.", "Name a TOML file of models.")
            return path
    path = Path(OWN_FILE)
    return path if path.is_file() else None


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        tables = toml(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise AuditkitError(f"{path} cannot be read: {error}.") from None
    except ParseError as error:
        raise AuditkitError(f"{path} is not valid TOML: {error}.") from None
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise AuditkitError(
                f"{path}: {name} = ... stands outside of an entry.", "Put a line like [my-model] before it."
            )
        inner = [k for k, v in table.items() if isinstance(v, dict) and not near(k, Entry.model_fields)]
        if inner and len(inner) == len(table):  # an unquoted [qwen2.5-vl-7b] is a table in a table
            raise AuditkitError(
                f"{path}: the entry {name}.{inner[0]} has a dot in its name and no quotes.",
                f'Write ["{name}.{inner[0]}"].',
            )
    return tables


def _joined(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return one table under another; a new place (repository, folder, server) drops what held for the old one."""
    moved = any(key in over and over[key] != under.get(key) for key in _PLACES)
    gone = {*_PLACES, "revision", "unsupported", "instead"} if moved else set()
    return {**{key: value for key, value in under.items() if key not in gone}, **over}


def _entry(name: str, tables: Mapping[str, dict[str, Any]], file: str) -> Entry:
    table, seen = tables[name], [name]
    while "same_as" in table:
        other = str(table["same_as"])
        if other in seen or other not in tables:
            problem, remedy = ("goes in a circle", "") if other in seen else ("is not an entry", near(other, tables, 3))
            raise AuditkitError(f"{file}: [{name}] same_as = {other!r} {problem}.", remedy)
        seen.append(other)
        table = _joined(tables[other], {key: value for key, value in table.items() if key != "same_as"})
    try:
        return Entry.model_validate({**table, "name": name})
    except ValidationError as error:
        faults = "\n".join(f"  [{name}] {_fault(fault)}" for fault in error.errors())
        raise AuditkitError(f"{file} is not valid:\n{faults}\n", "docs/models.md explains the keys.") from None


def _fault(fault: Any) -> str:
    """Return one fault of an entry in a line: key, what is wrong, what is allowed."""
    key = str(fault["loc"][0]) if fault["loc"] else ""
    allowed = ["same_as", *(field for field in Entry.model_fields if field != "name")]
    if key == "trust_remote_code":
        return "trust_remote_code: code inside a checkpoint is never run; serve the model and use --audit-endpoint"
    if fault["type"] == "extra_forbidden":
        return f"{key}: unknown key; allowed: {', '.join(allowed)}. {near(key, allowed, most=3)}".rstrip()
    if fault["type"] == "missing":
        return f"{key}: missing; " + (f"allowed: {', '.join(_NEEDED)}" if key == "backend" else "every entry needs it")
    if fault["type"] == "value_error":
        return str(fault["msg"]).removeprefix("Value error, ")
    if key == "key_variable":  # it may be the key itself, typed in the wrong place: it is not repeated
        return "key_variable: the name of an environment variable is wanted (letters, digits, _), never the key itself"
    if key == "revision":
        return f"revision: {fault['input']!r} is not a commit; all 40 digits (0-9, a-f) are needed, a branch can move"
    where = ".".join(map(str, fault["loc"]))
    if key in ("base_url", "headers", "query", "extra"):  # what somebody wrote there may be a secret
        return f"{where}: {fault['msg']}"
    return f"{where}: {fault['msg']} (value seen: {repr(fault['input'])[:80]})"
