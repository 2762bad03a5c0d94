"""Small files in the true formats of public data sets, written as their authors write them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml
from PIL import Image
from pyarrow import parquet

from auditkit.errors import AuditkitError
from auditkit.images.sources import load_images

SALT = "pepper"


def pictures(n: int, *shape: int, seed: int = 0) -> np.ndarray:
    """Return `n` pictures that all differ, uint8."""
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)


def medmnist(path: Path, *, size: int = 28, compressed: bool = True, **splits: int) -> dict[str, np.ndarray]:
    """Write a file of MedMNIST with so many pictures in each split, labels 0, 1, 0, 1 …; return its arrays."""
    arrays = {}
    for seed, (split, n) in enumerate(splits.items()):
        arrays[f"{split}_images"] = pictures(n, size, size, seed=seed)
        arrays[f"{split}_labels"] = (np.arange(n) % 2).astype(np.uint8).reshape(n, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return arrays


def medmnist_c(path: Path, clean: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Write a file of MedMNIST-C: five severities of all pictures, one after the other; return its pictures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [clean[i] // (severity + 2) * 2 for severity in range(5) for i in range(len(clean))]
    np.savez_compressed(path, test_images=images, test_labels=[labels[i] for _ in range(5) for i in range(len(clean))])
    return np.array(images)


def medimeta_c(root: Path, data_set: str, split: str, clean: np.ndarray, labels: np.ndarray) -> None:
    """Write the files of MediMeta-C for one corruption at two severities."""
    folder = root / data_set / split
    folder.mkdir(parents=True)
    np.savez(folder / "clean.npz", images=clean, labels=labels)
    for severity in (1, 5):
        np.savez(folder / f"pixelate_severity_{severity}.npz", images=clean // (severity + 1), labels=labels)


DR_REGULAR = {
    "id": "dr_regular",
    "name": "Diabetic Retinopathy (Regular Fundus)",
    "domain": "Fundus Photography",
    "license": "CC BY-SA 4.0",
    "input_size": [3, 24, 24],
    "tasks": [
        {
            "task_name": "DR level",
            "task_target": "ORDINAL_REGRESSION",
            "labels": dict(enumerate(("none", "mild", "moderate", "severe", "proliferative"))),
        },
        {
            "task_name": "Overall quality",
            "task_target": "BINARY_CLASSIFICATION",
            "labels": {0: "not good enough", 1: "good enough"},
        },
        {"task_name": "Clarity", "task_target": "ORDINAL_REGRESSION", "labels": {1: "level 1", 10: "level 3"}},
    ],
}


def medimeta(folder: Path, patients: int = 12) -> None:
    """Write the folder of ``dr_regular``: two pictures a patient, grades of their quality by experts."""
    (folder / "images").mkdir(parents=True)
    (folder / "splits").mkdir()
    (folder / "task_labels").mkdir()
    (folder / "images.hdf5").write_bytes(b"\x89HDF\r\n\x1a\n")
    (folder / "LICENSE").write_text("CC BY-SA 4.0")
    (folder / "info.yaml").write_text(yaml.safe_dump(DR_REGULAR), encoding="utf-8")
    names = [f"images/{i:06d}.tiff" for i in range(2 * patients)]
    with (folder / "annotations.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            (
                *("filepath", "tasks/DR level", "tasks/Overall quality", "tasks/Clarity", "original_filepath"),
                *("original_split", "patient_id", "Clarity", "DR level", "Overall quality"),
                *("image_id", "patient_age", "patient_gender"),
            )
        )
        for i, name in enumerate(names):
            Image.fromarray(pictures(1, 24, 24, 3, seed=i)[0]).save(folder / name, compression=None)
            patient = i // 2
            writer.writerow(
                (
                    *(name, patient % 2, f"{i % 2}.0", 10 if i % 2 else 1, f"regular/{patient}_l{i % 2}.jpg"),
                    *("train", 300 + patient, "level", "words", "again"),
                    *(f"{patient}_l{i % 2}", 40 + patient, "FM"[patient % 2]),
                )
            )
    for split, own in (("train", names[:16]), ("val", names[16:20]), ("test", names[20:])):
        (folder / "splits" / f"{split}.txt").write_text("\n".join(own))
    np.save(folder / "task_labels" / "DR level.npy", np.arange(2 * patients) % 2)


def png(seed: int) -> bytes:
    """Return the bytes of a small PNG."""
    stream = io.BytesIO()
    Image.fromarray(pictures(1, 20, 30, seed=seed)[0]).save(stream, "PNG")
    return stream.getvalue()


def hf_shard(path: Path, rows: list[dict], *, classes: list[str] | None = None, group: int = 4) -> None:
    """Write a shard as `datasets` does: pictures as bytes and path, classes in the schema's metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows)
    if classes is not None:
        label = {"names": classes, "_type": "ClassLabel"}
        features = {"image": {"_type": "Image"}, "label": label}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    parquet.write_table(table, path, row_group_size=group)


def load(source: object, **options: int):
    """List a source with the salt of the tests."""
    return load_images(str(source), salt=SALT, **options)


def error_of(source: object) -> AuditkitError:
    """Return what is said of a source that cannot be used."""
    with pytest.raises(AuditkitError) as caught:
        load(source)
    assert caught.value.remedy
    return caught.value


def by_name(images) -> dict:
    """Return the records by name."""
    return {record.name: record for record in images.records}
