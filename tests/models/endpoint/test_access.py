"""Headers and queries that servers want, with secrets from the environment only."""

import json

import pytest

from auditkit.errors import AuditkitError
from auditkit.models.registry import load_registry
from tests.models.endpoint.conftest import question
from tests.models.endpoint.faults import Server

SECRET, OTHER = "sk-one two/three", "tenant-0042"
AZURE = {
    "key_variable": "AZURE_KEY", "key_header": "api-key", "query": {"api-version": "2024-10-21", "tenant": "$TENANT"},
    "headers": {"x-ward": "7"},
}  # fmt: skip


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    monkeypatch.setenv("AZURE_KEY", SECRET)
    monkeypatch.setenv("TENANT", OTHER)


def test_key_in_a_header_of_its_own_and_a_query(endpoint):
    with Server() as server:
        assert endpoint(server, with_=AZURE).generate([question()])[0].error is None
        (heard,) = [one for one in server.heard if one.path.startswith("/v1/chat/completions")]
        assert heard.path == "/v1/chat/completions?api-version=2024-10-21&tenant=tenant-0042"
        assert heard.headers["api-key"] == SECRET
        assert heard.headers["x-ward"] == "7"
        assert "authorization" not in heard.headers


def test_what_came_from_the_environment_is_shown_nowhere(endpoint):
    def reply(body):
        text = f"no {SECRET} in {OTHER}, sk-one%20two%2Fthree"
        return 400, {"error": {"message": text}}

    with Server(reply) as server:
        model = endpoint(server, with_=AZURE)
        with pytest.raises(AuditkitError) as raised:
            model.generate([question(i) for i in range(5)])
        assert "HTTP 400: no [key] in [key], [key]." in raised.value.problem
        for shown in (str(raised.value), repr(model), model.fingerprint, model.description, json.dumps(model.limits)):
            assert SECRET not in shown
            assert OTHER not in shown


def test_the_fingerprint_covers_the_query_and_no_secret(endpoint, monkeypatch):
    with Server() as server:
        first = endpoint(server, with_=AZURE).fingerprint
        monkeypatch.setenv("TENANT", "another")
        monkeypatch.setenv("AZURE_KEY", "another")
        assert endpoint(server, with_=AZURE).fingerprint == first
        later = {**AZURE, "query": {"api-version": "2026-01-01", "tenant": "$TENANT"}}
        assert endpoint(server, with_=later).fingerprint != first


def test_a_variable_that_is_not_set_is_named(endpoint, monkeypatch):
    monkeypatch.delenv("TENANT")
    with Server() as server, pytest.raises(AuditkitError, match=r"takes \$TENANT from the environment") as raised:
        endpoint(server, with_=AZURE).generate([question()])
    assert "export TENANT=" in raised.value.remedy


ENTRY = '[hosted]\nbackend = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nserved = "m"\n'


@pytest.mark.parametrize(
    "line",
    ['headers = { "api-key" = "sk-1" }', 'headers = { Authorization = "Bearer x" }', 'query = { access_token = "x" }',
     'headers = { Cookie = "sk-1" }', 'extra = { api_key = "sk-1" }', 'extra = { auth = { bearer = "sk-1" } }'],
)  # fmt: skip
def test_secrets_in_the_file_are_refused_and_not_repeated(tmp_path, line):
    (tmp_path / "models.toml").write_text(ENTRY + line)
    with pytest.raises(AuditkitError, match="looks like a secret") as raised:
        load_registry(str(tmp_path / "models.toml"))
    assert "sk-1" not in str(raised.value)
    assert "Bearer" not in str(raised.value)


def test_by_their_variable_they_are_not(tmp_path):
    (tmp_path / "models.toml").write_text(ENTRY + 'headers = { "api-key" = "$AUDITKIT_API_B" }\nomit = ["seed"]')
    assert load_registry(str(tmp_path / "models.toml"))["hosted"].headers == {"api-key": "$AUDITKIT_API_B"}


def test_a_redirection_does_not_show_the_query(endpoint):
    def reply(body):
        return 307, {}, {"location": f"http://elsewhere/v1?tenant={OTHER}"}

    with Server(reply) as server, pytest.raises(AuditkitError, match=r"tenant=\*\*\*"):
        endpoint(server, with_=AZURE).generate([question()])


@pytest.mark.parametrize(
    "line",
    ['base_url = "http://me:sk-1@host/v1"', 'base_url = "http://me:1/sk-1@host/v1"', 'base_url = "ftp://me:sk-1@host/"',
     'base_url = "http://host/v1?key=sk-1"', 'headers = { "x-a" = ["sk-1"] }', 'query = ["sk-1"]', 'extra = "sk-1"'],
)  # fmt: skip
def test_no_fault_of_an_entry_repeats_what_may_be_a_secret(tmp_path, line):
    entry = '[hosted]\nbackend = "openai"\nserved = "m"\n' + (
        "" if "base_url" in line else ENTRY.splitlines()[2] + "\n"
    )
    (tmp_path / "models.toml").write_text(entry + line)
    with pytest.raises(AuditkitError, match="is not valid") as raised:
        load_registry(str(tmp_path / "models.toml"))
    assert "sk-1" not in str(raised.value)


def test_a_value_outside_of_an_entry_is_not_repeated(tmp_path):
    (tmp_path / "models.toml").write_text('api_key = "sk-1"\n')
    with pytest.raises(AuditkitError, match="stands outside of an entry") as raised:
        load_registry(str(tmp_path / "models.toml"))
    assert "sk-1" not in str(raised.value)


def test_numbers_of_tokens_are_no_secrets(tmp_path):
    (tmp_path / "models.toml").write_text(ENTRY + 'extra = { max_tokens = 5, stop_tokens = "a", min_tokens = 1 }')
    assert load_registry(str(tmp_path / "models.toml"))["hosted"].extra["stop_tokens"] == "a"


def test_logs_of_the_libraries_hold_no_secret(endpoint, caplog):
    caplog.set_level(1)
    with Server(lambda body: (400, {"error": SECRET})) as server:
        endpoint(server, with_=AZURE).generate([question()])
    assert any(record.name == "httpx2" and "tenant=***" in record.getMessage() for record in caplog.records)
    assert SECRET not in caplog.text
    assert OTHER not in caplog.text
    assert "two%2Fthree" not in caplog.text


def test_a_key_is_taken_out_before_words_are_cut(endpoint):
    with Server(lambda body: (400, (" " * 795 + SECRET).encode())) as server:
        (response,) = endpoint(server, with_=AZURE).generate([question()])
    assert "sk-on" not in response.error


@pytest.mark.parametrize(
    "proxy", ["http://jane:p4ss/w0rd@proxy:3128", "foo://jane:p4ss@proxy", "http://jane:p4ss@w0rd:x"]
)
def test_a_proxy_that_cannot_be_used_is_told_without_its_password(endpoint, monkeypatch, proxy):
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(AuditkitError, match="HTTP_PROXY") as raised:
        endpoint("http://models.example/v1").generate([question()])
    for part in ("p4ss", "w0rd", "jane"):
        assert part not in str(raised.value)


@pytest.mark.parametrize(
    "line",
    ['key_variable = "AWS_SECRET_ACCESS_KEY"', 'headers = { "x-a" = "$HOME" }', 'query = { a = "$GITHUB_TOKEN" }',
     'key_variable = "AUDITKIT_SALT"', 'headers = { "x-a" = "$ecret-1" }', 'key_variable = "NOT_AUDITKIT_API_KEY"'],
)  # fmt: skip
def test_an_entry_may_not_send_any_variable_it_likes(tmp_path, monkeypatch, line):
    (tmp_path / "models.toml").write_text(ENTRY + line)
    with pytest.raises(AuditkitError, match="begins with AUDITKIT_API_") as raised:
        load_registry(str(tmp_path / "models.toml"))
    assert "export AUDITKIT_MAY_SEND=" in str(raised.value)
    assert "ecret-1" not in str(raised.value)
    # Nor by way of the entry that it is like.
    (tmp_path / "models.toml").write_text(ENTRY + "\n[b]\nsame_as = 'hosted'\n" + line)
    with pytest.raises(AuditkitError, match="begins with AUDITKIT_API_"):
        load_registry(str(tmp_path / "models.toml"))


def test_the_user_lists_further_variables(tmp_path, monkeypatch):
    (tmp_path / "models.toml").write_text(ENTRY + 'key_variable = "A_KEY"\nheaders = { "x-a" = "$B" }')
    monkeypatch.setenv("AUDITKIT_MAY_SEND", "A_KEY, B")
    assert load_registry(str(tmp_path / "models.toml"))["hosted"].key_variable == "A_KEY"
    monkeypatch.setenv("AUDITKIT_MAY_SEND", "A_KEY")
    with pytest.raises(AuditkitError, match="headers: a variable"):
        load_registry(str(tmp_path / "models.toml"))
