"""Texts of others that no parser of the standard library, or nothing after it, can handle."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.errors import AuditkitError
from auditkit.models.on_disk import json_object, safetensors_header
from auditkit.models.registry import load_registry
from auditkit.parsed import DEPTH, ParseError, json_value, toml
from auditkit.protocol.read import load_protocol

TOO_MUCH = {
    "lists": "x = " + "[" * 100_000,
    "closed lists": "x = " + "[" * 300 + "]" * 300,
    "tables": "x = " + "{a = " * 50_000,
    "a dotted key": "[" + ".".join(["a"] * 50_000) + "]",
    "digits": "x = " + "9" * 5000,
    "hexadecimal digits": "x = 0x" + "f" * 100_000,
    "one bit more": f"x = {2**63}",
}


@pytest.mark.parametrize("text", TOO_MUCH.values(), ids=TOO_MUCH)
def test_toml_that_is_too_much_is_refused_in_words(tmp_path, text):
    with pytest.raises(ParseError, match=r"nests more than 100|too large"):
        toml(text)
    path = tmp_path / "p.toml"
    path.write_text(text)
    with pytest.raises(AuditkitError, match="is not valid TOML: it ") as of_a_protocol:
        load_protocol(path)
    with pytest.raises(AuditkitError, match="is not valid TOML: it ") as of_a_registry:
        load_registry(str(path))
    assert max(len(str(of_a_protocol.value)), len(str(of_a_registry.value))) < 400


@pytest.mark.parametrize(
    "text", ["[" * 200_000, '{"a":' * 100_000, "[" * 300 + "]" * 300, "9" * 5000, '{"a": ' + "9" * 101 + "}"]
)
def test_json_that_is_too_much_is_refused_in_words(tmp_path, text):
    with pytest.raises(ParseError, match=r"nests more than 100|too large"):
        json_value(text)
    (tmp_path / "config.json").write_text(text)
    assert json_object(tmp_path / "config.json") == {}
    (tmp_path / "w.safetensors").write_bytes(len(text).to_bytes(8, "little") + text.encode())
    assert safetensors_header(tmp_path / "w.safetensors") == {}


def test_what_people_and_libraries_write_is_read():
    assert toml(f"x = {2**63 - 1}\ny = -{2**63}") == {"x": 2**63 - 1, "y": -(2**63)}
    nested = "[" * DEPTH + "]" * DEPTH
    assert json_value(nested) == json.loads(nested)
    assert json_value('{"model_max_length": 1000000000000000019884624838656}')["model_max_length"] == int(1e30)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data):
    for read in (lambda: json_value(data), lambda: toml(data.decode("latin-1"))):
        with suppress(ParseError):
            read()
