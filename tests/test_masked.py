"""What may be secret in an address is shown nowhere, however it is written."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.errors import AuditkitError
from auditkit.masked import masked_text, masked_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("https://[fd00::7]:8000/v1", "https://[fd00::7]:8000/v1"),
        ("postgresql+psycopg://me:pw@db:5432/answers", "postgresql+psycopg://***@db:5432/answers"),
        ("https://tokenalone@host/v1", "https://***@host/v1"),
        ("https://host/v1?key=abc&abc#abc", "https://host/v1?key=***&***#***"),
        ("jdbc:x://host;user=me;password=pw", "***"),
        ("mssql://host/db;user=me;password=pw", "mssql://host/db;user=***;password=***"),
        ("https://me:p/w@host/v1", "https://***"),
        ("https://me:12/w@host/v1", "https://***"),
        ("https://me:p@w@host/v1", "https://***"),
        ("https://me:p?w@host/v1", "https://***"),
        ("https://me:p w@host/v1", "https://***"),
        ("https://me:p#w@host/v1", "https://***"),
        ("https://me:pw@host:port:1/v1", "https://***"),
        ("https//me:pw@host/v1", "***"),
        ("me:pw@host/v1", "***"),
        ("host:8000/v1", "host:8000/v1"),
    ],
)
def test_an_address_is_shown_in_parts_only_where_it_reads_in_one_way(url, shown):
    assert masked_url(url) == shown
    assert masked_url(shown) == shown


PASSWORDS = st.text(st.sampled_from(string.ascii_letters + string.digits + string.punctuation + " é"), min_size=1)


TEMPLATES = (
    *("https://me:{}@host.example/v1", "postgresql://me:{}@db/x", "https://{}@host/v1", "https://host/v1?key={}"),
    *("s3://A:{}@bucket/k?token={}", "x://h/p;password={}"),
)


@given(PASSWORDS, st.sampled_from(TEMPLATES))
def test_no_password_survives(password, template):
    # Set apart by signs that stand nowhere else, so that finding either is finding the password.
    url = template.format(f"QZ{password}ZQ", "QZxZQ")  # the second, where there are two
    shown = masked_url(url)
    assert "QZ" not in shown
    assert "ZQ" not in shown
    if " " not in password:
        error = AuditkitError(f"--audit-x={url} is wrong: '{url}'.", f"Not {url}, but another.")
        assert "ZQ" not in str(error)
        assert "QZ" not in str(error)


def test_a_text_keeps_all_but_the_secrets():
    text = "Give http://host:port/v1 or (postgresql+pg8000://), not http://a:b@c/v1?k=v, e.g. `https://h/v1`."
    assert masked_text(text) == text.replace("http://a:b@c/v1?k=v", "http://***@c/v1?k=***")
    assert masked_text("could not connect: host=db password=hunter2 user=x") == (
        "could not connect: host=db password=*** user=x"
    )
