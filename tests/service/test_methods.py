"""HEAD wherever there is GET, and the methods of a path for whoever asked wrongly."""

import pytest

from tests.access.hospital import Hospital

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_head_is_get_without_the_body(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    header = await hospital.clinician(ward_id)
    stay = await hospital.stay(header, ward_id)
    for path in (
        "/livez",
        "/v1/alerts",
        "/v1/wards",
        f"/v1/stays/{stay['id']}",
        f"/v1/wards/{ward_id}/events",
        "/docs",
    ):
        got = await hospital.client.get(path, headers=header)
        head = await hospital.client.head(path, headers=header)
        assert (got.status_code, head.status_code, head.content) == (200, 200, b"")
        same = ("content-type", "content-length", "etag")
        assert [head.headers.get(name) for name in same] == [got.headers.get(name) for name in same]
    assert (await hospital.client.head("/v1/alerts")).status_code == 401
    assert (await hospital.client.head("/v1/readings", headers=header)).status_code == 405


async def test_allow_names_every_method_of_the_path(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    for path, methods in (
        (f"/v1/wards/{ward_id}", "GET, HEAD, PATCH"),
        ("/v1/wards", "GET, HEAD, POST"),
        ("/v1/readings", "POST"),
    ):
        answer = await hospital.client.delete(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)
