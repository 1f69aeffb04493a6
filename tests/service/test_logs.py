"""Request ids lead from an answer to its log lines; log lines carry no values."""

import io
import json
import logging
import re

import pytest

from service import logs
from tests.service.conftest import SENTINEL


@pytest.fixture
def lines():
    """The log as it is written, one JSON object a line."""
    root = logging.getLogger()
    level = root.level
    logs.configure("info")
    (handler,) = root.handlers
    written = io.StringIO()
    handler.setStream(written)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("given", ["a", "A-1", "x" * 64, "0192f0e4-9f7d-7000-8000-000000000000"])
async def test_a_request_id_is_given_back(http, given: str) -> None:
    answer = await http.get("/nowhere", headers={"X-Request-ID": given})
    assert answer.headers.get_list("x-request-id") == [given]
    assert answer.json()["request_id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a_b", "é", "a\n", '"}{"', "<b>"])
async def test_a_request_id_that_could_do_harm_is_replaced(http, given: str) -> None:
    answer = await http.get("/nowhere", headers=[(b"x-request-id", given.encode())])
    made = answer.headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f-]{36}", made)
    assert answer.json()["request_id"] == made


async def test_every_request_without_an_id_gets_its_own(http) -> None:
    made = {(await http.get("/nowhere")).headers["x-request-id"] for _ in range(3)}
    assert len(made) == 3


async def test_a_fault_is_logged_with_its_request_id_its_type_and_its_place(http, lines) -> None:
    answer = await http.get("/fails/ours", headers={"X-Request-ID": "look-for-me"})
    assert answer.status_code == 500
    ours = [line for line in lines() if line.get("event") == "unexpected_error"]
    assert [line["request_id"] for line in ours] == ["look-for-me"]
    assert ours[0]["error"] == "RuntimeError"
    assert any("conftest.py" in frame for frame in ours[0]["frames"])


@pytest.mark.parametrize("how", ["ours", "database", "network"])
async def test_no_log_line_carries_the_text_of_an_exception(http, lines, how: str) -> None:
    await http.get(f"/fails/{how}")
    written = lines()
    assert written
    assert SENTINEL not in json.dumps(written)


def test_a_library_that_logs_an_exception_does_not_log_its_text(lines) -> None:
    try:
        raise ValueError(SENTINEL)
    except ValueError:
        logging.getLogger("some.library").exception("it failed")
    (line,) = lines()
    assert (line["event"], line["error"], line["level"]) == ("it failed", "ValueError", "error")
    assert SENTINEL not in json.dumps(line)


def test_nothing_below_the_level_is_written(lines) -> None:
    logs.get_logger("service.test").debug("not this")
    logs.get_logger("service.test").info("this", alert_id="a")
    assert [line["event"] for line in lines()] == ["this"]


def test_requests_are_not_logged_one_by_one(lines) -> None:
    logging.getLogger("uvicorn.access").info("GET /v1/patients/…")
    assert lines() == []
