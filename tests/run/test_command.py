"""What of a command may stand in a record."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.run.command import command_line

ROOT = Path("/home/jane/projects/audit")


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("--audit-store=postgresql://me:s3cret@db/answers", "--audit-store=postgresql://***@db/answers"),
        ("--audit-store=postgresql://me@db:5432/answers", "--audit-store=postgresql://***@db:5432/answers"),
        ("--audit-store=sqlite:///a.sqlite", "--audit-store=sqlite:///a.sqlite"),
        ("--audit-store=sqlite:////home/jane/secret/a.sqlite", "--audit-store=sqlite:///a.sqlite"),
        ("--audit-data=list.csv", "--audit-data=list.csv"),
        ("--audit-data=/home/jane/projects/audit/data/list.csv", "--audit-data=data/list.csv"),
        ("--audit-data=/home/jane/ward 7/list.csv", "--audit-data=list.csv"),
        ("--audit-data=~/ward/list.csv", "--audit-data=list.csv"),
        ("--audit-data=../../other/list.csv", "--audit-data=list.csv"),
        ("--audit-data=medmnist:/home/jane/a/bloodmnist.npz#test", "--audit-data=medmnist:bloodmnist.npz#test"),
        ("--audit-data=file:///home/jane/list.csv", "--audit-data=file:///list.csv"),
        ("--rootdir=/home/jane/projects/audit", "--rootdir=."),
        ("/home/jane/projects/audit/audits/test_x.py::test_y[a/b-c]", "audits/test_x.py::test_y[a/b-c]"),
        ("/mnt/jane/audits/test_x.py::test_y", "test_x.py::test_y"),
        ("cache_dir=/home/jane/.cache/p", "cache_dir=p"),
        ("-c/home/jane/pytest.ini", "-cpytest.ini"),
        ("C:\\Users\\jane\\data\\list.csv", "list.csv"),
        ("--audit-data=D:/jane/list.csv", "--audit-data=list.csv"),
        ("--audit-endpoint=https://api.example.org/v1", "--audit-endpoint=https://api.example.org/v1"),
        ("--audit-endpoint=https://jane:key@api.example.org/v1", "--audit-endpoint=https://***@api.example.org/v1"),
        ("--audit-store=postgresql://me:a::b=c/d@db/answers", "--audit-store=postgresql://***"),
        (
            "--audit-store=postgresql://me:pw@db/answers?password=pw",
            "--audit-store=postgresql://***@db/answers?password=***",
        ),
        ("--audit-store=sqlite+pysqlcipher://:pw@/a.db?cipher=x", "--audit-store=sqlite+pysqlcipher://***"),
        ("--audit-store=sqlite:///a.db?key=pw", "--audit-store=sqlite:///a.db?***"),
        ("--audit-store=me:p/w@db/answers", "--audit-store=***@db/answers"),
        ("addopts=--audit-store=postgresql://me:p w@db/x -q", "addopts=--audit-store=postgresql://***"),
        ("password=hunter2", "password=***"),
        ("audits/test_x.py::test_y[a:b@c]", "audits/test_x.py::test_y[a:b@c]"),
        ("--model=google/medgemma-4b-it", "--model=google/medgemma-4b-it"),
        ("audits/", "audits/"),
        ("-k", "-k"),
        ("a or (b and not c)", "a or (b and not c)"),
        ("--audit-limit=40", "--audit-limit=40"),
    ],
)
def test_neither_secrets_nor_folders_reach_the_record(word, shown):
    assert command_line([word], ROOT) == shown


@given(
    st.sampled_from(["", "--audit-data=", "--opt=key=", "-c", "sqlite:///", "file://", "a:", "x,"]),
    st.lists(st.sampled_from(["jane", "home", "data", "ward 7", "a.b"]), min_size=1, max_size=4),
)
def test_no_folder_of_a_user_survives_any_prefix(prefix, folders):
    word = f"{prefix}/home/jane/{'/'.join(folders)}/last.csv"
    shown = command_line([word], Path("/srv/audit"))
    assert "jane" not in shown
    assert shown.endswith("last.csv")


def test_words_stay_in_order():
    assert command_line(["audits/", "--model", "reference"], ROOT) == "audits/ --model reference"
