"""The command line: thin, with sentences for what is wrong."""

import json
from pathlib import Path

import pytest

from auditkit.cli import main
from auditkit.evidence import Evidence, ProtocolInfo
from auditkit.models.reference import checkpoint
from auditkit.models.registry import load_registry
from auditkit.planning import Assumed, as_text, plan_from_pilot, plan_from_sd, with_margin
from auditkit.protocol.read import load_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.testing import FairReader, audit_all, made_up_images, simulate
from tests.models.fake_hub import FakeHub
from tests.report.sample import lean

SHIPPED_PROTOCOL = Path(__file__).parents[2] / "audits" / "protocol.toml"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder without a registry file of the developer's own, and a machine without a cache of the hub."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AUDITKIT_REGISTRY", raising=False)
    FakeHub(tmp_path / "hf").use_in(monkeypatch)
    return tmp_path


def test_models_is_a_table_of_100_columns(elsewhere, capsys):
    FakeHub(elsewhere / "hf").put("openai/clip-vit-large-patch14", load_registry()["clip"].revision, checkpoint())
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    rows = {line.split()[0]: line.split() for line in lines if line}
    assert rows["reference"][-1] == "ships"
    assert rows["medgemma"][1:] == [
        "gemma3",
        "4.3B",
        "medicine",
        "image-text-to-text",
        "HAI-DEF,",
        "gated",
        "not",
        "here",
    ]
    assert rows["clip"][1:] == ["clip", "428M", "general", "dual-encoder", "MIT", "in", "cache"]
    assert rows["biomedclip"][-2:] == ["cannot", "load"]
    assert set(load_registry()) < set(rows)


def test_models_shows_those_of_ones_own_file(elsewhere, capsys):
    (elsewhere / "mine.toml").write_text('[mine]\nbackend = "openai"\nbase_url = "http://x/v1"\nserved = "m"\n')
    assert main(["models", "--json", "--audit-registry=mine.toml"]) == 0
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert listed["mine"]["where"] == "server"
    assert listed["medgemma"]["revision"] == load_registry()["medgemma"].revision
    (elsewhere / "mine.toml").write_text('[mine]\nbackend = "openal"\n')
    assert main(["models", "--audit-registry=mine.toml"]) == 4
    assert "'openai'" in capsys.readouterr().err


def test_doctor_ends_0_when_nothing_is_missing_and_1_when_something_is(elsewhere, capsys):
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.startswith("reference: ")
    assert main(["doctor", "--model=clip"]) == 1
    assert "hf download openai/clip-vit-large-patch14 --revision" in capsys.readouterr().out
    assert main(["doctor", "--model=clipp"]) == 4
    assert "Did you mean 'clip'?" in capsys.readouterr().err


def test_schema_is_json(capsys):
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"].endswith("2020-12/schema")
    assert "audits" in schema["properties"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("no json", "is not evidence"),
        ("{}", "is not evidence"),
        ('{"schema_version": "1.1"}', "has schema version 1.1, and this auditkit reads 2.0"),
    ],
)
def test_report_of_what_is_not_evidence(tmp_path, capsys, content, words):
    path = tmp_path / "evidence.json"
    path.write_text(content)
    assert main(["report", str(path)]) == 4
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


def test_report_of_a_missing_file(tmp_path, capsys):
    assert main(["report", str(tmp_path / "none.json")]) == 4
    assert "cannot be read" in capsys.readouterr().err


def pilot_of(tmp_path):
    """A run's record as it is written: two modalities read by a made-up model, judged by the shipped protocol."""
    audits, rules = made_up_audits(("placebo", "repeatability"))
    info = ProtocolInfo(
        name=rules.name, sha256="0", profile=rules.profile, alpha=rules.alpha, criteria=rules.model_dump(mode="json")
    )
    path = tmp_path / "evidence.json"
    path.write_text(lean().model_copy(update={"audits": audits, "protocol": info}).to_json())
    return path


def made_up_audits(families):
    rules = load_protocol(SHIPPED_PROTOCOL)
    effects = [effect for name in families for effect in SHIPPED[name]()]
    records = made_up_images({"ct": 40, "mr": 40})
    data = simulate(FairReader(), records, effects, rules, seed=5)
    return list(audit_all(data, effects, rules).values()), rules


def test_plan_from_an_assumed_spread(capsys):
    options = ["--model-sd", "12", "--margin", "5", "--power", "0.9", "--profile", "pilot", "--modalities", "8"]
    assert main(["plan", *options, f"--protocol={SHIPPED_PROTOCOL}"]) == 0
    out = capsys.readouterr().out
    expected = plan_from_sd(with_margin(load_protocol(SHIPPED_PROTOCOL, "pilot"), 5.0), Assumed(12.0), modalities=8)
    assert out == as_text(expected) + "\n"


def test_plan_takes_every_assumption_from_its_option(capsys):
    options = ["--images-per-patient=3", "--correlation=0.5", "--effect=1", "--fall=5", "--auroc=0.8", "--share=0.02"]
    assert main(["plan", "--model-sd=9", *options, f"--protocol={SHIPPED_PROTOCOL}"]) == 0
    assumed = Assumed(9.0, effect=1.0, fall=5.0, area=0.8, share=0.02, images_per_patient=3, correlation=0.5)
    assert capsys.readouterr().out == as_text(plan_from_sd(load_protocol(SHIPPED_PROTOCOL), assumed)) + "\n"


def test_plan_from_a_pilot(tmp_path, capsys):
    path = pilot_of(tmp_path)
    assert main(["plan", f"--pilot={path}"]) == 0
    own = capsys.readouterr().out
    assert own == as_text(plan_from_pilot(Evidence.from_json(path.read_text()))) + "\n"
    assert main(["plan", f"--pilot={path}", f"--protocol={SHIPPED_PROTOCOL}"]) == 0
    assert capsys.readouterr().out == own
    assert main(["plan", f"--pilot={path}", "--profile=pilot", "--power=0.8", "--margin=6"]) == 0
    assert "profile pilot (alpha 0.025 per side), with probability 0.8" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "Give --model-sd=12, --accuracy=0.9 or --pilot="),
        (["--model-sd=12", "--pilot=x.json"], "one of them is needed"),
        (["--model-sd=12", "--power=1.2"], "power is a probability between 0 and 1, got 1.2"),
        (["--model-sd=12", "--margin=0"], "a margin is in points, above 0"),
        (["--model-sd=12", "--effect=5"], "no number of patients passes"),
        (["--model-sd=-1"], "--model-sd is in points"),
        (["--model-sd=12", "--profile=none"], "profile 'none' is not declared"),
        (["--model-sd=12", "--protocol=none.toml"], "Give one with --protocol=FILE"),
        (["--pilot=none.json"], "cannot be read"),
    ],
)
def test_plan_says_what_is_wrong(capsys, options, words):
    if not any(option.startswith("--protocol") for option in options):
        options = [*options, f"--protocol={SHIPPED_PROTOCOL}"]
    assert main(["plan", *options]) == 4
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


def test_plan_from_a_pilot_takes_no_assumptions(tmp_path, capsys):
    assert main(["plan", f"--pilot={pilot_of(tmp_path)}", "--effect=1", "--share=0.1"]) == 4
    assert "these go with --model-sd: --effect, --share" in capsys.readouterr().err


def test_history_prints_the_runs_and_writes_the_page(elsewhere, protocol, capsys):
    from tests.records.history.made_up import EFFECTS, Version, run, write

    for number in (1, 2):
        write(run(number, Version(number), protocol, images={"ct": 30}, effects=EFFECTS[:1]), elsewhere / "reports")
    assert main(["history", "reports", "--model=scorer", "--html=h.html"]) == 0
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines() if "2026-" in line]
    assert [row[:2] for row in rows] == [["1", "2026-01-03"], ["2", "2026-02-03"]]
    assert "2 runs of 2 versions" in out
    assert "<title>History of scorer</title>" in (elsewhere / "h.html").read_text()
    assert main(["history", "reports", "--html=reports"]) == 4
    assert "reports cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "said"), [
    (["nowhere"], "nowhere does not exist"),
    (["."], "holds no evidence.json"),
])  # fmt: skip
def test_history_of_nothing_is_a_sentence(elsewhere, capsys, arguments, said):
    assert main(["history", *arguments]) == 4
    assert said in capsys.readouterr().err
