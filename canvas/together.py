"""What people at a canvas do together beside drawing: marks at a place, who is here, and following somebody's view.

Nothing of it is stored, and nothing costs anything while nobody uses it. A follower does not draw, and the one who is
followed sees it and may end it. Processes tell one another through the layer; what gets lost there is only news.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from canvas import gate, limits, wire
from canvas.admission import Admission
from canvas.audience import Audience
from canvas.member import Member, Person
from canvas.presence import Presence
from dreamsite.core.token_bucket import TokenBucket, TokenBuckets

Follower = tuple[int, str]  # id and name


class Together:
    def __init__(
        self,
        audience: Audience,
        admission: Admission,
        presence: Presence,
        publish: Callable[[dict[str, Any]], None],
        clock: Callable[[], float],
        wall_ms: Callable[[], int],
    ) -> None:
        self._audience, self._admission, self._presence = audience, admission, presence
        self._publish = publish
        self._clock, self._wall_ms = clock, wall_ms
        self._marks = TokenBuckets(limits.REACTIONS_RATE, limits.REACTIONS_BURST)  # by person
        self._addresses = TokenBuckets(limits.REACTIONS_ADDRESS_RATE, limits.REACTIONS_ADDRESS_BURST)
        self._all = TokenBucket(limits.REACTIONS_ROOM_RATE, limits.REACTIONS_ROOM_BURST)
        self._lists = TokenBuckets(limits.WHO_RATE, limits.WHO_BURST)  # by socket
        self._follows = TokenBuckets(limits.FOLLOW_RATE, limits.FOLLOW_BURST)  # by person
        self._dismissals = TokenBuckets(limits.FOLLOW_RATE, limits.FOLLOW_BURST)  # by person
        self._views = TokenBuckets(limits.VIEW_RATE, limits.VIEW_BURST)  # by person
        self._following: dict[int, set[Member]] = {}  # sockets here, by whom they follow
        self._here_elsewhere: dict[
            str, tuple[list[Follower], float]
        ] = {}  # process -> people there, and when it said so
        self._followers_elsewhere: dict[str, tuple[dict[int, list[Follower]], float]] = {}
        self._told: dict[int, list[Follower]] = {}  # to those who are followed: by whom
        self._dismissed: dict[tuple[int, int], float] = {}  # (followed, follower) -> until when not again

    # --- what comes in from a browser ------------------------------------------------------------------------------

    def receive(self, member: Member, message: wire.Together) -> None:
        """Never waits. What comes too often, or from somebody who may not, does nothing."""
        now, person = self._clock(), member.person
        if not member.joined:
            return
        if isinstance(message, wire.Who):
            if self._lists.take(member, now):
                member.push(wire.news({"type": "here", "people": self._people(now, person)}))
            return
        if person is None:
            return
        match message:
            case wire.React(x, y, mark):
                self._react(member, person, x, y, mark, now)
            case wire.Follow(who):
                self._follow(member, person, who, now)
            case wire.View():
                self._view(person, message, now)
            case wire.Dismiss():
                self._dismiss(person.id, now)

    def _react(self, member: Member, person: Person, x: int, y: int, mark: int, now: float) -> None:
        """A mark at a place, for everybody to see for a few seconds."""
        canvas, rules, now_ms = self._audience.state.canvas, self._admission.rules, self._wall_ms()
        if x >= canvas["width"] or y >= canvas["height"]:
            raise wire.ProtocolError(f"a mark at {x}, {y}: off the canvas")
        if not rules.reactions or self._admission.unknown([person.id]):  # their status is about to be read
            return
        if gate.may_not_draw(rules, self._admission.status(person.id), now_ms) is not None:
            return
        if any(
            region.holds(now_ms)
            and region.x <= x < region.x + region.width
            and region.y <= y < region.y + region.height
            for region in rules.regions
        ):
            return
        if not self._marks.take(person.id, now):
            return
        if member.address and not self._addresses.take(member.address, now):
            return
        if not self._all.take(1, now):
            return
        news = {"type": "reaction", "by": person.id, "name": person.name, "x": x, "y": y, "mark": mark}
        self._presence.shows([person.id], now)
        self._audience.send(news)
        self._publish({"type": "reaction", "news": news})

    def _people(self, now: float, asker: Person | None = None) -> list[dict[str, Any]]:
        """Who is here and has shown it lately, by ink or a mark, in every process, as many as fit; and who asks.

        Somebody who only looks on is counted (NEWS `people`) and named to nobody.
        """
        named = self._presence.shown(now) | ({asker.id} if asker else set())
        here = {person.id: person.name for person in self._persons() if person.id in named}
        for people, at in self._here_elsewhere.values():
            if now - at < 3 * limits.PEOPLE_SECONDS:
                here |= dict(people)
        return [
            {"id": who, "name": here[who]} for who in sorted(here, key=lambda who: here[who].lower())[: limits.HERE]
        ]

    def _persons(self) -> Iterable[Person]:
        return (member.person for member in self._audience.members if member.joined and member.person)

    # --- following -------------------------------------------------------------------------------------------------

    def _follow(self, member: Member, person: Person, who: int, now: float) -> None:
        if who == 0:
            self.stop(member)
            return
        if not self._follows.take(person.id, now):
            self._tell(member, 0, "too-often")
            return
        if who == person.id or who not in {one["id"] for one in self._people(now)}:
            self._tell(member, 0, "left")
        elif self._dismissed.get((who, person.id), 0.0) > now:
            self._tell(member, 0, "ended")
        elif len(self._followers(who, now)) >= limits.FOLLOWERS:
            self._tell(member, 0, "full")
        else:
            before = self._now_follows(member, who)
            self._tell(member, who)
            self._changed(*{who, before or who})

    def stop(self, member: Member) -> None:
        """A socket follows nobody any more: by its own will, because it draws, or because it is gone."""
        before = self._now_follows(member, None)
        if before is not None:
            if not member.closed:
                self._tell(member, 0)
            self._changed(before)

    def _now_follows(self, member: Member, who: int | None) -> int | None:
        """Whom it followed before."""
        before, member.follows = member.follows, who
        if before is not None:
            self._following[before].discard(member)
            if not self._following[before]:
                del self._following[before]
        if who is not None:
            self._following.setdefault(who, set()).add(member)
        return before

    def left(self, member: Member) -> None:
        """A socket is gone: it follows nobody, and whoever followed its person here alone follows nobody either."""
        self.stop(member)
        person = member.person
        if person is None or person.id not in self._told or person.id in {one.id for one in self._persons()}:
            return
        self._told.pop(person.id)
        self._end(person.id, "left")

    def _view(self, person: Person, view: wire.View, now: float) -> None:
        """Somebody's view, to those who follow them; nobody else is told."""
        if not self._views.take(person.id, now) or person.id not in self._told:
            return
        news = {"type": "view", "of": person.id, "x": view.x, "y": view.y, "width": view.width, "height": view.height}
        self._show(news)
        if self._elsewhere(person.id, now):
            self._publish({"type": "view", "news": news})

    def _show(self, news: dict[str, Any]) -> None:
        data = wire.news(news)
        for member in self._following.get(news["of"], ()):
            if not member.full:
                member.push(data)

    def _dismiss(self, who: int, now: float) -> None:
        """The one who is followed wants no followers: they end, and may not come back for a while."""
        if who in self._told and self._dismissals.take(who, now):
            self._end(who, "ended")

    def _end(self, who: int, why: str) -> None:
        """Nobody follows this person any more, in any process.

        The message names them: each process has to know who may not come back, wherever they come in.
        """
        followers = [one for one, _ in self._followers(who, self._clock())]
        self._publish({"type": "release", "who": who, "why": why, "followers": followers})
        self._release(who, why, followers)

    def _release(self, who: int, why: str, followers: Iterable[int]) -> None:
        now, here = self._clock(), list(self._following.get(who, ()))
        for member in here:
            self._now_follows(member, None)
            self._tell(member, 0, why)
        if why == "ended":
            sent_away = {*followers, *(member.person.id for member in here if member.person)}
            self._dismissed |= {(who, one): now + limits.DISMISSED_SECONDS for one in sent_away}
        for elsewhere, _ in self._followers_elsewhere.values():
            elsewhere.pop(who, None)
        if here:
            self._changed(who)
        else:
            self._tell_followed([who], now)  # what is followed from here is the same as before

    def _followers(self, who: int, now: float) -> list[Follower]:
        sockets = self._following.get(who, ())
        here = {(member.person.id, member.person.name) for member in sockets if member.person}
        return sorted(here | set(self._elsewhere(who, now)))

    def _elsewhere(self, who: int, now: float) -> list[Follower]:
        recent = (one for one, at in self._followers_elsewhere.values() if now - at < 3 * limits.PEOPLE_SECONDS)
        return [follower for followers in recent for follower in followers.get(who, [])]

    def _changed(self, *people: int) -> None:
        """Other processes hear at once who is followed from here, and these people by whom they are."""
        self._publish(self.heartbeat())
        self._tell_followed(people, self._clock())

    def _tell_followed(self, people: Iterable[int], now: float) -> None:
        for who in people:
            followers = self._followers(who, now)
            if followers == self._told.get(who, []):
                continue
            if followers:
                self._told[who] = followers
            else:
                self._told.pop(who, None)
            names = [{"id": one, "name": name} for one, name in followers]
            data = wire.news({"type": "followers", "followers": names})
            for member in self._audience.members:
                if member.joined and member.person and member.person.id == who:
                    member.push(data)

    def greet(self, member: Member) -> None:
        """A socket that joins while its person is followed hears so."""
        if member.person and (followers := self._told.get(member.person.id)):
            names = [{"id": one, "name": name} for one, name in followers]
            member.push(wire.news({"type": "followers", "followers": names}))

    def _tell(self, member: Member, who: int, why: str = "") -> None:
        member.push(wire.news({"type": "following", "who": who or None, "why": why}))

    # --- other processes -------------------------------------------------------------------------------------------

    def heartbeat(self) -> dict[str, Any]:
        """Who has shown that they are here, and who is followed from here, for the other processes."""
        shown = self._presence.shown(self._clock())
        people = sorted({(person.id, person.name) for person in self._persons() if person.id in shown})[: limits.HERE]
        follows: dict[int, list[Follower]] = {}
        for who, members in self._following.items():
            follows[who] = [(member.person.id, member.person.name) for member in members if member.person]
        return {"type": "here", "people": people, "follows": [[who, found] for who, found in follows.items()]}

    def heard(self, message: dict[str, Any]) -> None:
        """A message of another process' Together."""
        now = self._clock()
        match message["type"]:
            case "reaction":
                self._presence.shows([message["news"]["by"]], now)
                if self._all.take(1, now):
                    self._audience.send(message["news"])
            case "view":
                self._show(message["news"])
            case "release":
                self._release(message["who"], message["why"], message["followers"])
            case "here":
                sender = message["from"]
                self._here_elsewhere[sender] = [(who, name) for who, name in message["people"]], now
                follows = {who: [(one, name) for one, name in found] for who, found in message["follows"]}
                before = self._followers_elsewhere.get(sender, ({}, 0.0))[0]
                self._followers_elsewhere[sender] = follows, now
                self._tell_followed(before.keys() | follows.keys(), now)

    def tidy(self) -> None:
        """What is over is forgotten; those whose followers' process is gone hear that they are followed no more."""
        now = self._clock()
        late = now - 3 * limits.PEOPLE_SECONDS
        self._here_elsewhere = {one: heard for one, heard in self._here_elsewhere.items() if heard[1] > late}
        self._followers_elsewhere = {one: heard for one, heard in self._followers_elsewhere.items() if heard[1] > late}
        self._tell_followed(list(self._told), now)
        self._dismissed = {pair: until for pair, until in self._dismissed.items() if until > now}
        for paces in (self._marks, self._addresses, self._lists, self._follows, self._dismissals, self._views):
            paces.forget(now)
