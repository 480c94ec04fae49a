"""The Atom feeds' own date."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils.feedgenerator import Atom1Feed

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Atom(Atom1Feed):
    """Django dates a feed without entries by the moment of the request, so that it is new each time it is asked for.
    This one is as old as `since` says (of `feed_extra_kwargs`; 1970 without), until there is an entry."""

    def latest_post_date(self) -> datetime:
        return super().latest_post_date() if self.items else self.feed.get("since", NEVER)
