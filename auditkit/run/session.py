"""One run, from options to evidence: the plugin and the command line call this; nothing here knows of pytest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auditkit.ask.earlier import Earlier
from auditkit.ask.embeddings import EmbeddingKeys, fetch_embeddings
from auditkit.ask.history import JudgedBefore
from auditkit.ask.keys import digest_of
from auditkit.ask.lock import exclusive
from auditkit.ask.plan import Plan, answering, stages
from auditkit.ask.prefetch import digests, prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.requests import model_identity
from auditkit.ask.roles import Answerer, RoleKeys, ask_each
from auditkit.ask.store import Store, noted
from auditkit.ask.tally import Progress, Tally
from auditkit.errors import AuditkitError
from auditkit.evidence import Audit, Data, LookInfo, distinct_names
from auditkit.images.item import ImageSet, Item, LeftOut
from auditkit.measure.recorded import data_sha256
from auditkit.models.base import Model
from auditkit.protocol.model import Protocol, Verb
from auditkit.run.asked import Lacking
from auditkit.run.checkout import Git
from auditkit.run.dry_run import Counted, DryRun
from auditkit.run.inside import lacking
from auditkit.run.kinds import lacking_kinds
from auditkit.run.pictures import may_show
from auditkit.run.recorded import RecordedRole
from auditkit.run.roles import lacking as unanswered
from auditkit.run.settings import Settings
from auditkit.vocabulary import DATA, MODEL, Effect

if TYPE_CHECKING:
    from auditkit.judge.looks import Look
    from auditkit.measure.columns import Measurements
    from auditkit.measure.reader import AnswerReader


@dataclass
class AuditRun:
    """A prepared run: everything is validated, nothing has been asked yet.

    Attributes
    ----------
    answerers : tuple of Answerer
        Who is asked, the audited model first.
    recorded : tuple of RecordedRole
        Roles whose answers are in the record of another run.
    unsure : list of str
        What cannot be told of these records.
    """

    settings: Settings
    protocol: Protocol
    answerers: tuple[Answerer, ...]
    images: ImageSet
    plan: Plan
    store: Store
    renderer: Renderer
    protocol_first_seen: str
    started: str
    git: Git = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    recorded: tuple[RecordedRole, ...] = ()
    unsure: list[str] = field(default_factory=list)
    lacking: Lacking = field(default_factory=Lacking)
    embedded: Tally | None = None
    judge: Any = None
    looks_made: list[LookInfo] = field(default_factory=list)
    judged_by: list[JudgedBefore] = field(default_factory=list)
    unshown: dict[str, dict[str, str]] = field(default_factory=dict)
    _parts: list[Measurements] = field(default_factory=list)
    _digests: dict[str, str] = field(default_factory=dict)

    @cached_property
    def protocol_sha256(self) -> str:
        """The protocol's hash, which takes a millisecond and is written beside every audit."""
        return self.protocol.sha256()

    @property
    def model(self) -> Model:
        """The model that is audited."""
        return self.answerers[0].model

    @property
    def tally(self) -> Tally:
        """Where the questions to the audited model stand."""
        return self.answerers[0].tally

    @property
    def batch_size(self) -> int:
        """Requests per call of the audited model."""
        return self.answerers[0].batch_size

    @cached_property
    def names(self) -> dict[str, str]:
        """What everybody whose answers count is called, by role; names that two have are told apart by the role."""
        every = {who.role: who.name for who in self.answerers}
        every |= {one.role: one.evidence.model.name for one in self.recorded}
        return distinct_names({role: name for role, name in every.items() if role in {MODEL, *self.roles}})

    @cached_property
    def roles(self) -> frozenset[str]:
        """Whose answers the audits take."""
        return frozenset(role for effect in self.plan.effects for role in answering(effect, self.protocol))

    @property
    def not_asked(self) -> dict[str, dict[str, str]]:
        """Why an image was not asked something, by its id and what that is: what it lacks, or cannot be shown."""
        lacking = self.lacking.by_image
        return {one: {**lacking.get(one, {}), **self.unshown.get(one, {})} for one in {*lacking, *self.unshown}}

    @property
    def probabilities(self) -> bool:
        """Whether the declared answers' log-probabilities are asked for beside the answers."""
        return self.settings.scoring == "both"

    def estimate(self) -> DryRun:
        """Count what a run would ask, without asking, decoding or rendering anything."""
        counted = [self._estimate(who) for who in self.answerers if who.role in self.names]
        return DryRun(self._data(), counted, self.protocol.looks.number)

    def _estimate(self, who: Answerer) -> Counted:
        plan, catalogue = self.plan.of(who.role), self.protocol.catalogue
        keys = who.keys(catalogue, probabilities=self.probabilities)
        known = self.store.sources(r.content for r in plan.records)
        earlier = Earlier(self.store, self.renderer, self._keys(), catalogue)
        planned = held = 0
        for record in plan.records:
            probes = plan.probes(record)
            planned += len(probes)
            digest = known.get(record.content)
            if digest is None:
                continue
            shown = [catalogue.shown(probe.question) for probe in probes]
            rendered = self.renderer.known(record, digest, set(shown))
            said = earlier.answers(record, digest, (probe.question for probe in probes))
            planned -= sum(picture in rendered and not rendered[picture].exists for picture in shown)
            about = [said.get(probe.question, "") for probe in probes]
            addresses = [
                keys.of(probe, rendered[picture], record.columns, answer)
                for probe, picture, answer in zip(probes, shown, about, strict=True)
                if picture in rendered and rendered[picture].exists and answer is not None
            ]
            there = self.store.known(addresses)
            held += sum(address in there for address in addresses)
        return Counted(self.names[who.role], planned, held, self.store.rate(model_identity(who.model)))

    def _data(self) -> Data:
        """Describe the images of the plan."""
        from auditkit.run.data import data_of

        return data_of(self.plan.records, all_left_out(self), self.images, self.settings, self.lacking.by_image)

    def fetch(
        self,
        on_progress: Progress,
        on_start: Callable[[], None] = lambda: None,
        on_wait: Callable[[str], None] = lambda said: None,
    ) -> None:
        """Ask what is missing, stage by stage while an audit is undecided.

        Under several processes the first does it and the others wait and read.

        Parameters
        ----------
        on_progress : callable
            Called with the `Tally` after every batch.
        on_start : callable
            Called before the first question, by the process that asks.
        on_wait : callable
            Told what is waited for, where it is another run.
        """
        with exclusive(self.store, self.settings.uid, self.settings.wait, on_wait):
            record = self.store.session(self.settings.uid)
            if record is not None:
                for who in self.answerers:
                    who.tally = Tally.from_record(record["tallies"][who.role])
                self.embedded = Tally.from_record(record["embedded"]) if record["embedded"] else None
                return
            on_start()
            with ExitStack() as stack:
                asking = {who.role: stack.enter_context(self._asker(who)) for who in self.answerers}
                asked = self._ask_in_looks(
                    lambda plan: ask_each(plan, self.answerers, lambda own, who: asking[who.role](own, on_progress))
                )
            if any(map(self.plan.inside, self._modalities())) and not self.tally.gave_up:
                self.embedded = fetch_embeddings(
                    Plan(asked, self.plan.effects, self.protocol),
                    self.model,
                    self.store,
                    self.renderer,
                    batch_size=self.batch_size,
                    deadline=self.answerers[0].deadline,
                    on_progress=on_progress,
                )
            for who in self.answerers:
                answered = who.tally.asked - len(who.tally.errors)
                if answered > 0:
                    self.store.note_rate(model_identity(who.model), answered / max(who.tally.seconds, 1e-9))
            self.tally.damaged = len(self.store.damaged)
            embedded = None if self.embedded is None else self.embedded.to_record()
            tallies = {who.role: who.tally.to_record() for who in self.answerers}
            self.store.save_session(self.settings.uid, {"tallies": tallies, "embedded": embedded})

    @contextmanager
    def _asker(self, who: Answerer) -> Iterator[Callable[[Plan, Progress], Tally]]:
        """Give the function that puts a plan to somebody: in this process, or by the workers of a cluster."""
        how: dict[str, Any] = {
            "batch_size": who.batch_size,
            "deadline": who.deadline,
            "tally": who.tally,
            "probabilities": self.probabilities,
            "ask_on": self.settings.ask_on,
        }
        # A server answers for a second model whoever asks; the audited one is refused earlier.
        elsewhere = who.role == MODEL or not (who.served or who.role == DATA)
        if self.settings.engine == "ray" and elsewhere:
            from auditkit.ask.ray_engine import RayEngine

            with RayEngine(who.given, who.options, workers=self.settings.workers) as engine:
                yield lambda plan, show: engine.prefetch(plan, who.model, self.store, on_progress=show, **how)
        else:
            earlier = Earlier(self.store, self.renderer, self._keys(), self.protocol.catalogue)
            yield lambda plan, show: prefetch(
                plan,
                who.model,
                self.store,
                self.renderer,
                on_progress=show,
                earlier=earlier if plan.round else None,
                **how,
            )

    def measure(self) -> None:
        """Read the answers into arrays and make the judge ready, look by look."""
        self._judge_in_looks()
        if self.judge is None:
            raise AuditkitError(
                f"none of the {len(self.plan.records)} images of {self.settings.data} could be decoded; the first: "
                f"{self.tally.left_out[0].name}: {self.tally.left_out[0].reason}.",
                "Give other images with --audit-data=SRC.",
            )
        judged = self.judge.data.records
        self.store.note_manifest(data_sha256(r.address for r in judged), noted(judged, self.renderer.unreadable))

    def _ask_in_looks(self, ask: Callable[[Plan], object]) -> tuple[Item, ...]:
        """Ask the questions of each look, judging before the next what was answered; return the images asked about."""
        asked: list[Item] = []
        for look, plan in self._looks():
            ask(plan)
            asked += plan.records
            if not look.last:  # after the last there is nothing left to ask, so `measure` judges it
                self._judge(look, plan)
        return tuple(asked)

    def _judge_in_looks(self) -> None:
        """Judge the answers of each look; nothing is asked."""
        self.looks_made = []
        for look, plan in self._looks():
            self._judge(look, plan)
            if self.judge is not None and self.protocol.looks.number > 1:
                self.looks_made.append(self._look_made(look, plan))

    def _looks(self) -> Iterator[tuple[Look, Plan]]:
        """Yield each look with its questions, those of the audits that are undecided by then.

        All of it depends on the protocol and the answers alone, so every process, and every repetition of the run, goes
        through the same looks.
        """
        from auditkit.judge.looks import plan_looks

        staged = stages(self.plan.records, self.protocol.looks.number, self.protocol.seed)
        self.judge, self._parts, self._digests = None, [], {}
        for look, stage in zip(plan_looks(staged, self.protocol), staged, strict=True):
            wanted = self.plan.effects if self.judge is None else self.judge.undecided()
            if not wanted:
                return
            yield look, replace(self.plan, records=stage, effects=wanted)

    def _judge(self, look: Look, plan: Plan) -> None:
        """Judge all that is answered by a look, unless no image so far could be decoded."""
        from auditkit.judge.judge import Judge
        from auditkit.measure.columns import joined

        answers = self._answers(plan)
        if answers.records:
            self._parts.append(answers)
        if self._parts:
            data = self._with_recorded(self._with_embeddings(joined(self._parts)))
            self.judge = Judge(self.protocol, data, self.plan.effects, look, before=self.judge, names=self.names)
            self._note_judged()

    def _note_judged(self) -> None:
        """Note with the first look that this protocol was applied: a run may be stopped before the last."""
        if self.judged_by:
            return
        images = data_sha256(r.address for r in self.plan.records)
        subject = digest_of(model_identity(self.model), images)
        self.judged_by = self.store.note_judged(subject, self.protocol_sha256, self.protocol.model_dump(mode="json"))

    def _with_embeddings(self, data: Measurements) -> Measurements:
        """Put what the model holds inside beside the answers, once it was fetched: after the last look."""
        if self.embedded is None:
            return data
        from auditkit.measure.embeddings import with_embeddings

        keys = EmbeddingKeys(self.model, self.protocol)
        return with_embeddings(data, self.plan.inside, keys, self.store, self.renderer)

    def _with_recorded(self, data: Measurements) -> Measurements:
        """Put beside the answers those that the records of other runs hold, item by item."""
        for one in self.recorded:
            own = (q for effect in self.plan.effects for q in effect.questions() if q.role == one.role)
            data = data.with_columns(one.columns(data.records, list(dict.fromkeys(map(self.protocol.resolve, own)))))
        return data

    def _modalities(self) -> set[str]:
        return {record.modality for record in self.plan.records}

    def _look_made(self, look: Look, plan: Plan) -> LookInfo:
        seen = self.judge.data.records
        return LookInfo(
            number=look.number,
            n_images=len(seen),
            n_clusters=len({r.cluster for r in seen}),
            n_questions=plan.size(),
            n_settled=self.judge.n_settled,
            levels=decided_levels(look, self.protocol),
        )

    def _answers(self, plan: Plan) -> Measurements:
        unreadable = {item for who in self.answerers for item in who.tally.unreadable}
        for who in self.answerers:  # whoever asked, this process or another
            self.renderer.unreadable |= who.tally.undecodable
        plan = replace(plan, records=tuple(r for r in plan.records if r.id not in unreadable))
        self._digests.update(digests(plan, self.store, self.renderer, Tally()))
        reader = self._reader(plan)
        found = reader.measure()
        self.unshown |= reader.unshown
        return found

    def reader(self) -> AnswerReader:
        """Return what finds the stored answers of the whole plan."""
        return self._reader(self.plan)

    def _reader(self, plan: Plan) -> AnswerReader:
        from auditkit.measure.reader import AnswerReader

        return AnswerReader(plan, self._digests, self._keys(), self.store, self.renderer)

    def _keys(self) -> RoleKeys:
        catalogue, probabilities = self.protocol.catalogue, self.probabilities
        by_role = {who.role: who.keys(catalogue, probabilities=probabilities) for who in self.answerers}
        return RoleKeys(by_role, catalogue)

    def may_show(self, record: Item) -> bool:
        """Whether a picture of the image may stand in the record."""
        return may_show(self.settings, record)

    def audit(self, effect: Effect, question: str, verb: Verb | None = None) -> Audit:
        """Return the judged record of one effect, as `Judge.audit` does, with the worst cases of a FAIL."""
        from auditkit.judge.cases import failing_cases

        audit: Audit = self.judge.audit(effect, question, verb)
        if audit.verdict == "PASS" or audit.shown:
            return audit
        worst = self.judge.worst_cases(effect)
        reader = self._reader(self.plan)
        cases = failing_cases(worst, reader, self.judge.data, self.protocol, self.may_show, self.names)
        return audit.model_copy(update={"cases": cases})

    def lacks(self, effect: Effect) -> str:
        """Say why a run cannot measure an effect, and so left it out of its plan; empty where it can."""
        return (
            lacking(effect, self.protocol, self.kinds, self.model)
            or lacking_kinds(effect, self.protocol, self.plan.records)
            or unanswered(effect, self.protocol, self.answerers, self.recorded)
            or self.lacking.of(effect, self.protocol)
        )

    def close(self) -> None:
        """Let go of the models and the store (see `remove_temporary_store` for the files of a temporary one)."""
        for who in self.answerers:
            closing = getattr(who.model, "close", None)
            if callable(closing):
                closing()
        self.store.close()


def decided_levels(look: Look, protocol: Protocol) -> dict[str, float]:
    """Return the nominal error per side of what a look decides: by modality, or ``column=level`` of other columns."""
    from auditkit.measure.columns import MODALITY

    whole = {stratum: protocol.alpha for stratum in look.fractions if stratum not in look.waiting}
    levels = whole | look.levels(protocol)
    return {level if column == MODALITY else f"{column}={level}": value for (column, level), value in levels.items()}


def all_left_out(run: AuditRun) -> list[LeftOut]:
    """Return what the source and the decoder left out, in a stable order; each once, whoever was asked about it."""
    tallies = [who.tally for who in run.answerers]
    found = {id_: entry for tally in tallies for id_, entry in zip(tally.unreadable, tally.left_out, strict=True)}
    return sorted([*run.images.left_out, *found.values()], key=lambda entry: (entry.name, entry.reason))
