"""Addresses that are fetched because somebody gave them: a client's `jwks_url`.

Whoever may give one must not be able to send us to doors that only we can reach, such as this machine's, its cloud's
or those of the hospital's network (server-side request forgery: OWASP API7). So a name is looked up once, every address
it has is judged, and the connection is made to one of those that were judged: what the name means a moment later
changes nothing. Of private networks and this machine, those are reached that `WARDWATCH_ALLOWED_NETWORKS` lists;
link-local addresses, where clouds answer with secrets, never.

What the operator has set is not held against this: the issuers of `WARDWATCH_OIDC_ISSUERS`, the mail server."""

import asyncio
import socket
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import unquote

import httpx

from service.errors import SettingInvalid
from service.settings import Settings

SETTING = "WARDWATCH_ALLOWED_NETWORKS"
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

OURS: dict[str, tuple[Network, ...]] = {
    "loopback": (ip_network("127.0.0.0/8"), ip_network("::1/128")),
    # RFC 1918, RFC 6598 (between a provider and its customers), RFC 4193.
    "private": tuple(
        ip_network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
    ),
}
"""What may be listed, by the word for it. Nothing else is reached that is not public."""
PUBLIC_IPV6 = ip_network("2000::/3")
"""Outside of it are, among others, some that stand for an IPv4 address (::ffff:0:0/96, 64:ff9b::/96)."""
RESERVED = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "240.0.0.0/4", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
)  # fmt: skip
"""Never reached: IANA's registries of special addresses, of which Python's own tables know more or less by its version;
2001::/23 and 2002::/16 are IPv4 addresses in disguise too (Teredo, 6to4)."""


class AddressRefused(httpx.TransportError):
    """An address that is not reached; the text is one word that says why, and names neither it nor the URL."""


@dataclass(frozen=True, slots=True)
class Destinations:
    """Which addresses may be reached: public ones, and those of the networks that are allowed."""

    allowed: tuple[Network, ...] = ()

    def why_not(self, address: Address) -> str | None:
        """One word for why an address is not reached; None for one that is."""
        kind = next((word for word, networks in OURS.items() if _in(address, networks)), None)
        if kind is not None:
            return None if _in(address, self.allowed) else kind
        words = ("unspecified", "link_local", "multicast")
        return next((word for word in words if getattr(address, f"is_{word}")), None) or _reserved(address)

    def why_not_seen(self, url: str) -> str | None:
        """The same for what an https URL shows without asking anybody: an address in any spelling, or this machine's
        name. A name may mean something else by the time it is fetched, so it is judged then.

        Raises ValueError for a URL that cannot be read."""
        try:
            address = _shown(_host(httpx.URL(url)))
        except httpx.InvalidURL as problem:
            raise ValueError(str(problem)) from None
        return None if address is None else self.why_not(address)

    async def addresses_of(self, host: str) -> list[Address]:
        """The addresses of a name, all of them judged. Raises AddressRefused, and ConnectError when there are none."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise httpx.ConnectError("the name has no address") from None
        addresses = [ip_address(each[4][0]) for each in found]
        for address in addresses:
            # One that is refused among several is enough: nobody has both by accident.
            if (reason := self.why_not(address)) is not None:
                raise AddressRefused(reason)
        return addresses


class CheckedTransport(httpx.AsyncHTTPTransport):
    """Connects to addresses that were judged, and no others; certificates are checked against the name in the URL.

    A client with a transport of its own uses no proxy of the environment, which would look names up for itself. Every
    connection is closed after its answer: the pool goes by address, and two names may share one."""

    def __init__(self, destinations: Destinations) -> None:
        super().__init__(limits=httpx.Limits(max_keepalive_connections=0))
        self._destinations = destinations

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = _host(request.url)
        *earlier, last = await self._destinations.addresses_of(host)
        for address in earlier:
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await super().handle_async_request(_sent_to(address, host, request))
        return await super().handle_async_request(_sent_to(last, host, request))


def read_destinations(settings: Settings) -> Destinations:
    """What the setting allows; raises SettingInvalid for what is no network, or one that may not be listed."""
    listed = settings.allowed_networks.replace(",", " ").split()
    try:
        networks = tuple(ip_network(each) for each in listed)
    except ValueError:
        raise SettingInvalid(f"{SETTING} must hold networks such as 10.20.0.0/16, with spaces between them") from None
    if any(not any(_within(each, own) for kind in OURS.values() for own in kind) for each in networks):
        raise SettingInvalid(f"{SETTING} may hold private and loopback networks only: public ones are reached anyhow")
    return Destinations(networks)


def _in(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in each for each in networks)


def _within(inner: Network, outer: Network) -> bool:
    return inner.network_address in outer and inner.broadcast_address in outer


def _reserved(address: Address) -> str | None:
    public = (address.version == 4 or address in PUBLIC_IPV6) and not _in(address, RESERVED)
    return None if public else "reserved"


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii")


def _shown(host: str) -> Address | None:
    """The address that a host is by itself, in any spelling that a resolver takes (`127.1`, `0x7f000001`)."""
    host = unquote(host).rstrip(".")
    if f".{host}".endswith(".localhost"):
        return IPv4Address("127.0.0.1")  # RFC 6761, section 6.3
    with suppress(ValueError):
        return ip_address(host)
    with suppress(OSError):
        return IPv4Address(socket.inet_aton(host))
    return None


def _sent_to(address: Address, host: str, request: httpx.Request) -> httpx.Request:
    """The request with its headers, `Host` among them, for a connection to this address."""
    extensions = {**request.extensions, "sni_hostname": host}
    url = request.url.copy_with(host=str(address))
    return httpx.Request(request.method, url, headers=request.headers, stream=request.stream, extensions=extensions)
