"""What the workers of one `wardwatch serve` counted, added up."""

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service.cli.counting import runs


class Workers(Collector):
    """Adds up the files the workers count into; what is waiting in a worker that died waits no longer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = MultiProcessCollector(None, str(folder))  # type: ignore[no-untyped-call]

    def collect(self) -> Iterable[Metric]:
        """The metrics of all workers."""
        for file in self._folder.glob("gauge_live*_*.db"):
            if not runs(int(file.stem.rpartition("_")[2])):
                file.unlink(missing_ok=True)
        found: Iterable[Metric] = self._files.collect()  # type: ignore[no-untyped-call]
        return found
