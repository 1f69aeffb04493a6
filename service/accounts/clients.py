"""Managing partner systems: adding them, what they may do and where, their secrets and keys."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.access import families
from service.access.accounts import add_client
from service.access.opaque import new_secret
from service.access.store import CLIENT, list_unknown_wards
from service.accounts import rights, store
from service.accounts.act import Act
from service.accounts.store import Client
from service.errors import Conflict, FieldError, Invalid, NotFound


async def add(
    act: Act,
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
        rights.require_administrator(act.who)
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


async def change(act: Act, client_id: str, changed: Mapping[str, Any]) -> Client:
    """The system with name, scopes, ward_ids, active, jwks or jwks_url changed. Raises NotFound, NotAllowed."""
    client = await _hold(act, client_id)
    if changed.get("jwks_url") is not None:
        rights.require_administrator(act.who)
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


async def add_secret(act: Act, client_id: str) -> str:
    """A further secret, shown once; the one before it stays good, an older one ends. Raises NotFound, NotAllowed,
    Conflict for a public client and for one with keys."""
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
    return secret


async def end_previous_secret(act: Act, client_id: str) -> None:
    """End the older of two secrets. Raises NotFound, NotAllowed, Conflict when there is one only."""
    client = await _hold(act, client_id)
    if client.secrets < 2:
        raise Conflict("There is no older secret.")
    await store.update_client(act.session, client_id, {"previous_secret_hash": None})
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
