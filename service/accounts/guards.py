"""Guards of paths that name an account: it is found before a body is read."""

from dataclasses import replace
from typing import Annotated, NamedTuple

from fastapi import Depends, Request

from service.access.guards import PathId, Requires
from service.access.principals import Principal
from service.accounts import rights, store
from service.accounts.act import Act
from service.clock import real_now
from service.edge import visit_of
from service.fields import canonical_id
from service.storage.roles import Role
from service.storage.session import Writes, database_of, reading


class OnAccount(NamedTuple):
    """Who asks, about which account."""

    who: Principal
    id: str


class RequiresManager(Requires):
    """`Requires`, for people who manage accounts: administrators, and leads for their wards."""

    def __init__(self) -> None:
        super().__init__(*rights.MANAGES)

    async def admit(self, request: Request) -> Principal:
        who = rights.require_person(await super().admit(request))
        # What somebody may do with an account depends on where else it belongs.
        visit_of(request.scope).acting = replace(who.acting, role=Role.ACCOUNTS)
        return who


class RequiresOnStaff(RequiresManager):
    """For a path with `{staff_id}`: raises NotFound unless the principal may see the account."""

    async def __call__(self, request: Request, staff_id: PathId) -> OnAccount:  # type: ignore[override]
        who = await self.admit(request)
        async with reading(database_of(request)) as session:
            return OnAccount(who, (await store.get_staff(session, who, canonical_id(staff_id))).id)


class RequiresOnClient(RequiresManager):
    """For a path with `{client_id}`: raises NotFound unless the principal may see the account."""

    async def __call__(self, request: Request, client_id: PathId) -> OnAccount:  # type: ignore[override]
        who = await self.admit(request)
        async with reading(database_of(request)) as session:
            return OnAccount(who, (await store.get_client(session, who, canonical_id(client_id))).id)


Manager = Annotated[Principal, Depends(RequiresManager())]
OnStaff = Annotated[OnAccount, Depends(RequiresOnStaff())]
OnClient = Annotated[OnAccount, Depends(RequiresOnClient())]


def act_of(request: Request, who: Principal, session: Writes) -> Act:
    """The change that a request asks for."""
    return Act(session, who, request.app.state.clock.now(), real_now())
