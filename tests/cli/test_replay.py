"""`wardwatch simulate` and `wardwatch replay`, run as a person would."""

import csv
import json

import pytest

from tests.support.cli import wardwatch

SMALL = ("--patients", "10", "--days", "5", "--processes", "1")


async def test_a_ward_is_written_and_replayed_with_two_rule_sets_side_by_side(tmp_path):
    ward, rules, prefix = tmp_path / "ward.jsonl", tmp_path / "ward.toml", tmp_path / "tried"
    made = await wardwatch("simulate", str(ward), *SMALL, "--seed", "2")
    assert made.code == 0, made.err
    assert json.loads(ward.read_text().splitlines()[0])["patients"] == 10
    rules.write_text('version = "ward-1"\nstandard_amber_at = 93\n')
    done = await wardwatch(
        "replay", "--rules", "default", "--rules", str(rules), "--from", str(ward), "--out", str(prefix)
    )
    assert done.code == 0, done.err
    assert "10 recorded stays from ward.jsonl" in done.out
    assert "What changed from A to B" in done.out
    names = {file.name for file in tmp_path.glob("tried*")}
    assert names == {
        "tried.md",
        "tried.svg",
        *(f"tried-{table}.csv" for table in ("rates", "stays", "alerts", "events")),
    }
    assert "`ward-1`" in (tmp_path / "tried.md").read_text()


async def test_the_same_seed_prints_the_same_and_another_seed_another(tmp_path):
    first, again, other = [
        (await wardwatch("replay", *SMALL, "--seed", seed, "--out", str(tmp_path / f"r{place}"))).out
        for place, seed in enumerate(("1", "1", "2"))
    ]
    assert first.replace("r0", "r1") == again
    assert first.replace("r0", "r2").replace("seed 1", "seed 2") != other
    assert (tmp_path / "r0-alerts.csv").read_bytes() == (tmp_path / "r1-alerts.csv").read_bytes()


async def test_simulate_overwrites_nothing(tmp_path):
    (tmp_path / "mine").write_text("mine")
    done = await wardwatch("simulate", str(tmp_path / "mine"), *SMALL)
    assert (done.code, "exists" in done.err) == (2, True)
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rules", "gone.json"), "gone.json cannot be read"),
        (("--rules", "default") * 3, "once or twice"),
        (("--from", "x", "--ward", "y"), "one of --from, --stay and --ward"),
        (("--from", "gone.jsonl"), "gone.jsonl cannot be read"),
        (("--from", "."), "holds no *.psv file"),
        (("--out", "no/such/folder/r"), "is not a folder"),
        (("--stay", "nonsense"), "not an id"),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_line(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = await wardwatch("replay", *arguments)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


async def test_recordings_are_replayed_and_the_broken_one_is_named(tmp_path):
    (tmp_path / "p1.psv").write_text("HR|O2Sat|Resp|Age\n80|97|16|70\n90|88|30|70\nNaN|NaN|NaN|70\n300|x|16|70\n")
    done = await wardwatch("replay", "--from", str(tmp_path), "--processes", "1", "--out", str(tmp_path / "r"))
    assert done.code == 0, done.err
    rates = list(csv.DictReader((tmp_path / "r-rates.csv").read_text().splitlines()))
    assert {"R1", "R13"} & {row["rule"] for row in rates}
    assert "readings refused" in done.out
    (tmp_path / "p2.psv").write_text("a,b\n1,2\n")
    done = await wardwatch("replay", "--from", str(tmp_path))
    assert (done.code, "p2.psv" in done.err) == (2, True)
