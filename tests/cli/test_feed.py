"""`wardwatch feed`: recordings in, every row accounted for."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from service.sandbox.recorded import read_recording, whole
from tests.support.cli import serving, wardwatch

HEAD = "HR|O2Sat|Temp|SBP|DBP|Resp|FiO2|Age"
SCOPES = ("readings:write", "patients:read", "patients:write")


def recording(folder: Path, name: str, *rows: str, head: str = HEAD) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.psv"
    file.write_text("\n".join((head, *rows)) + "\n")
    return file


@dataclass
class Ward:
    """A running service with a ward and a sender on it."""

    url: str
    ward_id: str
    client_id: str
    settings: dict[str, str] = field(default_factory=dict)

    async def feed(self, folder: Path, *more: str, **settings: str):
        return await wardwatch(
            "feed", str(folder), "--url", self.url, "--client-id", self.client_id, "--ward", self.ward_id,
            *more, **(self.settings | settings),
        )  # fmt: skip


@pytest.fixture
async def ward(database_url: str) -> AsyncIterator[Ward]:
    settings = {"WARDWATCH_DATABASE_URL": database_url}
    made = await wardwatch("ward", "add", "Recordings", "--json", **settings)
    ward_id = json.loads(made.out)["ward_id"]
    scopes = [part for scope in SCOPES for part in ("--scope", scope)]
    made = await wardwatch("client", "add", "feed", "--ward", ward_id, *scopes, "--json", **settings)
    client = json.loads(made.out)
    async with serving(**settings) as (_, http):
        secret = {"WARDWATCH_CLIENT_SECRET": client["client_secret"]}
        yield Ward(str(http.base_url), ward_id, client["client_id"], secret)


def count(output: str, name: str) -> int:
    """The number in the row of the closing table that begins so."""
    for line in output.splitlines():
        cells = [cell.strip() for cell in line.replace("┃", "│").split("│")]
        if len(cells) > 2 and cells[1].startswith(name):
            return int(cells[2])
    raise AssertionError(f"no row {name} in:\n{output}")


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_rows_read_are_those_accepted_refused_and_empty_and_a_second_run_adds_up_too(ward, tmp_path):
    folder = tmp_path / "recordings"
    recording(folder, "p1", "80|97|37.0|120|70|16|0.21|70", "NaN|NaN|NaN|NaN|NaN|NaN|0.5|70", "81|91|||||0.4|70")
    recording(folder, "p2", "84.5|92.5|38.05|120|70|1|NaN|NaN", "300|97|37|120|70|16|NaN|NaN", "x|97||||||")
    for _ in range(2):
        done = await ward.feed(folder)
        assert done.code == 0, done.err
        assert count(done.out, "accepted") == 2
        assert count(done.out, "refused: invalid /respiratory_rate greater_than_equal") == 1
        assert count(done.out, "refused: invalid /pulse_rate less_than_equal") == 1
        assert count(done.out, "refused: invalid /pulse_rate int_type") == 1
        assert count(done.out, "empty") == 1
        assert count(done.out, "read") == 6
    assert "critical" in done.out


@on_sqlite
async def test_a_critical_row_is_counted_among_the_alerts_opened(ward, tmp_path):
    recording(tmp_path / "recordings", "p1", "80|88|37.0|120|70|16|NaN|70")
    done = await ward.feed(tmp_path / "recordings", "--speed", "50")
    assert count(done.out, "critical") == 1
    assert count(done.out, "all") >= 1


@on_sqlite
async def test_missing_columns_do_no_harm_and_a_file_that_is_no_recording_is_named(ward, tmp_path):
    folder = tmp_path / "recordings"
    recording(folder, "narrow", "97", "98", head="O2Sat")
    recording(folder, "other", "a,b", head="x,y")
    recording(folder, "nothing", head="")
    done = await ward.feed(folder)
    assert done.code == 1
    assert "other.psv has none of the columns" in done.out
    assert "nothing.psv has none of the columns" in done.out
    assert count(done.out, "accepted") == 2
    assert count(done.out, "read") == 2


@on_sqlite
async def test_a_wrong_secret_a_wrong_ward_and_a_dead_address_are_told_apart(ward, tmp_path):
    recording(tmp_path / "recordings", "p1", "80|97|||||NaN|70")
    done = await ward.feed(tmp_path / "recordings", WARDWATCH_CLIENT_SECRET="wrong")
    assert (done.code, "invalid_client" in done.err) == (1, True)
    ward.ward_id = "01900000-0000-7000-8000-000000000000"
    done = await ward.feed(tmp_path / "recordings")
    assert (done.code, "404 not_found" in done.err) == (1, True)
    assert count(done.out, "NOT ACCOUNTED FOR") == 1


@pytest.mark.parametrize("make_folder", [True, False])
async def test_a_folder_without_recordings_is_said_clearly(tmp_path, make_folder):
    folder = tmp_path / "empty"
    if make_folder:
        folder.mkdir()
    arguments = ("feed", str(folder), "--url", "http://127.0.0.1:9", "--client-id", "x", "--ward", "y")
    done = await wardwatch(*arguments, WARDWATCH_CLIENT_SECRET="secret")
    assert done.code == 2
    assert str(folder) in done.err
    assert "Traceback" not in done.err


async def test_without_a_secret_it_says_which_variable_is_missing(tmp_path):
    done = await wardwatch("feed", str(tmp_path), "--url", "http://x", "--client-id", "x", "--ward", "y")
    assert done.code == 2
    assert "WARDWATCH_CLIENT_SECRET" in done.err


@pytest.mark.parametrize(
    ("value", "middle", "expected"),
    [(84.5, 70.5, 85), (60.5, 70.5, 60), (24.5, 16, 25), (8.5, 16, 8), (90.5, 165, 90), (84.4, 70.5, 84)],
)
def test_a_tie_goes_to_the_abnormal_side(value, middle, expected):
    assert whole(value, middle) == expected


def test_a_share_of_oxygen_is_no_flow_but_room_air_is_none(tmp_path):
    file = recording(tmp_path, "p", "80|97|||||0.21|60", "80|97|||||0.4|60", "||||||0.21|60", "inf|97||||||")
    air, oxygen, nothing, infinite = read_recording(file).rows
    assert air == {"spo2": 97.0, "pulse_rate": 80, "oxygen_flow": 0}
    assert oxygen == {"spo2": 97.0, "pulse_rate": 80}
    assert nothing == {}
    assert infinite == {"spo2": 97.0, "pulse_rate": "inf"}
