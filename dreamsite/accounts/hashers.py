"""Passwords are hashed one at a time, each by one thread: it takes 100 MB and a core for a moment, and strangers choose
how many sign in at once."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher

from dreamsite.core.turns import Turns

turns = Turns("passwords", 1, patience=15.0, waiting=30)


class BoundedArgon2PasswordHasher(Argon2PasswordHasher):
    """Django's Argon2 with one thread instead of eight; raises core.errors.Busy where too many wait."""

    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with turns.take():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with turns.take():
            return super().verify(password, encoded)

    def harden_runtime(self, *args: Any) -> None:
        """Nothing, as Django's."""
