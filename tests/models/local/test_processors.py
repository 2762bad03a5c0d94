"""Processors must load from files only, in every layout of the hub, and give what the chat template gives."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from auditkit.errors import AuditkitError
from auditkit.models.local.processors import image_only, load_processor
from auditkit.testing import ARCHITECTURES

FILMS = ["qwen2_5_vl", "qwen3_vl", "internvl", "smolvlm"]
SPEAKING = [name for name in ARCHITECTURES if name not in ("clip", "siglip")]
FAST = {"qwen2_5_vl": "Qwen2VLImageProcessorFast", "gemma3": "Gemma3ImageProcessorFast",
        "siglip": "SiglipImageProcessorFast", "internvl": "GotOcr2ImageProcessorFast"}  # fmt: skip


def picture(mode: str = "RGB") -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    return Image.fromarray(values).convert(mode)


def message(image: Image.Image | None = None) -> list[dict]:
    shown = {"type": "image"} if image is None else {"type": "image", "image": image}
    return [{"role": "user", "content": [shown, {"type": "text", "text": "How sharp is this? 0 to 100."}]}]


def processed(processor, image):
    if processor.chat_template is None:
        return processor(text=["How sharp?"], images=[image], return_tensors="pt")
    text = processor.apply_chat_template(message(), add_generation_prompt=True, tokenize=False)
    return processor(text=[text], images=[[image]], return_tensors="pt", add_special_tokens=False)


@pytest.fixture
def copy(checkpoint, tmp_path):
    return lambda name: shutil.copytree(checkpoint(name), tmp_path / name)


@pytest.mark.parametrize("name", SPEAKING)
def test_ids_are_those_of_the_chat_template(checkpoint, name):
    processor, image = load_processor(checkpoint(name)), picture()
    whole = processor.apply_chat_template(
        message(image), add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    text = processor.apply_chat_template(message(), add_generation_prompt=True, tokenize=False)
    opened = processor.tokenizer.bos_token is not None and text.startswith(processor.tokenizer.bos_token)
    parts = processor(text=[text], images=[[image]], return_tensors="pt", add_special_tokens=not opened)
    assert set(whole) == set(parts)
    for key in whole:
        assert np.array_equal(np.asarray(whole[key]), np.asarray(parts[key])), key


@pytest.mark.parametrize("name", FILMS)
def test_films_are_left_out_and_the_rest_is_the_true_processor(checkpoint, tmp_path, name):
    import transformers

    processor = load_processor(checkpoint(name))
    assert isinstance(processor, getattr(transformers, type(processor).__name__))
    assert set(processor.get_attributes()) == {"image_processor", "tokenizer"}
    processor.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "processor_config.json").read_text())
    assert saved["processor_class"] == type(processor).__name__
    assert "video_processor" not in saved
    again = processed(load_processor(tmp_path), picture())
    first = processed(processor, picture())
    assert all(np.array_equal(np.asarray(first[key]), np.asarray(again[key])) for key in first)


@pytest.mark.parametrize("name", FILMS)
def test_settings_of_the_video_processor_are_passed_over(copy, name):
    """save_pretrained with torchvision installed writes them into processor_config.json."""
    folder = copy(name)
    before = processed(load_processor(folder), picture())
    config = json.loads((folder / "processor_config.json").read_text())
    config["video_processor"] = {"video_processor_type": "Qwen2VLVideoProcessor", "fps": 2, "patch_size": 5}
    (folder / "processor_config.json").write_text(json.dumps(config))
    (folder / "video_preprocessor_config.json").write_text(json.dumps(config["video_processor"]))
    processor = load_processor(folder)
    assert not isinstance(processor.video_processor, dict)
    after = processed(processor, picture())
    assert all(np.array_equal(np.asarray(before[key]), np.asarray(after[key])) for key in before)


def older(folder, *, kind: str | None, template: str | None = "json") -> None:
    """Turn a folder into a layout of earlier years: see the files that it writes and removes."""
    config = json.loads((folder / "processor_config.json").read_text())
    pictures = config.pop("image_processor")
    if kind:
        pictures["image_processor_type"] = kind
    rest = {key: value for key, value in config.items() if key != "processor_class"}
    if rest:  # settings of the processor itself have always had this file
        (folder / "processor_config.json").write_text(json.dumps(config))
    else:
        (folder / "processor_config.json").unlink()
        pictures["processor_class"] = config["processor_class"]
    (folder / "preprocessor_config.json").write_text(json.dumps(pictures))
    jinja = folder / "chat_template.jinja"
    if jinja.exists() and template == "json":
        (folder / "chat_template.json").write_text(json.dumps({"chat_template": jinja.read_text()}))
        jinja.unlink()
    elif jinja.exists() and template == "tokenizer":
        settings = json.loads((folder / "tokenizer_config.json").read_text())
        settings["chat_template"] = jinja.read_text()
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
        jinja.unlink()


@pytest.mark.parametrize("template", ["json", "jinja", "tokenizer"])
@pytest.mark.parametrize("name", ["gemma3", "qwen2_5_vl", "internvl", "llava", "smolvlm", "clip", "siglip"])
def test_older_layouts(checkpoint, copy, name, template):
    folder = copy(name)
    older(folder, kind=FAST.get(name), template=template)
    assert (folder / "preprocessor_config.json").exists()
    old, new = load_processor(folder), load_processor(checkpoint(name))
    assert type(old).__name__ == type(new).__name__
    left, right = processed(old, picture()), processed(new, picture())
    assert set(left) == set(right)
    assert all(np.array_equal(np.asarray(left[key]), np.asarray(right[key])) for key in left)


def test_class_is_found_by_the_model_type_where_no_file_names_it(copy):
    folder = copy("qwen3_vl")
    for file in ("processor_config.json", "tokenizer_config.json"):
        settings = json.loads((folder / file).read_text())
        settings.pop("processor_class", None)
        (folder / file).write_text(json.dumps(settings))
    assert type(load_processor(folder)).__name__ == "Qwen3VLProcessor"


@pytest.mark.parametrize("name", ["gemma3", "qwen2_5_vl", "internvl", "llava_next", "idefics3", "clip"])
def test_grey_images_are_taken(checkpoint, name):
    processor = load_processor(checkpoint(name))
    grey, colour = (processed(processor, image) for image in (picture("L"), picture("L").convert("RGB")))
    assert np.array_equal(np.asarray(grey["pixel_values"]), np.asarray(colour["pixel_values"]))


@pytest.mark.parametrize("name", ["llava", "qwen2_5_vl"])
def test_code_in_the_folder_is_never_run(copy, tmp_path, name):
    folder = copy(name)
    for file in ("processor_config.json", "tokenizer_config.json", "config.json"):
        settings = json.loads((folder / file).read_text())
        settings["auto_map"] = {
            "AutoProcessor": "evil.Evil",
            "AutoConfig": "evil.Evil",
            "AutoTokenizer": ["evil.Evil"] * 2,
        }
        settings.pop("processor_class", None)
        if file == "config.json":
            settings["model_type"] = "unheard_of"
        (folder / file).write_text(json.dumps(settings))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Evil: ...\n")
    with pytest.raises(AuditkitError, match=r"could not be loaded|has no"):
        load_processor(folder)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("missing", ["tokenizer.json", "processor_config.json"])
@pytest.mark.parametrize("name", ["llava", "smolvlm"])
def test_missing_files_are_told(copy, name, missing):
    folder = copy(name)
    (folder / missing).unlink()
    with pytest.raises(AuditkitError) as raised:
        load_processor(folder)
    assert str(folder) in raised.value.problem
    assert "preprocessor_config.json" in raised.value.remedy


@pytest.mark.parametrize("content", ["{", "[]", '{"processor_class": "pipeline"}', '{"processor_class": "NoSuch"}'])
def test_damaged_files_are_told(copy, content):
    folder = copy("llava")
    (folder / "processor_config.json").write_text(content)
    with pytest.raises(AuditkitError, match="The processor in"):
        load_processor(folder)


def test_no_folder(tmp_path):
    with pytest.raises(AuditkitError, match="could not be loaded"):
        load_processor(tmp_path / "nowhere")


def test_image_only_wants_a_class_with_a_video_processor():
    from transformers import LlavaProcessor

    with pytest.raises(ValueError, match="video_processor"):
        image_only(LlavaProcessor)
