import hashlib
import importlib.metadata

from auditkit.models import fingerprint
from auditkit.models.fingerprint import fingerprint_of


def write(folder, **files):
    for name, content in files.items():
        (folder / name).write_text(content)


def test_files_names_and_parts_count(tmp_path):
    write(tmp_path, config="a", weights="b")
    seen = {fingerprint_of(tmp_path), fingerprint_of(tmp_path, "bfloat16"), fingerprint_of(tmp_path, "a", "b")}
    seen |= {fingerprint_of(tmp_path, "ab"), fingerprint_of(tmp_path, "b", "a"), fingerprint_of(tmp_path, "a b")}
    assert len(seen) == 6
    assert fingerprint_of(tmp_path) in seen
    write(tmp_path, config="b", weights="a")
    assert fingerprint_of(tmp_path) not in seen
    seen.add(fingerprint_of(tmp_path))
    (tmp_path / "config").rename(tmp_path / "settings")
    assert fingerprint_of(tmp_path) not in seen


def test_folders_below_count_and_hidden_ones_do_not(tmp_path):
    write(tmp_path, config="a")
    before = fingerprint_of(tmp_path)
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "download").write_text("x")
    (tmp_path / ".gitattributes").write_text("x")
    assert fingerprint_of(tmp_path) == before
    (tmp_path / "additional_chat_templates").mkdir()
    (tmp_path / "additional_chat_templates" / "rag.jinja").write_text("x")
    assert fingerprint_of(tmp_path) != before


def test_the_place_of_the_folder_does_not_count(tmp_path):
    for name in ("one", ".two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, config="a")
    assert fingerprint_of(tmp_path / "one") == fingerprint_of(tmp_path / ".two")


def test_library_versions_count_and_may_be_missing(tmp_path, monkeypatch):
    def absent(package):
        raise importlib.metadata.PackageNotFoundError(package)

    seen = {fingerprint_of(tmp_path)}
    for lookup in (absent, lambda package: "0.0"):
        monkeypatch.setattr(fingerprint, "version", lookup)
        seen.add(fingerprint_of(tmp_path))
    assert len(seen) == 3


def test_a_file_of_the_hubs_cache_counts_by_the_sum_it_is_named_by(tmp_path):
    folder, blobs = tmp_path / "snapshot", tmp_path / "blobs"
    for place in (folder, blobs):
        place.mkdir()
    name = hashlib.sha256(b"weights").hexdigest()
    (blobs / name).write_bytes(b"weights")
    (folder / "model.safetensors").symlink_to(blobs / name)
    linked = fingerprint_of(folder)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_bytes(b"weights")
    assert fingerprint_of(folder) == linked
    (folder / "model.safetensors").write_bytes(b"others")
    assert fingerprint_of(folder) != linked
