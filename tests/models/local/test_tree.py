"""Answers as a tree, and what its nodes may see."""

from hypothesis import given
from hypothesis import strategies as st

from auditkit.models.local.tree import ROOT, Tree

PATHS = st.lists(st.lists(st.integers(0, 4), max_size=4), max_size=8)


@given(PATHS)
def test_every_beginning_is_a_node_and_nothing_else(paths):
    tree = Tree(paths)
    assert set(tree.paths) == {tuple(p[:n]) for p in paths for n in range(1, len(p) + 1)}
    for node, path in enumerate(tree.paths):
        assert tree.node(path) == node
        assert tree.child(tree.node(path[:-1]), path[-1]) == node
        assert tree.tokens[node] == path[-1]
        assert tree.depths[node] == len(path)
    assert tree.node(()) == ROOT
    assert tree.child(ROOT, 99) is None


@given(PATHS)
def test_a_node_sees_itself_and_its_ancestors_only(paths):
    tree = Tree(paths)
    for one, path in enumerate(tree.paths):
        for other, seen in enumerate(tree.paths):
            assert tree.sees[one, other] == (path[: len(seen)] == seen)
