"""What a checkpoint's chat template makes of a question: how it ends, whether it opens a thought, what ends a turn."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.models.doctor.findings import Finding
from auditkit.models.limited import within
from auditkit.models.on_disk import PROCESSORS, TEMPLATES, json_object

ROOM = 256
"""Tokens below which an answer is not expected to hold a thought and what it leads to."""
_THOUGHTS = {
    "<think>": "</think>", "<thinking>": "</thinking>", "<thought>": "</thought>", "[THINK]": "[/THINK]",
    "<reasoning>": "</reasoning>", "<|begin_of_thought|>": "<|end_of_thought|>", "<unused94>": "<unused95>",
}  # fmt: skip
_ANSWER = "An answer."
_TAIL = 40  # characters


@dataclass(frozen=True, slots=True)
class Template:
    """A chat template.

    Attributes
    ----------
    file : str
        Where it is.
    text : str
        As it is written.
    """

    file: str
    text: str


def template_of(folder: Path) -> Template | None:
    """Return a folder's chat template, from the first place where transformers looks for it; None without one."""
    written = folder / TEMPLATES[0]
    if written.is_file():
        return Template(written.name, written.read_text(encoding="utf-8", errors="replace"))
    for name in (TEMPLATES[1], *PROCESSORS, "tokenizer_config.json"):
        told = json_object(folder / name).get("chat_template")
        if isinstance(told, list):  # several by name
            told = next((one.get("template") for one in told if one.get("name") == "default"), None)
        if isinstance(told, str):
            return Template(name, told)
    return None


def fault_of(template: str) -> str:
    """Return why a chat template cannot be read; empty when it can."""
    import jinja2

    if _own_tag(template):
        return ""
    try:
        jinja2.Environment(extensions=["jinja2.ext.loopcontrols"]).parse(template)  # noqa: S701 - parsed, never run
    except jinja2.TemplateSyntaxError as error:
        return f"{error.message} (line {error.lineno})"
    return ""


def rendered(folder: Path, template: Template, arguments: Mapping[str, Any], *, answered: bool = False) -> str | None:
    """Return a question about an image, or with ``answered`` a question and its answer, as the template words them.

    None where it cannot be told without transformers.
    """
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    if _own_tag(template.text):
        return None
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals |= {"raise_exception": _raise, "strftime_now": lambda form: "2026-01-01"}
    words = json_object(folder / "tokenizer_config.json")
    special = {f"{name}_token": _content(words.get(f"{name}_token")) for name in ("bos", "eos", "pad", "unk")}
    asked = [{"type": "image"}, {"type": "text", "text": "A question?"}]
    for said in (asked, "A question?"):  # a few templates take text only
        messages: list[dict[str, Any]] = [{"role": "user", "content": said}]
        if answered:
            reply = [{"type": "text", "text": _ANSWER}] if isinstance(said, list) else _ANSWER
            messages.append({"role": "assistant", "content": reply})
        settings: dict[str, Any] = {"add_generation_prompt": not answered, **special, **arguments}
        try:
            made = environment.from_string(template.text)
            return within(partial(made.render, messages=messages, **settings), f"the chat template in {template.file}")
        except (jinja2.TemplateError, TypeError, KeyError, ValueError, AttributeError):
            continue
    return None


def chat_findings(folder: Path, arguments: Mapping[str, Any], max_new_tokens: int | None, remedy: str) -> list[Finding]:
    """Look at a folder's chat template.

    Parameters
    ----------
    folder : pathlib.Path
        The checkpoint, or where its processor is.
    arguments : mapping
        The template's arguments in the registry.
    max_new_tokens : int or None
        Tokens that the registry gives an answer.
    remedy : str
        How to get files that are missing.
    """
    template = template_of(folder)
    if template is None:
        return [Finding("missing", "chat", f"no chat template ({' or '.join(TEMPLATES)})", remedy)]
    fault = fault_of(template.text)
    if fault:
        return [Finding("missing", "chat", f"{template.file} cannot be read: {fault}", remedy)]
    try:
        question = rendered(folder, template, arguments)
    except AuditkitError as error:  # it does not end
        return [Finding("missing", "chat", error.problem, error.remedy)]
    ends = "" if question is None else f"; a question ends with {question[-_TAIL:]!r}"
    return [
        Finding("ok", "chat", f"chat template in {template.file}{ends}"),
        *_thought(question or "", template, arguments, max_new_tokens),
    ]


def _thought(question: str, template: Template, arguments: Mapping[str, Any], room: int | None) -> list[Finding]:
    opened = [tag for tag, close in _THOUGHTS.items() if question.rfind(tag) > question.rfind(close)]
    switch = "enable_thinking" in template.text and "enable_thinking" not in arguments
    if (not opened and not switch) or (room or 0) >= ROOM:
        return []
    says = f"the template opens a thought ({opened[0]})" if opened else "the template can let the model think first"
    limit = f"answers may have {room} tokens" if room else "most wordings allow an answer 16 tokens"
    ways = [f"max_new_tokens = {4 * ROOM}"]
    if switch:
        ways.insert(0, "template = { enable_thinking = false }")
    return [
        Finding(
            "note",
            "thought",
            f"{says}, and {limit}: a thought that is cut is no answer",
            "Write into the model's entry in auditkit-models.toml: " + "   or: ".join(ways),
        )
    ]


def ends_finding(folder: Path, words: Path, arguments: Mapping[str, Any]) -> Finding:
    """Compare the tokens that end an answer with the one that ends a turn in the chat template.

    Parameters
    ----------
    folder : pathlib.Path
        Holds config.json and generation_config.json.
    words : pathlib.Path
        Holds the tokenizer and the template.
    arguments : mapping
        The template's arguments in the registry.
    """
    file, ends = _ends(folder)
    names = {int(t["id"]): str(t["content"]) for t in json_object(words / "tokenizer.json").get("added_tokens", [])}
    shown = ", ".join(f"{names.get(end, '?')} ({end})" for end in ends)
    template = template_of(words)
    turn = None if template is None else rendered(words, template, arguments, answered=True)
    closing = _closing(turn or "", names)
    if closing is not None and closing not in ends:
        says = f"a turn ends with {names[closing]} ({closing}) in the template, and an answer with {shown or 'nothing'}"
        wanted = [*ends, closing]
        return Finding(
            "note",
            "ends",
            f"{says} ({file}): answers may run on to their limit",
            f'If the model was trained so, write into generation_config.json: "eos_token_id": {wanted}',
        )
    if not ends:
        return Finding("note", "ends", "no token ends an answer (eos_token_id): all run on to their limit")
    own = _content(json_object(words / "tokenizer_config.json").get("eos_token"))
    other = "" if not own or own in map(names.get, ends) else f"; the tokenizer's own is {own}"
    return Finding("ok", "ends", f"an answer ends with {shown} ({file}){other}")


def _ends(folder: Path) -> tuple[str, list[int]]:
    config = json_object(folder / "config.json")
    inner = config.get("text_config")
    for file, told in (
        ("generation_config.json", json_object(folder / "generation_config.json")),
        ("config.json", config),
        ("config.json", inner if isinstance(inner, dict) else {}),
    ):
        ids = told.get("eos_token_id")
        if ids is not None:
            return file, [int(one) for one in (ids if isinstance(ids, list) else [ids])]
    return "generation_config.json", []


def _closing(turn: str, names: Mapping[int, str]) -> int | None:
    """Return the special token that follows the answer, where one does."""
    _, found, after = turn.rpartition(_ANSWER)
    if not found:
        return None
    starts = [token for token, name in names.items() if name.strip() and after.lstrip().startswith(name)]
    return max(starts, key=lambda token: len(names[token]), default=None)


def _own_tag(template: str) -> bool:
    """Whether it has a tag of transformers' own, which jinja2 alone does not know."""
    return re.search(r"{%-?\s*generation", template) is not None


def _content(token: object) -> str:
    return str(token.get("content", "")) if isinstance(token, dict) else str(token or "")


def _raise(message: str) -> None:
    import jinja2

    raise jinja2.TemplateError(message)
