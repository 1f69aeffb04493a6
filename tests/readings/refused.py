"""The one shape of every refusal of a reading."""

from typing import Any

import httpx

from tests.support.wards import Partner


def assert_refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of a refusal, which always has the safety text."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem.keys() >= {
        "type",
        "title",
        "status",
        "detail",
        "code",
        "request_id",
        "errors",
        "safety_text",
    }
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"].endswith(code)
    assert "not recorded" in problem["safety_text"]
    assert "999" in problem["safety_text"]
    return problem


async def send_text(partner: Partner, text: str | bytes, **headers: str) -> httpx.Response:
    return await partner.http.post(
        "/v1/readings",
        content=text,
        headers={**partner.headers, "Content-Type": "application/json", **headers},
    )
