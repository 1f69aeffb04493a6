"""Pairing codes as texts: ten characters to read out and type in, and the keyed hashes that are kept of them."""

import hashlib
import hmac
import re
import secrets
from datetime import date

from service.access.keys import derive

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U."""
LENGTH = 10
"""50 bits: nobody finds one of a thousand open codes within its 24 hours by trying."""

_SEPARATORS = re.compile(r"[\s-]+")
_MISREAD = str.maketrans("OIL", "011")


def new_code() -> str:
    """A random code."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def clean_code(text: str) -> str | None:
    """The code as it was given out, from what somebody typed: in any case, with spaces and dashes, O for 0, I or L for
    1. None when it is no code at all."""
    if len(text) > 4 * LENGTH:
        return None
    code = _SEPARATORS.sub("", text).upper().translate(_MISREAD)
    return code if len(code) == LENGTH and all(each in ALPHABET for each in code) else None


class CodeHashes:
    """Hashes with a key derived from the secret key: whoever reads the table cannot try codes or birth dates.

    Made with the first of the secret keys; those made with any of them are known."""

    def __init__(self, *secret_keys: str) -> None:
        self._codes = [derive(each, b"wardwatch pairing code", 32) for each in secret_keys]
        self._birth_dates = [derive(each, b"wardwatch pairing birth date", 32) for each in secret_keys]

    def of_code(self, code: str) -> str:
        """What is kept of a clean code."""
        return self.each_of_code(code)[0]

    def each_of_code(self, code: str) -> list[str]:
        """All that may be kept of a clean code."""
        return [hmac.digest(key, code.encode(), hashlib.sha256).hex() for key in self._codes]

    def of_birth_date(self, code_id: str, birth_date: date) -> str:
        """What is kept of a birth date with this code: with another code it is another hash."""
        return self._each_of_birth_date(code_id, birth_date)[0]

    def _each_of_birth_date(self, code_id: str, birth_date: date) -> list[str]:
        text = f"{code_id}:{birth_date.isoformat()}".encode()
        return [hmac.digest(key, text, hashlib.sha256).hex() for key in self._birth_dates]

    def is_birth_date(self, code_id: str, text: str, stored: str) -> bool:
        """Whether a text is the birth date of the code, written `YYYY-MM-DD`."""
        try:
            found = date.fromisoformat(text) if len(text) == 10 else None
        except ValueError:
            found = None
        # As long for what is no date.
        right = [hmac.compare_digest(kept, stored) for kept in self._each_of_birth_date(code_id, found or date.min)]
        return any(right) and found is not None
