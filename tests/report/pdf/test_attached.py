"""The record and the protocol inside the file, and what the file is known by."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pikepdf
import pytest
from pikepdf import Name

from auditkit.evidence import Data, Evidence, ModelInfo, ProtocolInfo, Run
from auditkit.report.pdf import render_pdf
from tests.report.pdf.conftest import TOML


@pytest.fixture(scope="module")
def bare() -> Evidence:
    """A record that has next to nothing, with a time that is none."""
    return Evidence(
        run=Run(id="r", started="then", finished="later"),
        model=ModelInfo(name="m"),
        protocol=ProtocolInfo(name="p", sha256="0" * 64, profile="ci", alpha=0.05, criteria={}),
        data=Data(source="", n_images=0, n_clusters=0, modalities=[], synthetic_share=None),
        audits=[],
        verdict="INCONCLUSIVE",
        sentence="No audit was run.",
    )


def test_the_record_and_the_protocol_are_attached_byte_for_byte(pdf: Any, record: bytes) -> None:
    attached = {name: pdf.attachments[name] for name in pdf.attachments}
    assert {name: spec.get_file().read_bytes() for name, spec in attached.items()} == {
        "evidence.json": record,
        "protocol.toml": TOML.encode(),
    }
    assert {name: spec.get_file().mime_type for name, spec in attached.items()} == {
        "evidence.json": "application/json",
        "protocol.toml": "application/toml",
    }
    assert {str(spec.UF): str(spec.AFRelationship) for spec in pdf.Root.AF} == {
        "evidence.json": "/Data",
        "protocol.toml": "/Data",
    }
    times = {
        str(spec.get_file().obj.Params[key]) for spec in attached.values() for key in ("/CreationDate", "/ModDate")
    }
    assert times == {"D:20261122011500Z"}


def test_the_identifier_follows_from_the_record(pdf: Any, record: bytes) -> None:
    first, second = (bytes(part) for part in pdf.trailer[Name.ID])
    assert first.decode() == hashlib.sha256(record).hexdigest()[:32]
    assert len(second) == 32  # over the file itself: see test_same_bytes


def test_other_bytes_of_the_same_record_are_attached_as_they_are(bare: Evidence) -> None:
    """A file that someone laid out anew is what was signed, not what auditkit would write."""
    own = bare.model_dump_json().encode()
    data = render_pdf(bare, own)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert list(pdf.attachments) == ["evidence.json"]
        assert pdf.attachments["evidence.json"].get_file().read_bytes() == own
        assert str(pdf.docinfo[Name.CreationDate]).startswith("D:19700101000000")
        assert str(pdf.docinfo[Name.Title]) == "INCONCLUSIVE: audit of m"
