"""Secrets that we make and give out once, such as a client's: of them only a hash is kept."""

import hashlib
import secrets


def new_secret() -> tuple[str, str]:
    """A secret, and what is stored of it."""
    secret = secrets.token_urlsafe(32)
    return secret, hash_secret(secret)


def hash_secret(secret: str) -> str:
    """What is stored of a secret."""
    # It is 256 random bits: nobody can go through them, so a slow hash would protect nothing.
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def id_of_secret(stored: str) -> str:
    """A name for a secret, made of what is stored of it; it gives away neither."""
    return hashlib.sha256(f"id of {stored}".encode()).hexdigest()[:16]
