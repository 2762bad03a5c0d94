"""Side-by-side measurements against peers. Never part of the tests: a busy machine must not fail a change."""
