import pytest

from auditkit.errors import AuditkitError
from auditkit.lookup import imported, near


def test_near_names_are_offered_nearest_first():
    assert near("gemma-4b", ["gemma-3-4b", "clip"], most=3) == "Did you mean 'gemma-3-4b'?"
    assert near("gemma-4b", ["gemma-3-4b", "medgemma-4b"], most=3) == "Did you mean 'gemma-3-4b' or 'medgemma-4b'?"
    assert near("gemma-4b", ["gemma-3-4b", "medgemma-4b"]) == "Did you mean 'gemma-3-4b'?"
    assert near("x", ["clip"]) == ""


def test_parts_of_an_object_are_found():
    assert imported("pathlib:Path.name", "here") is __import__("pathlib").Path.name
    with pytest.raises(AuditkitError, match=r"^here: 'pathlib' has no 'Path\.nme'\. Did you mean 'name'"):
        imported("pathlib:Path.nme", "here")
