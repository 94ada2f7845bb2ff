"""YAML in which every scalar is text: `007` keeps its zeros, `no` is a word (semantics A5)."""

from typing import Any

import yaml


class _TextLoader(yaml.BaseLoader):
    """Gives every scalar as text and refuses a key given twice, which YAML forbids too."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  (the signature of the base)
        mapping = super().construct_mapping(node, deep)
        if len(mapping) != len(node.value):
            raise yaml.YAMLError("a key is given twice")
        return mapping


def load_text(content: str) -> Any:
    """Give the one document of a text: texts, lists and mappings, or None if there is none.

    Errors: ValueError if it is no YAML or more than one document, gives a key twice or one that is
    no text, or is nested too deeply to be read.
    """
    try:
        return yaml.load(content, _TextLoader)  # noqa: S506  (it constructs text, lists, mappings)
    except (yaml.YAMLError, TypeError, RecursionError) as error:
        raise ValueError(str(error) or "nested too deeply") from error
