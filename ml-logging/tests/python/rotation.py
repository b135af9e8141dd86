"""Records when Python's TimedRotatingFileHandler rotates by local time, and what it calls the old files.

    python3.13 ml-logging/tests/python/rotation.py > ml-logging/src/sink/rolling/python_local.txt

A line is: time zone, `when`, `interval`, `atTime` in seconds or `-`, the moment at which the handler opens
its file, the moment at which it rotates it, and the suffix that the old file gets. Moments are seconds
since 1970, most of them within days of a change of the clocks. Before 3.13 (and 3.12.3) Python is an hour
off on such days, and forgets `interval` for `midnight` and weekdays.
"""

import datetime
import logging.handlers
import os
import pathlib
import random
import sys
import tempfile
import time

DAY = 86_400
# Each with the times that its clocks skip or show twice.
ZONES = [("Europe/Berlin", "02:30:00"), ("America/New_York", "01:30:00")]
TIMES = [None, "00:00:00", "02:30:00", "18:30:05"]
WHEN = ["S", "M", "H", "D", "MIDNIGHT", "W0", "W3", "W5", "W6"]


def changes(year):
    """The moments of that year at which the clocks of this zone change."""
    start = int(datetime.datetime(year, 1, 1, tzinfo=datetime.timezone.utc).timestamp())
    for moment in range(start, start + 365 * DAY, 3_600):
        if time.localtime(moment - 1).tm_isdst != time.localtime(moment).tm_isdst:
            yield moment


def record(folder, when, interval, at, moment):
    path = pathlib.Path(folder) / "log"
    path.touch()
    os.utime(path, (moment, moment))
    handler = logging.handlers.TimedRotatingFileHandler(
        path, when, interval, atTime=at and datetime.time.fromisoformat(at)
    )
    due = handler.rolloverAt
    now = time.time
    time.time = lambda: due
    handler.doRollover()
    time.time = now
    handler.close()
    [old] = (file for file in path.parent.iterdir() if file != path)
    old.unlink()
    return due, old.name.removeprefix("log.")


def main():
    if sys.version_info < (3, 13):
        sys.exit("Python 3.13 or later is needed")
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        for zone, ambiguous in ZONES:
            os.environ["TZ"] = zone
            time.tzset()
            for change in list(changes(2026)):
                for when in WHEN:
                    is_by_day = when not in ("S", "M", "H", "D")
                    for at in (*TIMES, ambiguous) if is_by_day else (None,):
                        near = [-DAY, -7_200, -1, 0, 900, 4_500, 9_000]
                        reach = 8 * DAY if when[0] in "WD" else 2 * DAY
                        offsets = [*chance.sample(near, 2), chance.randint(-reach, DAY)]
                        for offset in offsets:
                            interval = chance.choice((1, 1, 2, 3))
                            moment = change + offset
                            due, suffix = record(folder, when, interval, at, moment)
                            seconds = "-"
                            if at:
                                hour, minute, second = map(int, at.split(":"))
                                seconds = (hour * 60 + minute) * 60 + second
                            print(zone, when, interval, seconds, moment, due, suffix)


main()
