"""A pytest plugin: of what was collected, keep the tests that speak to the session's servers."""

import pytest

GIVEN = {"servers", "bootstrap", "database", "topic_prefix"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs no server, and what wants a local stack to kill."""
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        asks = set(getattr(item, "fixturenames", ()))
        (kept if asks & GIVEN and "stack" not in asks else left).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left)
