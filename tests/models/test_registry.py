import re

import pytest

from auditkit.errors import AuditkitError
from auditkit.models.registry import OWN_FILE, VARIABLE, load_registry

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WANTED = """
medgemma medgemma-4b medgemma-27b medgemma-1.5-4b gemma-3-4b qwen2.5-vl-3b qwen2.5-vl-7b qwen2.5-vl-32b qwen3-vl-2b
qwen3-vl-4b qwen3-vl-8b internvl3.5-2b internvl3.5-8b internvl3.5-14b llava-1.6-mistral-7b llama3-llava-next-8b
llava-med-1.5 lingshu-7b lingshu-32b smolvlm smolvlm2-2.2b clip siglip medsiglip biomedclip pubmedclip reference
reference-prestige
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No test sees a file of the developer's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path


def own(folder, text, name=OWN_FILE):
    path = folder / name
    path.write_text(text)
    return str(path)


def problem(text, folder) -> str:
    with pytest.raises(AuditkitError) as raised:
        load_registry(own(folder, text, "mine.toml"))
    assert str(raised.value).startswith(str(folder / "mine.toml"))
    return str(raised.value)


def test_every_model_promised_is_there_and_complete():
    known = load_registry()
    assert set(known) == set(WANTED.split())
    for name, entry in known.items():
        assert entry.name == name
        assert entry.description, name
        assert entry.parameters, name
        assert entry.licence != "unknown", name
        assert bool(entry.unsupported) == bool(entry.instead)


def test_commits_are_whole_and_differ_between_repositories():
    pinned = {}
    for entry in load_registry().values():
        if entry.revision is not None:
            assert pinned.setdefault(entry.repository, entry.revision) == entry.revision
    assert len(set(pinned.values())) == len(pinned)
    assert {e.name for e in load_registry().values() if e.repository and not e.revision} == {"llava-med-1.5"}


def test_docs_list_every_commit_and_every_gap(pytestconfig):
    text = (pytestconfig.rootpath / "docs" / "models.md").read_text()
    for entry in load_registry().values():
        assert f"`{entry.name}`" in text, entry.name
        if entry.repository is not None:
            assert f"`{entry.repository}`" in text
            assert (entry.revision or "not pinned") in text


def test_medgemma_is_medgemma_4b():
    known = load_registry()
    assert known["medgemma"].model_dump(exclude={"name"}) == known["medgemma-4b"].model_dump(exclude={"name"})


def test_own_file_adds_and_overrides_single_keys(elsewhere):
    path = own(
        elsewhere,
        f"""
[medgemma-4b]
revision = "{COMMIT}"
[mine]
folder = "./checkpoints/mine"
backend = "dual-encoder"
[hosted]
backend = "openai"
base_url = "http://localhost:8000/v1"
served = "some/model"
extra = {{ temperature = 0.5 }}
["tuned-2.5"]
same_as = "qwen2.5-vl-7b"
repository = "me/tuned"
""",
    )
    for known in (load_registry(), load_registry(path)):
        assert known["medgemma-4b"].revision == COMMIT
        assert known["medgemma-4b"].repository == "google/medgemma-4b-it"
        assert known["medgemma"].revision == COMMIT  # an alias follows
        assert known["mine"].folder.endswith("checkpoints/mine")
        assert known["hosted"].extra == {"temperature": 0.5}
        tuned = known["tuned-2.5"]
        assert (tuned.repository, tuned.revision, tuned.family) == ("me/tuned", None, "qwen2_5_vl")
        assert tuned.processor == load_registry()["qwen2.5-vl-7b"].processor


def test_a_folder_is_meant_from_where_the_file_is(elsewhere):
    (elsewhere / "configs").mkdir()
    path = own(elsewhere / "configs", '[mine]\nbackend = "dual-encoder"\nfolder = "weights"\n')
    assert load_registry(path)["mine"].folder == str(elsewhere / "configs" / "weights")


def test_a_converted_folder_makes_an_unsupported_model_supported(elsewhere):
    own(elsewhere, '[pubmedclip]\nfolder = "./pubmedclip"\n')
    entry = load_registry()["pubmedclip"]
    assert (entry.unsupported, entry.repository, entry.revision) == ("", None, None)
    assert entry.medical


def test_which_own_file_is_taken(elsewhere, monkeypatch):
    line = '[{}]\nbackend = "openai"\nbase_url = "http://x/v1"\nserved = "m"\n'
    own(elsewhere, line.format("here"))
    assert "here" in load_registry()
    monkeypatch.setenv(VARIABLE, own(elsewhere, line.format("variable"), "variable.toml"))
    assert {"here", "variable"} & set(load_registry()) == {"variable"}
    assert "option" in load_registry(own(elsewhere, line.format("option"), "option.toml"))


@pytest.mark.parametrize("how", ["--audit-registry", VARIABLE])
def test_a_file_that_is_named_must_be_there(how, monkeypatch):
    if how == VARIABLE:
        monkeypatch.setenv(VARIABLE, "none.toml")
    with pytest.raises(AuditkitError, match=f"{re.escape(how)}=none.toml: there is no such file"):
        load_registry("none.toml" if how != VARIABLE else None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[mine", "is not valid TOML"),
        ('revision = "x"\n', "revision = ... stands outside of an entry"),
        ('[qwen2.5-vl-7b]\ndtype = "float16"\n', 'Write ["qwen2.5-vl-7b"]'),
        ("[medgemma]\nprocesor = { a = 1 }\n", "[medgemma] procesor: unknown key"),
        ("[medgemma]\nprocesor = { a = 1 }\n", "Did you mean 'processor'?"),
        ("[medgemma]\ntrust_remote_code = true\n", "code inside a checkpoint is never run"),
        ('[medgemma]\nrevision = "main"\n', "'main' is not a commit; all 40 digits"),
        (f'[medgemma]\nrevision = "{COMMIT[:39]}"\n', "is not a commit"),
        (f'[medgemma]\nrevision = "{COMMIT.upper()}"\n', "is not a commit"),
        ('[medgemma]\ndtype = "float64"\n', "'float32', 'bfloat16' or 'float16' (value seen: 'float64')"),
        ("[medgemma]\nparameters = 0.0\n", "greater than 0"),
        ("[medgemma]\nname = 'x'\nparameters = '4'\n", "[medgemma] parameters"),
        ('[medgemma]\nbase_url = "http://x/v1"\n', "base_url does not go with backend 'image-text-to-text'"),
        ("[mine]\nfamily = 'llava'\n", "backend: missing; allowed: image-text-to-text, dual-encoder, openai, ships"),
        ('[mine]\nbackend = "dual-encoder"\n', "needs repository or folder (one)"),
        ('[mine]\nbackend = "dual-encoder"\nrepository = "a/b"\nfolder = "c"\n', "needs repository or folder (one)"),
        ('[mine]\nbackend = "dual-encoder"\nrepository = "https://huggingface.co/a/b"\n', "[mine] repository"),
        ('[mine]\nbackend = "openai"\nserved = "m"\n', "needs base_url"),
        (f'[mine]\nbackend = "dual-encoder"\nfolder = "c"\nrevision = "{COMMIT}"\n', "no repository is given"),
        ('[mine]\nsame_as = "medgema"\n', "Did you mean 'medgemma'"),
        ('[a]\nsame_as = "b"\n[b]\nsame_as = "a"\n', "goes in a circle"),
        ('[a]\nsame_as = ["b"]\n', "is not an entry"),
    ],
)
def test_faults_name_file_entry_key_and_what_is_allowed(elsewhere, text, words):
    assert words in problem(text, elsewhere)


def test_a_key_typed_for_its_variable_is_not_repeated(tmp_path):
    file = tmp_path / "models.toml"
    file.write_text(
        '[mine]\nbackend = "openai"\nbase_url = "https://x/v1"\nserved = "m"\nlicence = "x"\ndescription = "d"\n'
        'key_variable = "sk-12345"\n'
    )
    with pytest.raises(AuditkitError, match="name of an environment variable") as raised:
        load_registry(str(file))
    assert "sk-12345" not in str(raised.value)
