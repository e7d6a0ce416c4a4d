"""Replay a day from a recording: what was likely when, and why.

python examples/replay_a_day.py [FOLDER]   # of GPX, OwnTracks, GeoLife; else made
"""

import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from trivet.devices.replay import Report, find_recordings, read
from trivet.devices.world import World
from trivet.domain import Position, Sample
from trivet.domain.clock import clock_text
from trivet.engine import Anticipator
from trivet.engine.explain import why_forecast

ZONE = ZoneInfo("Europe/Berlin")


def record(folder: Path, samples: Iterable[Sample]) -> None:
    """Write the positions as one GPX track, as a logger on a phone does."""
    with (folder / "life.gpx").open("w") as out:
        out.write('<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>\n')
        for sample in samples:
            if isinstance(at := sample.value, Position):
                time = datetime.fromtimestamp(sample.time, UTC).isoformat()
                out.write(f'<trkpt lat="{at.lat}" lon="{at.lon}">')
                out.write(f"<time>{time}</time></trkpt>\n")
        out.write("</trkseg></trk></gpx>\n")


def main(folder: Path) -> None:
    """Learn, then live through the last day."""
    samples = list(read(find_recordings(folder), Report()))
    today = samples[-1].time - 86_400.0
    anticipator = Anticipator("ada", "phone", lambda lat, lon: ZONE)
    said = 0.0
    for sample in samples:
        anticipator.learn_one(sample)
        forecast = anticipator.predict_one(sample.time)
        if sample.time < today or forecast is None or sample.time - said < 300:
            continue
        said = sample.time
        likely = [f"{c.probability:.0%} {c.label}" for c in forecast.candidates[:3]]
        print(f"{clock_text(sample.time, ZONE)}  {', '.join(likely)}")
        for reason in why_forecast(forecast, ZONE).lines:
            print(f"         {reason}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        if not sys.argv[1:]:
            world = World(seed=7)
            record(Path(made), world.history(0.0, world.start_time + 30 * 86_400.0))
        main(Path(*sys.argv[1:2] or [made]))
