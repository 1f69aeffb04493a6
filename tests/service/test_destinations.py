"""Addresses that somebody gave, and what stands behind names."""

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.destinations import AddressRefused, CheckedTransport, Destinations, read_destinations
from service.errors import SettingInvalid
from service.settings import Settings
from tests.support.web import certificate, listening

HERE = read_destinations(Settings(allowed_networks="127.0.0.1/32"))
NAME = "keys.records.test"
Means = Callable[..., list[str]]

REFUSED = {
    "loopback": ["127.0.0.1", "127.255.0.9", "::1"],
    "private": ["10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.7.7", "100.64.0.1", "fc00::1", "fd00:ec2::254"],
    "unspecified": ["0.0.0.0", "::"],
    "link_local": ["169.254.169.254", "fe80::1", "fe80::1%1"],
    "multicast": ["224.0.0.1", "239.255.255.250", "ff02::1"],
    "reserved": [
        "0.0.0.7", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.9", "240.0.0.1",
        "255.255.255.255", "3fff::1",
        "::ffff:127.0.0.1", "::ffff:93.184.215.14", "::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "fec0::1",
        "2001::1", "2001:db8::1", "2002:7f00:1::", "100::1", "5f00::1",
    ],
}  # fmt: skip
ALL_OF_OURS = "127.0.0.0/8 ::1/128 10.0.0.0/8,172.16.0.0/12, 192.168.0.0/16 100.64.0.0/10 fc00::/7"


def test_only_public_addresses_are_reached_unless_a_network_is_listed() -> None:
    everything = read_destinations(Settings(allowed_networks=ALL_OF_OURS))
    for reason, addresses in REFUSED.items():
        for each in addresses:
            assert Destinations().why_not(ip_address(each)) == reason, each
            listable = reason in ("loopback", "private")
            assert everything.why_not(ip_address(each)) == (None if listable else reason), each
    for public in ("93.184.215.14", "9.9.9.9", "172.32.0.1", "100.128.0.1", "2606:2800:21f:cb07::1", "2a00:1450::1"):
        assert Destinations().why_not(ip_address(public)) is None, public


def test_a_listed_network_opens_itself_alone() -> None:
    some = read_destinations(Settings(allowed_networks="10.20.0.0/16"))
    assert some.why_not(ip_address("10.20.255.1")) is None
    assert some.why_not(ip_address("10.21.0.1")) == "private"


@pytest.mark.parametrize("listed", ["0.0.0.0/0", "169.254.0.0/16", "10.0.0.0/7", "::/0", "8.8.8.8", "10.1.0.0/8", "x"])
def test_what_may_not_be_listed_stops_the_start(listed: str) -> None:
    with pytest.raises(SettingInvalid, match="WARDWATCH_ALLOWED_NETWORKS"):
        read_destinations(Settings(allowed_networks=f"10.0.0.0/8 {listed}"))


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("127.0.0.1", "loopback"), ("127.1", "loopback"), ("0x7f000001", "loopback"), ("2130706433", "loopback"),
        ("localhost", "loopback"), ("LocalHost.", "loopback"), ("keys.localhost", "loopback"), ("[::1]", "loopback"),
        ("[::ffff:10.0.0.1]", "reserved"), ("10.0.0.1:8443", "private"), ("169.254.169.254", "link_local"),
        ("0", "unspecified"), ("9.9.9.9", None), ("records.test", None), ("notlocalhost", None), ("10.test", None),
    ],
)  # fmt: skip
def test_an_address_is_seen_in_any_spelling(host: str, reason: str | None) -> None:
    assert Destinations().why_not_seen(f"https://{host}/keys") == reason


# Fetching ---------------------------------------------------------------------------------------------------


class Server:
    """Answers over TLS with the Host and the server name it was asked for; `/away` sends elsewhere."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.named: list[str | None] = []
        self.elsewhere, self.port = "https://10.0.0.1/", 0
        context.sni_callback = lambda _socket, name, _context: self.named.append(name)

    def get(self, request: BaseHTTPRequestHandler) -> None:
        """One request."""
        request.send_response(302 if request.path == "/away" else 200)
        request.send_header("Location", self.elsewhere)
        request.end_headers()
        request.wfile.write(json.dumps(request.headers["Host"]).encode())


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    context, authority = certificate(tmp_path, NAME)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    made = Server(context)
    with listening(made.get, context) as made.port:
        yield made


@pytest.fixture
def means(monkeypatch: pytest.MonkeyPatch) -> Means:
    """What names mean for the machine's resolver, one answer after the other; gives the names that were asked for."""

    def answering(*answers: tuple[str, ...]) -> list[str]:
        asked: list[str] = []

        def getaddrinfo(host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
            name = host.decode() if isinstance(host, bytes) else host
            asked.append(name)
            found = answers[min(len(asked), len(answers)) - 1]
            families = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in found]
            pairs = zip(families, found, strict=True)
            return [(family, socket.SOCK_STREAM, 6, "", (each, port or 0)) for family, each in pairs]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return answering


async def fetch(url: str, destinations: Destinations = HERE, **more: Any) -> httpx.Response:
    async with httpx.AsyncClient(transport=CheckedTransport(destinations), **more) as client:
        return await client.get(url)


async def test_the_name_stays_what_the_host_and_the_certificate_are_about(server: Server, means: Means) -> None:
    means(("127.0.0.1",))
    url = f"https://{NAME}:{server.port}/"
    answer = await fetch(url)
    assert (answer.json(), server.named, str(answer.url)) == (f"{NAME}:{server.port}", [NAME], url)
    with pytest.raises(httpx.ConnectError):  # the same server, which cannot show that it is this one
        await fetch(f"https://other.records.test:{server.port}/")


async def test_a_name_is_looked_up_once_and_what_was_judged_is_reached(server: Server, means: Means) -> None:
    asked = means(("127.0.0.1",), ("10.0.0.1",))
    assert (await fetch(f"https://{NAME}:{server.port}/")).status_code == 200
    assert asked.count(NAME) == 1
    with pytest.raises(AddressRefused, match="private"):  # now it means something else
        await fetch(f"https://{NAME}:{server.port}/")


@pytest.mark.parametrize(
    ("addresses", "reason"),
    [
        (("127.0.0.1",), "loopback"),
        (("9.9.9.9", "10.0.0.1"), "private"),
        (("::ffff:127.0.0.1",), "reserved"),
        (("169.254.169.254",), "link_local"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_name_for_an_address_that_is_refused_is_not_reached(
    server: Server, means: Means, addresses: tuple[str, ...], reason: str
) -> None:
    means(addresses)
    with pytest.raises(AddressRefused) as refused:
        await fetch(f"https://{NAME}:{server.port}/", Destinations())
    assert (str(refused.value), server.named) == (reason, [])


async def test_of_several_addresses_one_that_answers_is_taken(server: Server, means: Means) -> None:
    means(("::1", "127.0.0.1"))
    both = read_destinations(Settings(allowed_networks="127.0.0.0/8 ::1"))
    assert (await fetch(f"https://{NAME}:{server.port}/", both)).status_code == 200


async def test_a_redirect_is_judged_like_any_other_address(server: Server, means: Means) -> None:
    means(("127.0.0.1",), ("10.0.0.1",))
    assert (await fetch(f"https://{NAME}:{server.port}/away")).status_code == 302
    means(("127.0.0.1",), ("10.0.0.1",))
    with pytest.raises(AddressRefused, match="private"):
        await fetch(f"https://{NAME}:{server.port}/away", follow_redirects=True)


async def test_no_proxy_of_the_environment_is_asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert (await fetch(f"https://127.0.0.1:{server.port}/")).status_code == 200


async def test_a_name_without_address_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(httpx.ConnectError):
        await fetch(f"https://{'a' * 80}.test/")
