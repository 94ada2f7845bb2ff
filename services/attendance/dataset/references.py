"""References between rows: a row that refers to an id that no good row defines is bad (A17).

Units and employees may refer to each other (the head of a unit), so bad rows of both are removed
in turns until nothing changes.
"""

from collections.abc import Iterable

from services.attendance.dataset.documents import Draft, Drafts
from services.attendance.dataset.findings import Findings
from services.attendance.dataset.table_reader import Read, Row
from services.attendance.dataset.tables import EMPLOYEES, REGENCIES, UNITS, Table
from services.attendance.domain.schedule import EVERYWHERE
from shared.kernel.holidays import COUNTRY, province_of


class Ids:
    """The ids that good rows define, and those of rows that could not be read, by kind."""

    def __init__(self) -> None:
        self._good: dict[str, frozenset[str]] = {}
        self._broken: dict[str, frozenset[str]] = {}

    def define(self, what: str, good: Iterable[str], broken: Iterable[str] = ()) -> None:
        """Store the ids of a kind; an id that a good row defines is not broken."""
        self._good[what] = frozenset(good)
        self._broken[what] = frozenset(broken) - self._good[what]

    def of(self, what: str) -> frozenset[str]:
        """Give the ids of a kind that good rows define."""
        return self._good[what]

    def trouble(self, what: str, id_: str) -> str | None:
        """Give the reason why an id cannot be referred to; None if it can."""
        if id_ in self._good[what]:
            return None
        return "unread" if id_ in self._broken[what] else "unknown"


def settle_regencies(read: Read, ids: Ids, findings: Findings) -> None:
    """Keep the regencies whose province is that of their code, the first of each code."""
    good = []
    for row in read.rows:
        if province_of(row["code"]) == row["province"]:
            good.append(row)
        else:
            place = REGENCIES.file, row["line"]
            findings.error(place, "province", row["province"], "wrong_province")
            read.broken_ids.add(row["code"])
    read.rows = first_of_each(REGENCIES, good, findings)
    codes = [row["code"] for row in read.rows]
    provinces = set(map(province_of, codes))
    ids.define("regency", codes, read.broken_ids)
    ids.define("scope", [COUNTRY, *provinces, *codes], read.broken_ids)


def settle_documents(drafts: Drafts, ids: Ids, findings: Findings) -> list[Draft]:
    """Keep the documents of `*` and of regencies that are known."""
    good = []
    for draft in drafts.good:
        code = draft.content["regency"]
        trouble = None if code == EVERYWHERE else ids.trouble("regency", code)
        if trouble is None:
            good.append(draft)
        else:
            findings.error((draft.file, 1), "regency", code, trouble, what="regency")
            drafts.broken_ids.add(draft.content["id"])
    return good


def settle_people(units: Read, employees: Read, ids: Ids, findings: Findings) -> None:
    """Keep the units and employees that refer only to good rows; first of each unit."""
    before = -1
    while before != len(units.rows) + len(employees.rows):
        before = len(units.rows) + len(employees.rows)
        ids.define("unit", (row["unit_id"] for row in units.rows), units.broken_ids)
        ids.define("employee", (r["employee_id"] for r in employees.rows), employees.broken_ids)
        keep_pointing(UNITS, units, ids, findings)
        keep_pointing(EMPLOYEES, employees, ids, findings)
    units.rows = first_of_each(UNITS, units.rows, findings)


def keep_pointing(table: Table, read: Read, ids: Ids, findings: Findings) -> None:
    """Keep the rows that refer only to ids that good rows define."""
    good = []
    for row in read.rows:
        wrong = False
        for column, what in table.points_at.items():
            id_ = row[column]
            trouble = None if id_ is None else ids.trouble(what, id_)
            if trouble is not None:
                findings.error((table.file, row["line"]), column, id_, trouble, what=what)
                wrong = True
        if not wrong:
            good.append(row)
        elif table.id is not None:
            read.broken_ids.add(row[table.id])
    read.rows = good


def first_of_each(table: Table, rows: Iterable[Row], findings: Findings) -> list[Row]:
    """Keep the first row of each id; a second is an error, or a warning if it says the same."""
    if table.id is None:
        message = f"{table.file} has no id"
        raise ValueError(message)
    first: dict[str, Row] = {}
    for row in rows:
        known = first.setdefault(row[table.id], row)
        if known is row:
            continue
        place, line = (table.file, row["line"]), str(known["line"])
        if {**row, "line": 0} == {**known, "line": 0}:
            findings.warn(place, table.id, row[table.id], "repeated", first=line)
        else:
            findings.error(place, table.id, row[table.id], "second_with_id", first=line)
    return list(first.values())
