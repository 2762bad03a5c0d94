"""A record of another schema is refused in one way, wherever it is read."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from auditkit.errors import AuditkitError
from auditkit.evidence import SCHEMA_VERSION, Evidence
from auditkit.evidence.reading import OtherSchema, parse_evidence, read_evidence
from tests.evidence.test_evidence import evidence

SAID = f"x has schema version 1.1, and this auditkit reads {SCHEMA_VERSION}. Use the auditkit that wrote it, "


def test_a_record_reads_back_from_a_file_and_from_its_folder(tmp_path: Path) -> None:
    text = evidence().to_json()
    (tmp_path / "evidence.json").write_text(text, encoding="utf-8")
    for path in (tmp_path, tmp_path / "evidence.json"):
        assert read_evidence(path) == (Evidence.from_json(text), text.encode())


@pytest.mark.parametrize("fits", [True, False])
def test_another_schema_is_refused_with_both_versions_whether_it_fits_or_not(fits: bool) -> None:
    tree = json.loads(evidence().to_json()) | {"schema_version": "1.1"}
    if not fits:
        tree |= {"gate": "equivalence"}
    with pytest.raises(OtherSchema) as raised:
        parse_evidence(json.dumps(tree), "x")
    assert str(raised.value).startswith(SAID)


def test_a_version_without_end_is_cut() -> None:
    with pytest.raises(OtherSchema) as raised:
        parse_evidence(json.dumps({"schema_version": "9" * 10_000}), "x")
    assert len(str(raised.value)) < 200


def test_what_names_this_version_and_does_not_fit_is_another_fault(tmp_path: Path) -> None:
    tree = json.loads(evidence().to_json()) | {"vlaue": 1}
    with pytest.raises(ValidationError, match="vlaue"):
        parse_evidence(json.dumps(tree), "x")
    path = tmp_path / "e.json"
    path.write_text(json.dumps(tree))
    with pytest.raises(AuditkitError, match="is not evidence of this auditkit: vlaue"):
        read_evidence(path, "--audit-baseline")


@pytest.mark.parametrize("content", [b"{}", b"[1]", b"\xff", b"", b"[" * 100_000])
def test_what_is_not_a_record_is_said_to_be_none(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "e.json"
    path.write_bytes(content)
    with pytest.raises(AuditkitError, match="is not evidence of this auditkit"):
        read_evidence(path)
    with pytest.raises(AuditkitError, match="cannot be read"):
        read_evidence(tmp_path / "none.json")
