"""What comes before the first question of a run: everything that can be wrong is told by then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from auditkit.ask.donors import with_asked, with_donors
from auditkit.ask.embeddings import embedding_kinds
from auditkit.ask.plan import Plan, check_effects, distinct, limit_clusters
from auditkit.ask.render import Renderer
from auditkit.ask.roles import Answerer
from auditkit.errors import AuditkitError
from auditkit.images.burned_in import LEAVE_OUT, without_declared
from auditkit.images.item import ImageSet, Item
from auditkit.images.salt import salt_for
from auditkit.images.versions import with_versions
from auditkit.measure.recorded import columns_needed
from auditkit.models.base import Model
from auditkit.protocol.covered import check_covered
from auditkit.protocol.extensions import NONE, Extensions
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from auditkit.run.asked import askable
from auditkit.run.checkout import checkout
from auditkit.run.inside import measurable
from auditkit.run.kinds import told_apart
from auditkit.run.recorded import check_items
from auditkit.run.roles import answerable, of_data, others
from auditkit.run.session import AuditRun
from auditkit.run.settings import REPORTS, Settings, check, check_writable, open_store
from auditkit.run.truths import columns_of_tasks, with_truths, without_picture
from auditkit.vocabulary import MODEL, Effect


def prepare(
    settings: Settings,
    effects: Sequence[Effect],
    *,
    find_model: Callable[[str], Model | None] = lambda name: None,
    find_images: Callable[[str, str, int], ImageSet | None] = lambda source, salt, side: None,
    extensions: Extensions = NONE,
) -> AuditRun:
    """Validate everything that can be validated before a question is asked.

    Parameters
    ----------
    settings : Settings
        The options.
    effects : sequence of Effect
        What the collected audits judge.
    find_model, find_images : callable
        Third parties' models and image sources, asked first.
    extensions : Extensions
        Third parties' perturbations and scorers, for protocols that name them.

    Raises
    ------
    AuditkitError
        With what is wrong and the line to type.
    """
    from auditkit.images.sources import load_images
    from auditkit.models.resolve import resolve_model

    started = datetime.now(UTC).isoformat(timespec="seconds")
    git = checkout(settings)  # before anything is written into it
    check(settings)
    protocol = load_protocol(settings.protocol, settings.profile, settings.looks, extensions)
    settings = replace(settings, limit=settings.limit or protocol.patients)
    planned = checked(effects, protocol)
    check_writable(settings.out or settings.root / REPORTS)
    given = find_model(settings.model)
    if given is not None and settings.engine == "ray":
        raise AuditkitError(
            f"--audit-engine=ray: --model={settings.model} comes from a pytest plugin, of which workers know nothing.",
            "Name it as package.module:attribute, or leave --audit-engine out.",
        )
    model = given or resolve_model(settings.model, settings.options)
    kinds = embedding_kinds(model) if settings.embeddings else ()
    planned = measurable(planned, protocol, kinds, model)
    asked, recorded = others(settings, protocol, find_model)
    asked += of_data(planned, protocol)
    planned = answerable(planned, protocol, asked, recorded)
    _check_rounds(settings, planned, protocol)
    salt = salt_for(settings.data, settings.root)
    side = protocol.images.max_side
    images = find_images(settings.data, salt, side) or load_images(
        settings.data,
        salt=salt,
        max_side=side,
        columns=columns_of_tasks(planned, protocol),
        strata=columns_needed(protocol, planned),
        without_picture=without_picture(planned, protocol),
    )
    images = with_truths(replace(images, records=with_versions(images.records)), planned, protocol)
    if settings.burned_in == LEAVE_OUT:
        images = without_declared(images)
    if not images.records:
        why = f": {images.left_out[-1].name}: {images.left_out[-1].reason}" if images.left_out else ""
        raise AuditkitError(f"--audit-data={settings.data} holds no image that can be used{why}.", "Give other images.")
    records = limit_clusters(images.records, settings.limit, protocol.seed)
    planned = told_apart(planned, protocol, records)
    records = with_donors(with_asked(records, planned), images.records, planned, protocol.catalogue, protocol.seed)
    roles = (MODEL, *(one.role for one in asked))
    planned, lacks = askable(planned, protocol, records, images, roles)
    store = open_store(settings)
    unsure = [said for one in recorded if (said := check_items(one, records, store))]
    return AuditRun(
        settings=settings,
        protocol=protocol,
        answerers=(Answerer(MODEL, settings.model, model, settings.options), *asked),
        recorded=tuple(recorded),
        unsure=unsure,
        images=images,
        plan=Plan(_unique(records), planned, protocol, roles),
        store=store,
        renderer=Renderer(store, protocol.seed, protocol.catalogue),
        protocol_first_seen=store.protocol_first_seen(protocol.sha256()),
        started=started,
        git=git,
        kinds=kinds,
        lacking=lacks,
    )


def _check_rounds(settings: Settings, planned: Sequence[Effect], protocol: Protocol) -> None:
    """Refuse questions about answers on a cluster, whose workers know nothing of each other's answers."""
    if settings.engine != "ray":
        return
    for effect in planned:
        if any(protocol.catalogue.first(protocol.resolve(question)) for question in effect.questions()):
            raise AuditkitError(
                f"--audit-engine=ray: {effect.family}/{effect.name} asks about answers to earlier questions, which "
                "workers do not have.",
                "Leave --audit-engine out, or these audits with -k.",
            )


def checked(effects: Iterable[Effect], protocol: Protocol) -> tuple[Effect, ...]:
    """Return the effects without repetitions, once they fit the protocol: neither model nor images are needed for it.

    Raises
    ------
    AuditkitError
        Two effects of one name, or one that cannot be asked, is not covered by the hash, or cannot keep its limit.
    """
    from auditkit.judge.procedures import check_limits

    planned = distinct(effects)
    check_effects(planned, protocol)
    check_covered(planned, protocol)
    check_limits(planned, protocol)
    return planned


def _unique(records: Sequence[Item]) -> tuple[Item, ...]:
    """Two records with one id would be counted as one image: sources must not do that."""
    seen: Mapping[str, Item] = {r.id: r for r in records}
    if len(seen) != len(records):
        raise AuditkitError("the image source gave the same id to two images; ids must be unique.")
    return tuple(records)
