"""Managing partner systems: adding them, what they may do and where, their secrets and keys."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func

from service.access import families
from service.access.accounts import add_client
from service.access.opaque import id_of_secret, new_secret
from service.access.store import CLIENT, list_unknown_wards
from service.accounts import rights, store
from service.accounts.act import Act
from service.accounts.store import Client
from service.destinations import OURS, SETTING, Destinations
from service.errors import Conflict, FieldError, Invalid, NotFound

OLDER = "previous"
"""Names the older of two secrets in place of its id."""


class LastCredential(Conflict):
    """That would leave this client nothing to prove itself with. Give it something else first (a new secret, or other
    keys in the same request), or end it with `"active": false`. Another kind of client is another client."""

    code = "last_credential"


async def add(
    act: Act,
    destinations: Destinations,
    *,
    name: str,
    scopes: Sequence[str],
    ward_ids: Sequence[str],
    jwks: Mapping[str, Any] | None = None,
    jwks_url: str | None = None,
    redirect_uris: Sequence[str] | None = None,
    public: bool = False,
) -> tuple[Client, str | None]:
    """A new system, and its secret, which cannot be shown again; with keys, or as a public one, it has none.

    Raises NotFound, NotAllowed, Invalid."""
    await _require_wards(act, ward_ids)
    if jwks_url is not None:
        _require_destination(act, destinations, jwks_url)
    if public and (jwks or jwks_url or not redirect_uris):
        message = "has no keys, and redirect_uris"
        raise Invalid(errors=[FieldError("/public", "invalid", message)])
    client_id, secret = await add_client(
        act.session, name=name, scopes=scopes, ward_ids=ward_ids, at=act.real_at, by=act.who
    )
    without_secret = bool(jwks or jwks_url) or public
    changed: dict[str, Any] = {"jwks": jwks, "jwks_url": jwks_url, "redirect_uris": redirect_uris}
    if without_secret:
        changed["secret_hash"] = ""
    await store.update_client(act.session, client_id, changed)
    await act.record("client.joined", "client", client_id, set(ward_ids))
    return await store.get_client(act.session, act.who, client_id), None if without_secret else secret


async def change(act: Act, destinations: Destinations, client_id: str, changed: Mapping[str, Any]) -> Client:
    """The system with name, scopes, ward_ids, active, jwks, jwks_url or redirect_uris changed.

    Raises NotFound, NotAllowed, Invalid, LastCredential."""
    client = await _hold(act, client_id)
    if changed.get("jwks_url") is not None:
        _require_destination(act, destinations, changed["jwks_url"])
    _require_same_kind(client, changed)
    written = dict(changed)
    ward_ids = sorted(set(written.pop("ward_ids", client.ward_ids)))
    await _require_wards(act, ward_ids)
    if "scopes" in written:
        written["scopes"] = sorted(set(written["scopes"]))
    if written:
        await store.update_client(act.session, client_id, written)
    if ward_ids != sorted(client.ward_ids):
        await store.put_client_wards(act.session, client_id, ward_ids)
    if written.get("active") is False or {"jwks", "jwks_url", "redirect_uris"} & set(written):
        # Who takes a key away, or a way of signing in, takes back what it got.
        await families.revoke_all(act.session, "client", client_id, act.real_at)
    concerned = {*ward_ids, *client.ward_ids}
    await act.record("client.changed", "client", client_id, concerned, fields=sorted(changed))
    return await store.get_client(act.session, act.who, client_id)


async def add_secret(act: Act, client_id: str) -> tuple[str, str]:
    """The id of a further secret, and the secret, which is shown once; the one before it stays good, an older one ends.

    Raises NotFound, NotAllowed, Conflict for a public client and for one with keys."""
    client = await _hold(act, client_id)
    if client.public:
        raise Conflict("A public client has no secret: add another client.")
    if client.jwks or client.jwks_url:
        raise Conflict("This client signs in with keys and gets no secret: add another client.")
    secret, secret_hash = new_secret()
    # An empty hash is no secret: a client that signs in with its key.
    changed = {"previous_secret_hash": CLIENT.c.secret_hash, "secret_hash": secret_hash}
    await store.update_client(act.session, client_id, changed)
    await act.record("client.secret_added", "client", client_id, client.ward_ids)
    return id_of_secret(secret_hash), secret


async def end_secret(act: Act, client_id: str, secret_id: str) -> None:
    """End a secret by its id, or the older of two as `previous`, and with it every token that was given out.

    Raises NotFound, NotAllowed, LastCredential, Conflict when there is no older one."""
    client = await _hold(act, client_id)
    if secret_id == OLDER:
        if len(client.secret_ids) < 2:
            raise Conflict("There is no older secret.")
        secret_id = client.secret_ids[1]
    if secret_id not in client.secret_ids:
        raise NotFound
    if len(client.secret_ids) == 1 and not (client.jwks or client.jwks_url):
        raise LastCredential
    changed: dict[str, Any] = {"previous_secret_hash": None}
    if secret_id == client.secret_ids[0]:
        # An empty hash is no secret.
        changed["secret_hash"] = func.coalesce(CLIENT.c.previous_secret_hash, "")
    await store.update_client(act.session, client_id, changed)
    await families.revoke_all(act.session, "client", client_id, act.real_at)
    await act.record("client.secret_ended", "client", client_id, client.ward_ids)


async def _hold(act: Act, client_id: str) -> Client:
    client = await store.get_client(act.session, act.who, client_id, lock=True)
    rights.require_all_wards(act.who, client.ward_ids)
    return client


async def _require_wards(act: Act, ward_ids: Sequence[str]) -> None:
    for ward_id in ward_ids:
        rights.require_role(act.who, ward_id)
    if await list_unknown_wards(act.session, ward_ids):
        raise NotFound


def _require_destination(act: Act, destinations: Destinations, url: str) -> None:
    rights.require_administrator(act.who)
    try:
        reason = destinations.why_not_seen(url)
    except ValueError:
        raise Invalid(errors=[FieldError("/jwks_url", "invalid", "must be an https URL")]) from None
    if reason is not None:
        message = f"must be on an address that is reached from here, and this one is {reason}"
        if reason in OURS:
            message += f": whoever runs the service can list its network in {SETTING}"
        raise Invalid(errors=[FieldError("/jwks_url", "address_refused", message)])


def _require_same_kind(client: Client, changed: Mapping[str, Any]) -> None:
    """A client that proves itself goes on doing so, and a public one stays one: else it would become the other kind
    without anybody saying so."""
    if client.public and (changed.get("jwks") or changed.get("jwks_url")):
        raise Conflict("A public client has no keys: add another client.")
    after = {name: changed.get(name, getattr(client, name)) for name in ("jwks", "jwks_url", "redirect_uris")}
    if client.secret_ids or after["jwks"] or after["jwks_url"]:
        return
    if not client.public and {"jwks", "jwks_url", "redirect_uris"} & set(changed):
        raise LastCredential
    if not after["redirect_uris"]:
        raise Invalid(errors=[FieldError("/redirect_uris", "missing", "must have one at least: it is a public client")])
