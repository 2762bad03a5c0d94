"""All checks of a report, in the order in which each rests on those before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from auditkit.ask.database import is_there
from auditkit.ask.store import Store
from auditkit.errors import AuditkitError
from auditkit.evidence import Evidence
from auditkit.images.item import Item
from auditkit.images.sources import DEMO
from auditkit.measure.marks import marks_beyond
from auditkit.measure.recorded import from_answers
from auditkit.protocol.recorded import own_protocol
from auditkit.records.verify import answers, copies, criteria, described, images, pages, record, verdicts
from auditkit.records.verify.checks import DIFFERS, OPEN, Check, settled
from auditkit.records.verify.copies import EVIDENCE, HTML, PDF, Copy
from auditkit.records.verify.embeddings import check_embeddings
from auditkit.records.verify.record import read_bytes
from auditkit.records.verify.references import check_recorded, check_versions, read_references
from auditkit.run.settings import DEFAULT_STORE
from auditkit.words import count

_NAMES = (EVIDENCE, HTML, PDF)
_SUFFIXES = (".json", ".html", ".htm", ".pdf")


def verify(
    report: Path, *, store: str = DEFAULT_STORE, data: str | None = None, references: Sequence[Path] = ()
) -> list[Check]:
    """Check a report and its record against each other and against the store.

    Parameters
    ----------
    report : pathlib.Path
        An evidence.json, a report.html, a report.pdf, or the folder of a run. The page named, or every page of the
        folder named, is rendered again; of pages beside a file named only the record inside is compared.
    store : str
        Path or URL of the store of the run. Nothing is asked, and no answer is written.
    data : str, optional
        Images to read again, as for a run's ``--audit-data``. The demonstration images are read again by themselves.
    references : sequence of pathlib.Path
        The evidence.json of runs that this one was held against.

    Returns
    -------
    list of Check
        What they come to is `exit_code`.

    Raises
    ------
    AuditkitError
        When a file cannot be read or is not a report.
    """
    named, beside = _files(report)
    found = {path: copies.read_copy(path) for path in (*named, *beside) if path.suffix != ".json"}
    base = named[0]
    inside = found.get(base)
    if inside is not None and inside.unread:
        raise AuditkitError(f"{base}: {inside.unread}")
    content = read_bytes(base) if inside is None else inside.record
    if content is None:
        why = (inside.problem,) if inside is not None else ()
        return [Check(copies.PART, DIFFERS, f"{base.name} holds no record to check", why)]
    evidence, first = record.read_record(content, base.name)
    others = {path: None if path in found else read_bytes(path) for path in (*named, *beside) if path != base}
    checks = [first, *_same_record(base, content, evidence, found, others)]
    if evidence is None:
        return checks
    stated, earlier = read_references(evidence, references)
    checks += stated
    checks += [_page(path, evidence, content) for path in named if path in found]
    checks += record.check_record(evidence)
    checks += criteria.check_protocol(evidence)
    return [*checks, *_content(evidence, store, data, earlier)]


def _files(report: Path) -> tuple[list[Path], list[Path]]:
    """Return what is named, the one whose record is checked first, and what of the same run may lie beside it."""
    if report.is_dir():
        named = [report / name for name in _NAMES if (report / name).is_file()]
        if not named:
            raise AuditkitError(f"{report} holds none of {', '.join(_NAMES)}.", "Give the folder of a run.")
        return named, []
    if not report.is_file():
        raise AuditkitError(f"{report} does not exist.", f"Give one of {', '.join(_NAMES)}, or their folder.")
    if report.suffix.lower() not in _SUFFIXES:
        raise AuditkitError(f"{report} is not a report: it ends with none of {', '.join(_SUFFIXES)}.")
    siblings = (report.with_name(name) for name in _NAMES)
    return [report], [path for path in siblings if path.is_file() and path.name != report.name]


def _same_record(
    base: Path,
    content: bytes,
    evidence: Evidence | None,
    found: Mapping[Path, Copy],
    others: Mapping[Path, bytes | None],
) -> Iterator[Check]:
    """Compare the record that is checked with those in the other files, and with the hash each prints."""
    for path, own in others.items():
        if own is not None:
            words = f"{path.name} beside it is byte for byte the record in {base.name}"
            yield settled(copies.PART, words, _other(own, content))
    for path, copy in found.items():
        if copy.unread:
            yield Check(copies.PART, OPEN, f"{path.name}: {copy.unread}")
        elif copy.record is None:
            yield Check(copies.PART, DIFFERS, f"{path.name} holds no record to compare", (copy.problem,))
        else:
            words = f"{path.name} holds the record of {base.name}, byte for byte, and states its SHA-256"
            yield settled(copies.PART, words, list(_copy_faults(copy, copy.record, content, evidence)))


def _other(own: bytes, content: bytes) -> list[str]:
    if own == content:
        return []
    return [f"another record: SHA-256 {record.sha256(own)}, expected {record.sha256(content)}"]


def _copy_faults(copy: Copy, own: bytes, content: bytes, evidence: Evidence | None) -> Iterator[str]:
    yield from _other(own, content)
    expected = record.sha256(content)
    if expected not in copy.stated:
        yield f"it states no SHA-256 that is the record's, {expected}, but {', '.join(copy.stated) or 'none'}"
    text = evidence.protocol.toml.encode("utf-8", "backslashreplace") if evidence is not None else None
    if text is not None and copy.protocol is not None and copy.protocol != text:
        yield f"the attachment {copies.PROTOCOL} is not the protocol's text in the record"


def _page(path: Path, evidence: Evidence, content: bytes) -> Check:
    check = pages.check_pdf if path.suffix.lower() == ".pdf" else pages.check_html
    return check(path, evidence, content)


def _content(evidence: Evidence, url: str, data: str | None, earlier: Mapping[str, Evidence]) -> Iterator[Check]:
    """Compare images and answers with the store, and the verdicts with the answers."""
    try:
        protocol, recorded = own_protocol(evidence), from_answers(evidence.answers)
    except (AuditkitError, ValueError) as error:
        yield Check(verdicts.PART, OPEN, f"neither images nor answers nor verdicts: {error}")
        return
    beyond = list(marks_beyond(evidence))
    if beyond:
        words = "answers beyond their scale, with which no verdict can be made again"
        yield settled(record.PART, words, beyond)
        return
    unknown = list(verdicts.definition_faults(evidence, protocol))
    if unknown:
        yield settled(record.PART, "audits of what the protocol does not have, which cannot be judged again", unknown)
        return
    yield from check_recorded(evidence, recorded, earlier)
    own = verdicts.Material(evidence, protocol, recorded)
    source = data or (DEMO if evidence.data.source == DEMO else None)
    pictures: list[Item] = []
    if source is not None:
        check, pictures = images.check_data(evidence, source)
        yield check
    if not is_there(url):
        yield Check(answers.PART, OPEN, f"there is no store at {url}: give that of the run with --store")
        yield from _verdicts(own, pictures, earlier)
        return
    with closing(Store(url)) as store:
        check, noted = images.check_manifest(evidence, store)
        if check.state != OPEN or not pictures:  # the images themselves say more than a note about them
            yield check
        yield criteria.check_history(evidence, store)
        yield described.check_described(evidence, store)
        read = {item.id: item for item in pictures}
        addressed = [images.addressed(r, noted.get(r.id), read.get(r.id)) for r in recorded.records]
        reread = answers.check_answers(evidence, protocol, addressed, store)
        yield from reread.checks
        if reread.data is not None:
            elsewhere = {q: recorded.column(q) for q in set(recorded.asked()) - set(reread.data.asked())}
            own = replace(own, data=reread.data.with_columns(elsewhere), reader=reread.reader, store=store)
        yield from check_embeddings(evidence, protocol, recorded, addressed, store)
        yield from _verdicts(own, pictures, earlier)
        if store.damaged:
            rows = count(len(store.damaged), "row of the store is", "rows of the store are")
            yield Check(answers.PART, OPEN, f"{rows} damaged and not used; a run asks again what is missing")


def _verdicts(
    material: verdicts.Material, pictures: Sequence[Item], earlier: Mapping[str, Evidence]
) -> Iterator[Check]:
    try:
        yield from verdicts.check_verdicts(material)
        yield from check_versions(material, earlier)
    except (ValueError, ArithmeticError) as error:  # what a run wrote can be judged again
        yield verdicts.by_version(material, "", [str(error)], "the answers and criteria cannot be judged again")
    if material.evidence.data.strata:
        yield verdicts.check_attributes(material.evidence, pictures)
