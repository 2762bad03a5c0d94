"""Archives of arrays: any picture without those before it, in bounded memory; what is hostile is refused."""

import io
import pickle
import random
import zipfile
import zlib

import numpy as np
import pytest
from layout_files import by_name, error_of, load, medmnist, pictures

from auditkit.errors import AuditkitError
from auditkit.images.item import UnreadableImage
from auditkit.images.layouts import archive, marks
from auditkit.images.layouts.marks import Mark, Marks


class Ran:
    """Says so when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("an array was unpickled",)


def npy(array, **options):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


def written(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as stream:
        for name, data in members:
            stream.writestr(name, data)
    return path


@pytest.mark.parametrize("compressed", [True, False])
def test_pieces_of_an_array_are_those_of_numpy(tmp_path, compressed, monkeypatch):
    monkeypatch.setattr(archive, "MARKS", Marks(most=20, closest=1 << 12))
    values = pictures(300, 40, 30) // 50
    (np.savez_compressed if compressed else np.savez)(tmp_path / "a.npz", images=values)
    found = archive.array(tmp_path / "a.npz", "images")
    assert (found.shape, found.row_bytes) == ((300, 40, 30), 1200)
    order = [*range(299, -1, -7), *random.Random(3).sample(range(300), 100)]
    for row in order:
        data = found.member.read(found.start + row * 1200, 1200)
        assert data == values[row].tobytes()
    assert b"".join(found.member.blocks(found.start, 5000)) == values.tobytes()
    assert len(archive.MARKS) == 0 if not compressed else 5 <= len(archive.MARKS) <= 20


def test_the_last_picture_costs_no_reading_of_all_before_it(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MARKS", Marks(closest=1 << 16))
    values = pictures(2000, 32, 32) // 50
    np.savez_compressed(tmp_path / "a.npz", images=values)
    found = archive.array(tmp_path / "a.npz", "images")
    taken = []

    class Counted:
        def __init__(self, stream):
            self._stream = stream

        def read(self, count):
            taken.append(count)
            return self._stream.read(count)

        def seek(self, place):
            return self._stream.seek(place)

    original = archive.Inflater.__init__
    monkeypatch.setattr(
        archive.Inflater, "__init__", lambda self, member, stream, at: original(self, member, Counted(stream), at)
    )
    last = found.start + 1999 * 1024
    assert found.member.read(last, 1024) == values[1999].tobytes()
    assert sum(taken) > found.member.packed / 2, "the first time all is unpacked"
    taken.clear()
    assert found.member.read(last, 1024) == values[1999].tobytes()
    assert sum(taken) < found.member.packed / 10


def test_marks_are_bounded_and_stay_in_order():
    kept = Marks(most=50, closest=10)
    for place in random.Random(1).sample(range(20_000), 20_000):
        if kept.due("a", place):
            kept.add("a", Mark(place, place, None))
    assert 15 <= len(kept) <= 50
    for place in (0, 7_000, 19_999):
        before = kept.before("a", place)
        assert before is None or 0 <= place - before.at <= 20_000 / 15 * 2
    assert kept.before("b", 5) is None
    assert marks.MOST * 45_000 < 30e6, "bytes that all marks of a process take"


def test_readers_travel_to_other_processes(tmp_path):
    arrays = medmnist(tmp_path / "pneumoniamnist.npz", train=10, test=10)
    record = by_name(load(tmp_path / "pneumoniamnist.npz"))["pneumoniamnist.npz/test_images[9]"]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(record.pictures[0].read))(), arrays["test_images"][9])


def test_objects_are_never_unpickled(tmp_path):
    objects = np.empty(10, object)
    objects[:] = [Ran() for _ in range(10)]
    for path, members in (
        ("images", {"test_images": objects, "test_labels": np.zeros((10, 1), int)}),
        ("labels", {"test_images": pictures(10, 28, 28), "test_labels": objects}),
    ):
        np.savez(tmp_path / "pneumoniamnist.npz", **members)
        said = str(error_of(tmp_path / "pneumoniamnist.npz"))
        assert f'the array "test_{path}" holds Python objects (pickle)' in said
        assert "pneumoniamnist.npz/test_images" in said


def test_a_raw_pickle_in_place_of_an_array(tmp_path):
    members = [("test_images.npy", pickle.dumps(Ran())), ("test_labels.npy", npy(np.zeros((10, 1), int)))]
    path = written(tmp_path / "pneumoniamnist.npz", members)
    assert 'the array "test_images" has a header that is not numpy\'s (ValueError)' in str(error_of(path))


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (pictures(10, 28, 28), np.zeros((9, 1), int), "do not fit: 10 pictures and 9 labels"),
        (pictures(10, 28, 28, 28), np.zeros((10, 1), int), "the shape 10 x 28 x 28 x 28; pictures are N x H x W"),
        (pictures(10, 28), np.zeros((10, 1), int), "the shape 10 x 28; pictures are"),
        (pictures(10, 28, 28).astype(float), np.zeros((10, 1), int), "holds float64 and not pictures of 8 bits"),
        (pictures(10, 28, 28), np.zeros((10, 1)), 'the array "test_labels" holds float64 of shape 10 x 1'),
        (pictures(10, 28, 28), np.zeros((10, 1, 1), int), 'the array "test_labels" holds int64 of shape 10 x 1 x 1'),
        (pictures(0, 28, 28), np.zeros((0, 1), int), "has other bytes than its shape 0 x 28 x 28 takes"),
        (np.asfortranarray(pictures(10, 28, 28)), np.zeros((10, 1), int), "is stored by columns"),
        (pictures(10, 28, 28), np.uint8(1), 'the array "test_labels" has other bytes than its shape () takes'),
    ],
)
def test_arrays_that_are_no_pictures_and_labels(tmp_path, images, labels, said):
    np.savez(tmp_path / "pneumoniamnist.npz", test_images=images, test_labels=labels)
    assert said in str(error_of(tmp_path / "pneumoniamnist.npz"))


def test_one_split_that_is_damaged_leaves_the_others(tmp_path):
    path = tmp_path / "pneumoniamnist.npz"
    arrays = medmnist(path, train=10, val=10, test=10)
    np.savez(path, **{**arrays, "val_labels": arrays["val_labels"][:5]})
    images = load(path)
    assert len(images.records) == 20
    (entry,) = images.left_out
    assert entry.name == "pneumoniamnist.npz/val_images"
    del arrays["train_labels"]
    np.savez(path, **arrays)
    (entry,) = load(path).left_out
    assert entry.reason == 'it holds no array "train_labels"'


def test_headers_that_promise_what_is_not_there(tmp_path):
    data = npy(pictures(10, 28, 28))
    labels = npy(np.zeros((10, 1), int))
    for changed in (
        data.replace(b"(10, 28, 28)", b"(99, 28, 28)"),
        data.replace(b"(10, 28, 28)", b"(-1, 28, 28)"),
        data.replace(b"(10, 28, 28)", b"(2**70, 2,2)"),
        data.replace(b"(10, 28, 28)", b"'abcdefghij'"),
        data[:-7],
        data[:40],
        b"",
        data + b"x",
        b"\x93NUMPY\x09\x09" + data[8:],
        data.replace(b"'|u1'", b"'|V1'"),
    ):
        path = written(tmp_path / "pneumoniamnist.npz", [("test_images.npy", changed), ("test_labels.npy", labels)])
        assert 'the array "test_images"' in str(error_of(path))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_every_damaged_byte_is_noticed_or_harmless(tmp_path, compression):
    members = [("test_images.npy", npy(pictures(10, 28, 28) // 60)), ("test_labels.npy", npy(np.zeros((10, 1), int)))]
    path = written(tmp_path / "pneumoniamnist.npz", members, compression=compression)
    whole = path.read_bytes()
    first = {name: record.content for name, record in by_name(load(path)).items()}
    for place in range(0, len(whole), 37):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            images = load(path)
        except AuditkitError:
            continue
        assert {name: record.content for name, record in by_name(images).items()} == first, place


def test_truncated_archives(tmp_path):
    path = tmp_path / "pneumoniamnist.npz"
    medmnist(path, train=10, test=10)
    whole = path.read_bytes()
    for length in (0, 1, 3, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert "pneumoniamnist.npz cannot be read: it is no ZIP archive" in str(error_of(path))


def test_members_that_are_there_twice(tmp_path):
    data = npy(pictures(10, 28, 28))
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = written(tmp_path / "pneumoniamnist.npz", [("test_images.npy", data), ("test_images.npy", data)])
    assert 'pneumoniamnist.npz cannot be read: it holds "test_images.npy" more than once' in str(error_of(path))


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packed_otherwise(tmp_path, compression):
    members = [("test_images.npy", npy(pictures(10, 28, 28))), ("test_labels.npy", npy(np.zeros((10, 1), int)))]
    path = written(tmp_path / "pneumoniamnist.npz", members, compression=compression)
    assert 'the array "test_images" is packed in a way that numpy does not use' in str(error_of(path))


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "_LARGE", 1 << 20)
    head = npy(np.zeros((1, 28, 28), np.uint8))[:128].replace(b"(1, 28, 28)", b"(9, 999, 99)")
    members = [("test_images.npy", head + bytes(5_000_000)), ("test_labels.npy", npy(np.zeros((1, 1), int)))]
    path = written(tmp_path / "pneumoniamnist.npz", members, compression=zipfile.ZIP_DEFLATED)
    monkeypatch.setattr(zlib, "decompressobj", lambda *_: pytest.fail("it was unpacked"))
    assert "it is taken for a bomb and not read" in str(error_of(path))


def test_pictures_larger_than_are_read(tmp_path):
    medmnist(tmp_path / "pneumoniamnist_64.npz", size=64, train=10, test=10)
    with pytest.raises(Exception, match="64 x 64 pixels, more than the 100 that are read"):
        load(tmp_path / "pneumoniamnist_64.npz", max_pixels=100)


def test_an_archive_that_changes_after_listing(tmp_path):
    path = tmp_path / "pneumoniamnist.npz"
    medmnist(path, train=10, test=10)
    record = load(path).records[0]
    medmnist(path, train=11, test=11)
    with pytest.raises(UnreadableImage, match="it has changed since it was listed"):
        record.pictures[0].read()
    path.unlink()
    with pytest.raises(UnreadableImage, match="FileNotFoundError"):
        record.pictures[0].read()


def test_a_picture_in_which_nothing_can_be_seen(tmp_path):
    path = tmp_path / "pneumoniamnist.npz"
    np.savez(path, test_images=np.full((1, 28, 28), 9, np.uint8), test_labels=np.zeros((1, 1), int))
    with pytest.raises(UnreadableImage, match="it shows nothing"):
        load(path).records[0].pictures[0].read()
