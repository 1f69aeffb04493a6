"""A new signing key in place of the present one, without anybody noticing: it is published long before it signs, and
the old one is believed until the last token signed with it has ended.

With it everything that is encrypted is written anew under the first secret key, so that the other can be taken away."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from service.access import audit, totp
from service.access.families import LIVES
from service.access.keys import KEY, LOOKED_UP_EVERY, insert_key, key_cipher, list_keys
from service.errors import SettingInvalid
from service.fields import new_id
from service.storage.session import WriteSession

PUBLISHED_BEFORE = timedelta(minutes=15)
"""How long a new key is published before it signs: by then every process has read it, and whoever keeps our key set has
fetched it again."""
LAST_TOKEN_ENDS_AFTER = max(life.access for life in LIVES.values()) + 2 * LOOKED_UP_EVERY


async def rotate(
    session: WriteSession, secret_keys: Sequence[str], at: datetime, *, at_once: bool = False
) -> tuple[str, datetime, datetime]:
    """A new key: its id, from when it signs, and until when those before it are believed.

    `at_once` is for a key that somebody else may have: it signs now, and no token of before is taken any more.
    Raises SettingInvalid when none of the present keys can be opened with these secret keys."""
    known, others = await list_keys(session, secret_keys, at)
    if others and not known:
        raise SettingInvalid("WARDWATCH_SECRET_KEY is not the one that the present signing key is encrypted with")
    signs_from = at if at_once else at + PUBLISHED_BEFORE
    old_end_at = at if at_once else signs_from + LAST_TOKEN_ENDS_AFTER
    await session.execute(delete(KEY).where(KEY.c.retired_at <= at))
    for key_id in sorted(known):
        await _change(session, secret_keys, key_id, old_end_at)
    await totp.encrypt_anew(session, secret_keys)
    key_id = new_id()
    await insert_key(session, secret_keys, key_id, at, signs_from)
    await audit.append(session, None, "keys.rotated", at, detail={"key": key_id, "at_once": at_once})
    return key_id, signs_from, old_end_at


async def _change(session: WriteSession, secret_keys: Sequence[str], key_id: str, ends_at: datetime) -> None:
    row: Any = (await session.execute(select(KEY).where(KEY.c.id == key_id).with_for_update())).one()
    changed = {
        "private_key": key_cipher(secret_keys).rotate(row.private_key.encode()).decode(),
        "retired_at": min(row.retired_at or ends_at, ends_at),
    }
    await session.execute(update(KEY).where(KEY.c.id == key_id).values(changed))
