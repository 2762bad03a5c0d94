"""Who else answers in a run: models, or records of runs, named by ``--audit-with ROLE=NAME``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from auditkit.ask.plan import NOT_ASKED, answering
from auditkit.ask.roles import Answerer
from auditkit.errors import AuditkitError
from auditkit.masked import shown
from auditkit.models.base import Model, ModelOptions
from auditkit.models.from_data import FromData
from auditkit.protocol.model import Protocol
from auditkit.run.recorded import RecordedRole, read_role
from auditkit.run.settings import RECORD, Settings
from auditkit.vocabulary import DATA, MODEL, Effect
from auditkit.words import and_listed, count

OPTION = "--audit-with"
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_EXAMPLE = f"Give {OPTION}=ROLE=NAME, such as {OPTION}=sibling=llava."


def roles_of(given: Iterable[str]) -> dict[str, str]:
    """Return who is named for which role.

    Parameters
    ----------
    given : iterable of str
        As typed: ``sibling=llava``.

    Raises
    ------
    AuditkitError
        For anything else, a role that is taken, or one that is given twice.
    """
    found: dict[str, str] = {}
    for text in given:
        role, _, name = (part.strip() for part in text.partition("="))
        typed = f"{OPTION}={shown(text)}"
        if not role or not name:
            raise AuditkitError(f"{typed} does not name a role and who answers in it.", _EXAMPLE)
        if not _WORD.fullmatch(role):
            raise AuditkitError(f"{typed}: a role is a word of letters, digits and _.", _EXAMPLE)
        if role in (MODEL, *NOT_ASKED):
            raise AuditkitError(f"{typed}: the role {role!r} is taken.", f"Call it otherwise: {OPTION}=sibling=NAME.")
        if role in found:
            raise AuditkitError(
                f"{OPTION}: two are named for the role {role!r}, {shown(found[role])} and {shown(name)}.",
                "Give every role once; audits compare with a role each.",
            )
        found[role] = name
    return found


def of_data(effects: Iterable[Effect], protocol: Protocol) -> list[Answerer]:
    """Return the data as who answers, where a task takes its answers from columns of the items; else nobody."""
    if not any(DATA in answering(effect, protocol) for effect in effects):
        return []
    return [Answerer(DATA, DATA, FromData(), ModelOptions())]


def is_record(name: str) -> bool:
    """Tell a run's record, or the folder of a run, from the name of a model."""
    return name.endswith(".json") or (Path(name) / RECORD).is_file()


def others(
    settings: Settings, protocol: Protocol, find_model: Callable[[str], Model | None]
) -> tuple[list[Answerer], list[RecordedRole]]:
    """Find everybody who is named for a role: those who are asked, and records that answer.

    Raises
    ------
    AuditkitError
        When one of them cannot be found or read, with the option as it was typed.
    """
    from auditkit.models.resolve import resolve_model

    # The server and the adapter's base are those of --model: whoever else is on a server has it in the registry.
    options = replace(settings.options, endpoint=None, base=None)
    asked, recorded = [], []
    for role, name in settings.roles.items():
        if is_record(name):
            recorded.append(read_role(role, Path(name), protocol))
            continue
        given = find_model(name)
        if given is not None and settings.engine == "ray":
            raise AuditkitError(
                f"--audit-engine=ray: {OPTION}={role}={name} comes from a pytest plugin, of which workers know "
                "nothing.",
                "Name it as package.module:attribute, or leave --audit-engine out.",
            )
        try:
            model = given or resolve_model(name, options)
        except AuditkitError as error:
            raise _as_typed(error, role) from None
        asked.append(Answerer(role, name, model, options))
    return asked, recorded


def _as_typed(error: AuditkitError, role: str) -> AuditkitError:
    """A problem with a model, with the option that named it."""
    problem, remedy = (text.replace("--model=", f"{OPTION}={role}=") for text in (error.problem, error.remedy))
    return AuditkitError(problem, remedy)


def lacking(effect: Effect, protocol: Protocol, asked: Sequence[Answerer], recorded: Sequence[RecordedRole]) -> str:
    """Say who is missing for an effect, or what a record has not that answers for it; empty where nothing is."""
    known: Mapping[str, RecordedRole] = {one.role: one for one in recorded}
    there = {MODEL, *(one.role for one in asked)}
    wanted = answering(effect, protocol)
    missing = [role for role in wanted if role not in there and role not in known]
    if missing:
        return f"{effect} asks {and_listed(missing)}, and nobody is named for it: {OPTION}={missing[0]}=NAME."
    own = {question.role for question in effect.questions()}
    if silent := [role for role in wanted if role in known and role not in own]:
        return f"{effect} puts questions of its own to {silent[0]}, and a record has only the answers that it has."
    return next((why for role in wanted if role in known and (why := known[role].lacks(effect, protocol))), "")


def answerable(
    effects: Sequence[Effect], protocol: Protocol, asked: Sequence[Answerer], recorded: Sequence[RecordedRole]
) -> tuple[Effect, ...]:
    """Return the effects whose questions somebody can be asked; what is only shown is left out where nobody can.

    Raises
    ------
    AuditkitError
        When an effect that decides is among those that nobody answers: a gate that is left out would let pass.
    """
    missing = {effect: why for effect in effects if (why := lacking(effect, protocol, asked, recorded))}
    deciding = [effect for effect in missing if not _is_shown(effect, protocol)]
    if deciding:
        more = f" ({count(len(deciding) - 1, 'other audit')} cannot be judged either)" if len(deciding) > 1 else ""
        raise AuditkitError(
            f"{missing[deciding[0]].rstrip('.')}{more}.",
            f"Name who answers with {OPTION}=ROLE=NAME (a model, or the evidence.json of its run), or leave these "
            "audits out with -k.",
        )
    return tuple(effect for effect in effects if effect not in missing)


def _is_shown(effect: Effect, protocol: Protocol) -> bool:
    family = protocol.family_of(effect)
    return family is not None and family.shown


def not_needed(effects: Iterable[Effect], roles: Iterable[str], protocol: Protocol) -> list[str]:
    """Say which roles were given and no audit asks."""
    needed = {role for effect in effects for role in answering(effect, protocol)}
    idle = [role for role in roles if role not in needed]
    return [f"auditkit: no audit that was collected asks {role}, so {OPTION}={role} does nothing." for role in idle]
