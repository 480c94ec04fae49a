"""Names that look like one another, and names that would let a stranger speak for the site. Plain Python.

The alphabet of names is ASCII (core.models.User), so Unicode's thousands of confusables are shut out before. What is
left is here: the pairs of Unicode's confusables.txt (UTS 39) within that alphabet, and digits written for letters.
"""

from __future__ import annotations

import re

# Pairs of letters that run together, after signs that stand for letters. `i`, because its capital is an `l`.
_RUN_TOGETHER = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_SIGNS = str.maketrans("013457i892", "oleastlbgz")
_SEPARATORS = re.compile(r"[._-]+")

# Whoever has one of these as a word of their name speaks for the site.
OFFICES = frozenset(
    {
        *("admin", "administrator", "administration", "admins", "mod", "mods", "moderator", "moderators", "moderation"),
        *("official", "owner", "root", "security", "staff", "support", "sysadmin", "system", "team", "webmaster"),
        *("dreamsite", "dreamer"),
    }
)
# And these alone would be mistaken for a part of the site, or for nobody.
RESERVED = OFFICES | {
    *("canvas", "help", "history", "site", "anonymous", "everybody", "everyone", "nobody", "null", "undefined"),
}


def skeleton(name: str) -> str:
    """What is left of a name when everything that the eye may miss is taken away: two with the same one look alike."""
    found = name.lower().translate(_SIGNS)
    for pair, letter in _RUN_TOGETHER:
        found = found.replace(pair, letter)
    return _SEPARATORS.sub("", found)


_OFFICES, _RESERVED = frozenset(map(skeleton, OFFICES)), frozenset(map(skeleton, RESERVED))
_BEFORE, _AFTER = re.compile(r"\A[0-9]+"), re.compile(r"[0-9]+\Z")  # `Admin1` is meant to be read as `Admin`
_WORD = re.compile(r"[._-]+|(?<=[a-z])(?=[A-Z])")
_FRAMES = re.compile(r"\A(?:the|real|true|its|iam|im|a)|(?:s|hq|bot|official|real)\Z")


def _without_numbers(word: str) -> set[str]:
    """The word, and what is left of it without the digits around it: each of them may stand for a letter, too."""
    return {word, _BEFORE.sub("", word), _AFTER.sub("", word), _AFTER.sub("", _BEFORE.sub("", word))} - {""}


def is_reserved(name: str) -> bool:
    """Whether a name is, looks like, or contains as a word what only the site may call itself."""
    words = {one for word in _WORD.split(name) for one in _without_numbers(word)}
    if any(skeleton(word) in _OFFICES for word in words):
        return True
    whole = _without_numbers(name)
    whole |= {_FRAMES.sub("", _SEPARATORS.sub("", one.lower())) for one in whole}
    return any(skeleton(one) in _RESERVED for one in whole if one)
