"""Which hosts are never asked, in all the ways of writing them."""

import socket

import pytest

from auditkit.errors import AuditkitError
from auditkit.models.address import checked_address, refuse_link_local
from auditkit.models.endpoint import EndpointModel
from auditkit.models.registry import load_registry
from tests.models.endpoint.conftest import question

NUMBER = (169 << 24) + (254 << 16) + (169 << 8) + 254
HOSTS = [
    "169.254.169.254",
    "169.254.0.1",
    str(NUMBER),
    hex(NUMBER),
    "0251.0376.0251.0376",
    "169.254.43518",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[fd00:ec2::254]",
    "100.100.100.200",
    "168.63.129.16",
    "metadata.google.internal",
    "METADATA.google.internal.",
    "metadata",
]


@pytest.mark.parametrize("host", HOSTS)
def test_what_is_link_local_or_gives_out_credentials_is_not_asked(host):
    with pytest.raises(AuditkitError, match="is not asked"):
        checked_address(f"http://{host}:8000/v1")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.7", "[fd00::7]", "gpu-host", "2130706433"])
def test_all_other_hosts_are(host):
    assert checked_address(f"http://{host}:8000/v1/") == f"http://{host}:8000/v1"


def test_nor_by_an_entry_of_the_registry(tmp_path):
    (tmp_path / "m.toml").write_text(
        '[hosted]\nbackend = "openai"\nbase_url = "http://169.254.169.254/latest/v1"\nserved = "m"\n'
    )
    with pytest.raises(AuditkitError, match=r"base_url: the host 169\.254\.169\.254 is link-local"):
        load_registry(str(tmp_path / "m.toml"))


def test_nor_by_a_name_that_leads_there(monkeypatch):
    found = {"plain.example": "10.0.0.7", "sly.example": "169.254.169.254"}
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *_, **__: [(socket.AF_INET, 1, 6, "", (found[host], 0))])
    refuse_link_local("plain.example", look_up=True)
    model = EndpointModel("http://sly.example/v1", "m", name="m")
    with pytest.raises(AuditkitError, match=r"sly\.example is link-local"):
        model.generate([question()])
