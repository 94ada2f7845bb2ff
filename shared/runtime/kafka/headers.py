"""Record headers as the text that an outbox row keeps."""

import json
from collections.abc import Iterable


def headers_text(headers: Iterable[tuple[str, bytes | None]]) -> str:
    """Write record headers as JSON; their bytes as Latin-1, which loses none."""
    return json.dumps(
        [[name, None if value is None else value.decode("latin-1")] for name, value in headers]
    )


def headers_in(text: str) -> list[tuple[str, bytes]]:
    """Read record headers back; a null value, which nobody of ours writes, as an empty one."""
    return [(name, (value or "").encode("latin-1")) for name, value in json.loads(text)]
