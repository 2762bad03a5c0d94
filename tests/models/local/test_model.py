import shutil

import numpy as np
import pytest
from PIL import Image

from auditkit.errors import AuditkitError
from auditkit.models.base import ModelOptions, Request
from auditkit.models.local import LocalModel
from auditkit.models.resolve import resolve_model


def request(text="Rate this.", limit=4, seed=0, **others) -> Request:
    pixels = np.random.default_rng(seed).integers(0, 256, (30, 40), dtype=np.uint8)
    return Request("id", (Image.fromarray(pixels),), text, max_new_tokens=limit, **others)


@pytest.fixture
def copy(checkpoint, tmp_path):
    return shutil.copytree(checkpoint(), tmp_path / "copy")


def broken(folder) -> str:
    with pytest.raises(AuditkitError) as raised:
        LocalModel(folder, name="mine").generate([request()])
    assert str(raised.value).startswith("--model=mine: ")
    return str(raised.value)


def test_nothing_is_loaded_before_the_first_question(checkpoint):
    model = resolve_model(str(checkpoint()))
    assert model._engine is None
    assert model.generate([]) == []
    first = model.generate([request()])
    assert model._engine is not None
    model.close()
    assert model._engine is None
    assert model.generate([request()]) == first


def test_answers_keep_the_order_of_the_requests(checkpoint):
    model = LocalModel(checkpoint(), name="m")
    several = [request(f"Number {i}.", limit=2 + i % 3, seed=i % 2) for i in range(6)]
    together = model.generate(several)
    assert [r.text for r in together] == [model.generate([one])[0].text for one in several]


def test_grey_and_colour_images_of_the_same_pixels_get_the_same_answer(checkpoint):
    model, grey = LocalModel(checkpoint(), name="m"), request(limit=8)
    colour = Request("id", (grey.images[0].convert("RGB"),), grey.prompt, max_new_tokens=8)
    assert model.generate([grey]) == model.generate([colour])


def test_limit_is_told_from_an_end(checkpoint):
    found = [LocalModel(checkpoint(), name="m").generate([request(limit=n)])[0] for n in (1, 200)]
    assert found[0].finish_reason == "length"
    assert all(r.finish_reason in ("stop", "length") and r.error is None for r in found)


def test_fingerprint_covers_weights_processor_and_the_way_of_asking(copy):
    def fingerprint(**options):
        return LocalModel(copy, name="m", options=ModelOptions(**options)).fingerprint

    assert fingerprint() != fingerprint(exact=True)
    assert LocalModel(copy, name="m", dtype="bfloat16").fingerprint != fingerprint()
    assert LocalModel(copy, name="m", processor_settings={"do_resize": False}).fingerprint != fingerprint()
    assert fingerprint(batch_size=16, memory=10**9) == fingerprint(), "the batch is in every answer's own key"
    for name in ("model.safetensors", "processor_config.json", "tokenizer.json", "chat_template.jinja"):
        before = fingerprint()
        with (copy / name).open("ab") as stream:
            stream.write(b" ")
        assert fingerprint() != before, name
    assert LocalModel(copy, name="m").revision == fingerprint()[:12]


def test_folder_without_safetensors(copy):
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    assert "holds no model.safetensors, only pytorch_model.bin" in broken(copy)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "processor_config.json"])
def test_damaged_files(copy, name):
    (copy / name).write_bytes((copy / name).read_bytes()[:100])
    assert "could not be loaded" in broken(copy)


def test_missing_processor(copy):
    for name in ("processor_config.json", "tokenizer.json", "tokenizer_config.json"):
        (copy / name).unlink()
    assert "could not be loaded" in broken(copy)


def test_missing_chat_template(copy):
    (copy / "chat_template.jinja").unlink()
    assert "could not be loaded" in broken(copy)


def test_weights_that_are_missing_are_not_made_up(copy):
    from safetensors.torch import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    gone = sorted(name for name in weights if "layers.1" in name)[:3]
    save_file({k: v for k, v in weights.items() if k not in gone}, copy / "model.safetensors", {"format": "pt"})
    assert "lacks 3 weights" in broken(copy)


def test_code_in_the_folder_is_never_run(copy, tmp_path):
    import json

    config = json.loads((copy / "config.json").read_text())
    config |= {"model_type": "unheard_of", "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}}
    (copy / "config.json").write_text(json.dumps(config))
    (copy / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    assert "could not be loaded" in broken(copy)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("dtype", "exact", "said"), [("float32", False, False), ("bfloat16", False, True), ("bfloat16", True, False)]
)
def test_half_precision_is_said_where_company_can_change_an_answer(checkpoint, dtype, exact, said):
    model = LocalModel(checkpoint(), name="m", dtype=dtype, options=ModelOptions(exact=exact))
    assert [dtype in sentence for sentence in model.limits] == [True] * said
    assert all(r.error is None for r in model.generate([request()]))
