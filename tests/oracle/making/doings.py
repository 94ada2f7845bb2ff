"""What people do in a random dataset: punches on devices, check-ins by phone, late uploads."""

from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from tests.oracle.making.draft import Draft, some, stamp
from tests.oracle.making.lives import Life
from tests.oracle.making.places import WEEK, Places, Points

SECOND = timedelta(seconds=1)


def make_doings(draft: Draft, places: Places, lives: list[Life]) -> None:
    for life in lives:
        dice = draft.dice(f"doings {life.number}")
        streak = 0
        for offset in range(draft.days + 1):
            day = draft.start + timedelta(days=offset)
            streak -= 1
            if streak <= 0 and some(dice, life.absent * 0.15):
                streak = dice.randint(2, 9)
            if (day.month, day.day) == (12, 27) and some(dice, 0.5):
                streak = dice.randint(5, 12)
            away = streak > 0 or some(dice, life.absent)
            if not away or some(dice, 0.05):
                attend(draft, places, dice, life, day)
    if draft.wants("late uploads"):
        make_late_uploads(draft, places)
    for serial, lines in draft.punches.items():
        spoil_order(draft.dice(f"order {serial}"), lines)


def attend(draft: Draft, places: Places, dice: Random, life: Life, day: date) -> None:
    """Check in around the checkpoints that the person believes to be asked for that day."""
    stage = life.stage(day)
    if stage is None or (life.leaves is not None and day > life.leaves + timedelta(days=2)):
        return
    code, unit, _, own = stage
    believed = life.shifts.get(day) or own or places.unit_schedules[unit] or "kantor"
    points: Points = places.weeks.get(believed, {}).get(WEEK[day.weekday()], [])
    zone = ZoneInfo(places.zones[code])
    edges = 0.2
    if points and some(dice, 0.2):
        points, edges = [dice.choice([points[-1], *points])], 0.7
    for _, opens, due, closes, _, _ in points:
        if some(dice, 0.12):
            continue
        wall = datetime.combine(day, time()) + near(
            dice, clock(opens), clock(due), clock(closes), edges
        )
        check_in(draft, places, dice, life, wall.replace(tzinfo=zone))
    if some(dice, 0.05):
        wall = datetime.combine(day, time(dice.randrange(24), dice.randrange(60)))
        check_in(draft, places, dice, life, wall.replace(tzinfo=zone))


def clock(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def near(
    dice: Random, opens: timedelta, due: timedelta, closes: timedelta, edges: float
) -> timedelta:
    """Give a time around a checkpoint, often on the second where a rule changes its mind."""
    if some(dice, edges):
        slack = timedelta(minutes=dice.choice([15, 30, 30, 30, 60, 90]))
        edge = dice.choice([opens, due, closes, closes + slack, opens - slack])
        return edge + dice.choice([-SECOND, timedelta(), SECOND])
    return due + timedelta(seconds=int(dice.gauss(0, 1200)))


def check_in(draft: Draft, places: Places, dice: Random, life: Life, at: datetime) -> None:
    """Leave one check-in, on a device or by phone, sometimes twice."""
    if draft.wants("phones") and (not life.pins or some(dice, 0.12)):
        by_phone(draft, dice, life, at)
        return
    if not life.pins:
        return
    serial, pin = dice.choice(life.pins)
    if draft.wants("unknown pins") and some(dice, 0.02):
        pin = dice.choice(["999", f"{life.number}", "B7"])
    wall = at.astimezone(ZoneInfo(places.device_zones[serial])).replace(tzinfo=None)
    draft.punches[serial].append((wall, line_of(draft, dice, pin, wall)))
    if draft.wants("duplicates") and some(dice, 0.05):
        again = wall + dice.choice([timedelta(), timedelta(), 5 * SECOND])
        draft.punches[serial].append((again, line_of(draft, dice, pin, again)))
    if draft.wants("duplicates") and some(dice, 0.03):
        by_phone(draft, dice, life, at)


def line_of(draft: Draft, dice: Random, pin: str, wall: datetime) -> bytes:
    text = f"{pin}\t{wall:%Y-%m-%d %H:%M:%S}\t255\t1\t0\t0"
    if draft.wants("device lines") and some(dice, 0.1):
        text = dice.choice(
            [
                f"   {pin}\t{wall:%Y-%m-%d %H:%M:%S}\t1\t0\t1\t0",
                f"{pin}\t{wall:%Y-%m-%d %H:%M:%S}",
                f"PIN={pin}\tDateTime={wall:%Y-%m-%d %H:%M:%S}\tVerified=1\tStatus=0",
                f"Status=0\tDateTime={wall:%Y-%m-%d %H:%M:%S}\tPIN={pin}",
            ]
        )
    end = b"\r\n" if draft.wants("device lines") and some(dice, 0.1) else b"\n"
    if draft.wants("device lines") and some(dice, 0.02):
        return text.encode() + b"\t\xff\xfe" + end
    return text.encode() + end


def by_phone(draft: Draft, dice: Random, life: Life, at: datetime) -> None:
    """Leave a check-in that came from no device, at once, later, or (a wrong clock) before."""
    wall = at.replace(tzinfo=None)
    occurred = at.isoformat() if some(dice, 0.3) else wall.isoformat(sep=dice.choice(" T"))
    received = ""
    if some(dice, 0.3):
        delay = timedelta(minutes=dice.choice([-3, 0, 1, 90, 1500, 9000, 20000]))
        received = (wall + delay).isoformat(timespec="seconds")
    via = dice.choice(["mobile", "mobile", "manual", "file"])
    draft.add("check-ins.csv", life.name, occurred, received, via)


def make_late_uploads(draft: Draft, places: Places) -> None:
    """Keep back what a device holds for some days; some spans overlap."""
    dice = draft.dice("late uploads")
    for serials in places.devices.values():
        for serial in serials:
            first = draft.day(dice, 0, -3)
            for _ in range(dice.choice([0, 1, 1, 2, 3])):
                if some(dice, 0.5):
                    first = draft.day(dice, 0, -3)
                last = first + timedelta(days=dice.randint(0, 6))
                received = last + timedelta(days=dice.choice([1, 2, 5, 12]))
                begins = dice.choice([first.isoformat(), f"{first.isoformat()}T07:30:00"])
                ends = dice.choice([last.isoformat(), f"{last.isoformat()} 16:00:00"])
                if ends[:10] == begins[:10] and len(begins) > len(ends):
                    ends = last.isoformat()
                draft.add("late-uploads.csv", serial, begins, ends, stamp(dice, received))


def spoil_order(dice: Random, lines: list[tuple[datetime, bytes]]) -> None:
    """Put a device's lines in order of time, as devices do, or in part not."""
    lines.sort(key=lambda line: line[0])
    if some(dice, 0.3):
        middle = len(lines) // 2
        tail = lines[middle:]
        dice.shuffle(tail)
        lines[middle:] = tail
