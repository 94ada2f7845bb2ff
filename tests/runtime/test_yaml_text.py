"""YAML for people who write codes and dates: no scalar is guessed at (semantics A5)."""

import pytest

from shared.runtime.yaml_text import load_text


def test_every_scalar_is_text() -> None:
    content = "{code: 007, word: no, on: 2026-01-05, clock: 07:30, rows: [1.0, ~]}"

    assert load_text(content) == {
        "code": "007",
        "word": "no",
        "on": "2026-01-05",
        "clock": "07:30",
        "rows": ["1.0", "~"],
    }


@pytest.mark.parametrize(
    "content",
    [
        "a: 1\na: 2",
        "a: {b: 1, b: 2}",
        "? [1, 2]\n: a key that is no text",
        "a: [1",
        "one\n---\ntwo",
        "!!python/object:os.system x: [",
        "[" * 5_000,
    ],
)
def test_what_cannot_be_read_is_one_kind_of_error(content: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        load_text(content)
