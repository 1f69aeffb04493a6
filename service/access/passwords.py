"""Passwords: argon2id, in threads of its own so that the event loop goes on, and only a few at a time."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from service.errors import FieldError, Invalid, Overloaded

MIN_LENGTH, MAX_LENGTH = 12, 256
"""Characters. The upper bound keeps hashing cheap to refuse."""
MIN_DIFFERENT = 5
COMMON = (
    "qwertyuiop", "qwerty", "asdfghjkl", "zxcvbnm", "abcdef", "password", "changeme", "letmein", "iloveyou", "welcome",
    "administrator", "admin", "secret", "login", "wardwatch", "hospital", "doctor", "nurse", "monkey", "dragon",
    "sunshine", "football", "spring", "summer", "autumn", "winter",
)  # fmt: skip
"""What guessers try first. A password may contain these words, but has to have something else as well."""
_READ_AS = str.maketrans("@4310$5!", "aaeiossi")
MAX_AT_ONCE = 2
MAX_WAITING = 40
"""Passwords that may be checked or wait for it, at about 0.1 s and 64 MiB each. Whoever comes after so many is told to
come again."""

_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4, hash_len=32, salt_len=16, type=Type.ID)
# A hash that no password has, with the same costs: for names nobody has, so that the time tells nothing.
_NOBODY = f"$argon2id$v=19$m=65536,t=3,p=4${'A' * 22}${'A' * 43}"


class Passwords:
    """Hashes and checks passwords; `most_waiting` may wait to be checked."""

    def __init__(self) -> None:
        self.most_waiting = MAX_WAITING
        self._threads = ThreadPoolExecutor(MAX_AT_ONCE, thread_name_prefix="passwords")
        self._waiting = 0

    async def hash(self, password: str, *, email: str = "", pointer: str = "/password") -> str:
        """The hash to store. Raises Invalid with this pointer for a password shorter than 12 or longer than 256
        characters, and for one that is guessed soon; `email` is the address of whom it is for."""
        if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
            message = f"must have {MIN_LENGTH} to {MAX_LENGTH} characters"
            raise Invalid(errors=[FieldError(pointer, "length", message)])
        if (weakness := weakness_of(password, email)) is not None:
            raise Invalid(errors=[FieldError(pointer, "weak", weakness)])
        return await asyncio.get_running_loop().run_in_executor(self._threads, _HASHER.hash, password)

    async def matches(self, stored: str | None, password: str) -> bool:
        """Whether the password is the one that was stored. None takes as long as a wrong password.

        Raises Overloaded when too many wait."""
        if self._waiting >= self.most_waiting:
            raise Overloaded
        if stored is None or len(password) > MAX_LENGTH:
            stored, password = _NOBODY, ""
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, _verify, stored, password)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def weakness_of(password: str, email: str) -> str | None:
    """Why a password would be guessed soon, by somebody who knows whose it is; None: it would not."""
    folded, address = password.casefold(), email.strip().casefold()
    if len(set(folded)) < MIN_DIFFERENT:
        return f"must have at least {MIN_DIFFERENT} different characters"
    own = [address, address.partition("@")[0], *(each for each in re.split(r"[\W\d_]+", address) if len(each) > 2)]
    longest_first = sorted(filter(None, {*own, *COMMON}), key=len, reverse=True)
    # Without digits and signs around it, what is left of them stands for letters: passw0rd.
    for text in (folded, re.sub(r"^[\W\d_]+|[\W\d_]+$", "", folded).translate(_READ_AS)):
        left = text
        for word in longest_first:
            left = left.replace(word, "")
        if not any(each.isalpha() for each in left):
            return "must have more in it than digits, signs, common words and the e-mail address"
    return None


def _verify(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
