"""The versions of the fold: where a rule changed what is concluded, it asks which one holds.

A version is a switch, not a copy: `Knowledge.fold_version` says by which version the present
record is folded, and a rule that changed with version N reads `if knowledge.fold_version >= N`. On
the log `FoldAdopted` says from where on a version holds; before the first it is version 1
(decision 0023). What version 1 says is in `docs/reference/semantics.md`.
"""

from shared.events.attendance import FoldAdopted

ADOPTED = FoldAdopted.type_name()
SERVICE = FoldAdopted.SERVICE
EVERY_REGENCY = "*"
FIRST = 1
FOLD_VERSIONS = (FIRST,)  # Those that this code can fold by; none is ever taken away.
