"""The log of a machine, line by line (semantics A15, A16)."""

from pathlib import Path

import pytest

from services.attendance.dataset.attlog import MOST_FINDINGS, AttLog, read_attlog
from services.attendance.dataset.findings import Findings
from shared.kernel.local_time import local_text

TIME = "2026-08-18 06:58:11"
# The forms of two machines, as their USB sticks bring them: padded PINs and a machine number;
# ten fields, a trailing tab and CR LF.
USB6 = (
    b"   410001\t2026-08-18 06:58:11\t1\t0\t1\t0\n"
    b"   410002\t2026-08-18 07:01:47\t1\t0\t15\t0\n"
    b"   410003\t2026-08-18 07:29:58\t1\t255\t1\t0\n"
    b"   410002\t2026-08-18 07:01:47\t1\t0\t15\t0\n"
    b"   410001\t2026-08-18 15:31:05\t1\t1\t1\t0\n"
    b"   410002\t2026-08-18 15:33:40\t1\t1\t15\t0\n"
    b"   410003\t2026-08-18 15:40:12\t1\t255\t1\t0\n"
    b"   410004\t2000-01-01 00:03:19\t1\t0\t3\t0\n"
)
PUSH = (
    b"7\t2024-07-07 01:29:01\t0\t1\t0\t0\t0\t0\t0\t0\t\r\n"
    b"170001\t2026-08-19 07:51:02\t255\t15\t0\t0\t0\t0\t0\t0\t\r\n"
    b"170002\t2026-08-19 07:58:59\t255\t15\t0\t0\t0\t0\t0\t0\t\r\n"
    b"170001\t2026-08-19 10:04:40\t255\t15\t0\t0\t0\t0\t0\t0\t\r\n"
    b"170002\t2026-08-19 10:16:20\t255\t15\t0\t0\t0\t0\t0\t0\t\r\n"
    b"170003\t2026-08-19\t255\t15\t\r\n"
    b"170001\t2026-08-19 13:09:15\t255\t15\t0\t0\t0\t0\t0\t0\t\r\n"
    b"170001\t2026-08-19 16:02:33\t255\t15\t0\t0\t0\t0\t0\t0\t\r\n"
    b"170002\t2026-08-19 16:05:00\t255\t1\t0\t0\t0\t0\t0\t0\t\r\n"
)


def read(tmp_path: Path, content: bytes, *, known: bool = True) -> tuple[AttLog, list[int]]:
    path = tmp_path / "D1.dat"
    path.write_bytes(content)
    findings = Findings()
    log = read_attlog(path, findings, known=known)
    return log, [f.line for f in findings]


def punches(log: AttLog) -> list[tuple[str, str]]:
    return [
        (log.pins[pin], local_text(at).replace("T", " "))
        for pin, at in zip(log.pin, log.local, strict=True)
    ]


def test_a_usb_file_with_padded_pins_is_read(tmp_path: Path) -> None:
    log, bad = read(tmp_path, USB6)

    assert bad == []
    assert punches(log)[0] == ("410001", TIME)
    assert punches(log)[7] == ("410004", "2000-01-01 00:03:19")
    assert len(set(punches(log))) == 7
    assert log.pins == ["410001", "410002", "410003", "410004"]


def test_a_line_without_a_time_is_bad_and_the_others_are_read(tmp_path: Path) -> None:
    log, bad = read(tmp_path, PUSH)

    assert bad == [6]
    assert len(punches(log)) == 8
    assert list(log.line) == [1, 2, 3, 4, 5, 7, 8, 9]


def test_what_stands_after_the_time_is_kept_and_decides_nothing(tmp_path: Path) -> None:
    log, _ = read(tmp_path, PUSH)

    assert log.evidences[log.evidence[0]] == ("0", "1")
    assert log.evidences[log.evidence[8 - 1]] == ("255", "1")


@pytest.mark.parametrize(
    "line",
    [
        f"1\t{TIME}",
        f"  1  \t{TIME}\t",
        f"1\t{TIME}\t255\t1\t0\t0\tmuch\tmore",
        f"PIN=1\tDateTime={TIME}\tVerified=1\tStatus=0",
        f"Status=0\tDateTime={TIME}\tPIN= 1 ",
    ],
)
def test_a_line_needs_a_pin_and_a_time(tmp_path: Path, line: str) -> None:
    for end in ("\n", "\r\n", ""):
        log, bad = read(tmp_path, (line + end).encode())
        assert (punches(log), bad) == ([("1", TIME)], [])


@pytest.mark.parametrize(
    "line",
    [
        "1",
        "\t" + TIME,
        f"1-2\t{TIME}",
        f"1 2\t{TIME}",
        f"é\t{TIME}",
        f"1 {TIME}",
        "1\t2026-08-18T06:58:11",
        "1\t2026-08-18 06:58",
        "1\t2026-08-18 06:58:11.5",
        "1\t2026-08-18 24:00:00",
        "1\t2026-02-29 06:58:11",
        "1\t18-08-2026 06:58:11",
        f"PIN=1\tTime={TIME}",
        f"PIN=\tDateTime={TIME}",
        "pin\ttime",
    ],
)
def test_anything_else_is_a_bad_row(tmp_path: Path, line: str) -> None:
    log, bad = read(tmp_path, f"9\t{TIME}\n{line}\n8\t{TIME}\n".encode())

    assert bad == [2]
    assert punches(log) == [("9", TIME), ("8", TIME)]


def test_blank_lines_are_ignored_and_an_empty_file_is_fine(tmp_path: Path) -> None:
    assert read(tmp_path, f"\n  \r\n1\t{TIME}\n\n".encode())[1] == []
    assert punches(read(tmp_path, b"")[0]) == []
    assert read(tmp_path, b"")[1] == []


def test_bytes_that_are_not_utf8_matter_only_in_the_pin_and_the_time(tmp_path: Path) -> None:
    content = (
        f"1\t{TIME}\t\xff\n".encode("latin-1")
        + f"\xff1\t{TIME}\n".encode("latin-1")
        + "1\t2026-08-18 06:5\xff:11\n".encode("latin-1")
    )

    log, bad = read(tmp_path, content)

    assert punches(log) == [("1", TIME)]
    assert bad == [2, 3]
    assert log.evidences[log.evidence[0]] == ("\ufffd", None)


def test_pins_are_text(tmp_path: Path) -> None:
    log, _ = read(tmp_path, f"007\t{TIME}\n7\t{TIME}\nA7\t{TIME}\n".encode())

    assert [pin for pin, _ in punches(log)] == ["007", "7", "A7"]


def test_every_line_of_an_unknown_machine_is_bad(tmp_path: Path) -> None:
    log, bad = read(tmp_path, f"1\t{TIME}\n\n2\t{TIME}\n".encode(), known=False)

    assert (punches(log), bad) == ([], [1, 3])


def test_of_very_many_bad_lines_the_last_finding_stands_for_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "D1.dat"
    path.write_bytes(b"x\n" * (MOST_FINDINGS + 7))
    findings = Findings()
    read_attlog(path, findings, known=True)
    found = list(findings)

    assert len(found) == MOST_FINDINGS + 1
    assert (found[-1].code, found[-1].details["count"]) == ("more_lines", "7")
