"""A keyring that is gone with the process; one suite holds it and PostgreSQL's to the same."""

from collections.abc import Collection, Mapping

from shared.runtime.privacy.keyring import new_key


class MemoryKeyring:
    """A keyring that lives as long as its process."""

    def __init__(self) -> None:
        self._keys: dict[str, bytes | None] = {}

    async def keys_of(
        self, kids: Collection[str], *, create: bool = False
    ) -> Mapping[str, bytes | None]:
        """Give the keys of kids; None for a kid that is forgotten."""
        if create:
            for kid in kids:
                if kid not in self._keys:
                    self._keys[kid] = new_key()
        return {kid: self._keys[kid] for kid in kids if kid in self._keys}

    async def forget(self, kid: str) -> None:
        """Destroy the key and leave a tombstone."""
        self._keys[kid] = None
