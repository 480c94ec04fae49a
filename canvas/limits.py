"""Every limit of the live canvas, each with its reason."""

from __future__ import annotations

MIN_SIDE = 64  # the smallest picture a network still sees something in
MAX_SIDE = 3840  # points are 16-bit eighths of a pixel: 4095 px, less the margin
MARGIN = 256  # strokes may leave the canvas; this far, no pen needs to go further

# The brush, in eighths of a pixel.
MIN_WIDTH = 8
MAX_WIDTH = 992  # DreamCanvas' 124 px

MAX_MESSAGE = 64 * 1024  # one websocket message; a tick of the busiest pen is a hundredth of it
MAX_OPS = 256  # operations in one INK message
MAX_POINTS = 512  # points in one piece; two seconds of a 240 Hz pen
BATCH_BYTES = 60 * 1024  # operations in one tick's batch: with its header it is one message
MAX_NUMBERS = 4096  # numbers in one HIDE

EARLIER = 3  # how far back an UNDREAM may reach, in dreams; one more is listed, as a dream may come meanwhile

MAX_PIECES = 0xFFFE  # pieces of one stroke: an ACK's `next` must hold their number, and 65535 is its UNDO
# What one socket may send, and one person draw. Rates a second, and the burst that a reconnect may bring.
MESSAGES_RATE, MESSAGES_BURST = 120, 600  # a browser flushes at most 60 times a second
# Counted before a message is parsed, by person; a socket of a visitor by itself. The busiest hands make 600 pieces and
# 31 KB a second; an hour offline comes back as 30,000 points in pieces of two.
BYTES_RATE, BYTES_BURST = 96 * 1024, 2 * 2**20
OPS_RATE, OPS_BURST = 3_000, 40_000
VISITOR_BYTES_RATE, VISITOR_BYTES_BURST = 4 * 1024, 128 * 1024
# Ink of visitors is refused unread. A browser whose session ended sends a little before it hears of it.
VISITOR_INK_RATE, VISITOR_INK_BURST = 1, 30  # messages
STROKES_RATE, STROKES_BURST = 50, 1_000  # the quickest stippling; each stroke is remembered for a quarter of an hour
POINTS_RATE, POINTS_BURST = 3_000, 40_000  # ten fingers at 240 Hz
JOIN_MESSAGES = 20  # a JOIN counts as so many messages: its answer may be the whole tail of the journal
# Stamped pixels: the widest brush at a furious 3000 px/s stamps about 1.2 million, and every viewer paints them too.
AREA_RATE, AREA_BURST = 8_000_000, 120_000_000
STAMP_AREA = 1_000  # what any stamp costs besides its pixels, in pixels: a thin line is many small stamps

# What people do beside drawing (canvas/together.py); what is more does nothing. A few marks in a row, then one in two
# seconds; a class behind one address; what all viewers are shown at most, whoever it comes from.
MARKS = 5  # kinds of marks
REACTIONS_RATE, REACTIONS_BURST = 0.5, 5
REACTIONS_ADDRESS_RATE, REACTIONS_ADDRESS_BURST = 3, 30
REACTIONS_ROOM_RATE, REACTIONS_ROOM_BURST = 8, 24
WHO_RATE, WHO_BURST = 0.5, 10
HERE = 100  # people who are named
SHOWN_SECONDS = 900  # so long after their last ink or mark here
FOLLOW_RATE, FOLLOW_BURST = 0.2, 6
FOLLOWERS = 20  # of one person
VIEW_RATE, VIEW_BURST = 10, 20  # a browser says where it looks eight times a second at most
DISMISSED_SECONDS = 600  # who was sent away may not follow the same person for so long

TICK = 1 / 30  # one row, one transaction, one broadcast
TICK_SLOW = 1 / 10  # under load
POLL = 0.5  # how often a room asks the database for what the layer may not have told it
POLL_CLOSED = 10.0  # the same where nobody draws any more
ROOMS_PER_ADDRESS = 12  # that one address opens in one process, beside the site's own canvases; settings.ROOMS for all
LAYER_MESSAGES, LAYER_SECONDS = 100, 2.0  # news waiting for the layer, and how long it may take with one
QUEUE_OPS = 20_000  # operations waiting for the database before new ones are refused

STALE_MS = 10 * 60 * 1000  # strokes begun earlier and unknown to the journal are refused
FUTURE_MS = 60 * 1000  # a stroke's id may be this far ahead of the server's clock
CLOCK_SET_MS = 5_000  # a clock that differs from itself by so much was set; a network's time servers correct less
REMEMBER_MS = STALE_MS + 5 * 60 * 1000  # how far back a room knows which pieces it has

OUTBOX_BYTES = 512 * 1024  # unread bytes after which a socket is behind
MAX_UNREAD_BYTES = 2 * OUTBOX_BYTES  # a socket with more unread is closed at once
BEHIND_SECONDS = 30.0  # and after this long it is closed
BROADCAST_SLICE = 200  # sockets that are sent a batch before others have their turn: two milliseconds
MARK_SECONDS = 1.0
MARK_BYTES, MARK_ROUNDS = OUTBOX_BYTES // 4, 16  # sent since the last MARK before the next one; every so often for all
PEOPLE_RATE = 300.0  # sockets a second that are told how many people there are: in a crowd that changes all the time
JOIN_SECONDS = 60.0  # a socket that has said nothing for so long is closed
RECHECK_SECONDS = 15.0  # how often the sessions behind the sockets are checked
FORGET_SECONDS = 60.0  # how often what can no longer be sent again is forgotten
LEAVE_RATE, LEAVE_SECONDS = 100, 8.0  # sockets a second that a process sends away before it ends; in how long at most
WRITING_SECONDS = 10.0  # so long the last ink may take then
HANG_SECONDS = 2.0  # once a write has taken this long, everybody is told
STUCK_SECONDS = 10.0  # and once it has been so for this long, the process should get no visitors (/readyz)

# A checkpoint (a frame without a dream) is kept when the journal's tail is this long and nobody dreams: late joiners
# load a picture instead.
CHECKPOINT_OPS = 4_000
PEOPLE_SECONDS = 2.0  # how often processes tell one another how many sockets they hold
CHUNK = 32 * 1024  # operations sent to a latecomer in one message
NAMES = 1_000  # authors a newcomer is told by name; more would not fit one message

# --- The gate (canvas/gate.py): what one person may paint over a longer time, in covered pixels ----------------------
# Clean hours from which on, then pixels a second and at once. What a piece covers is its price: length times width, and
# a dot's footprint. A hand at work (400 px/s, half of the time) covers 2,000 pixels a second with the brush it finds,
# 4,000 with one of 20 px, 12,000 with one of 60. The canvas of 1536 px has 2.4 million. So a newcomer who draws never
# meets the limit; one who covers a quarter of everybody's picture does, and over other people's fresh ink much sooner.
NEW_HOURS = 2  # below, one is new; a first hour is earned by the first dream
INK_LEVELS = (
    (0, 9_000, 600_000),
    (NEW_HOURS, 18_000, 1_200_000),
    (4, 50_000, 3_000_000),
    (10, 150_000, 6_000_000),
    (24, 500_000, 15_000_000),  # twelve times the canvas: only what a hand can make at all
)
# The newest accounts: made less than a day ago, with few clean hours. They share an allowance with the others behind
# their address (IPv6: /64), in each process: room for a school class that draws, on one another's ink too.
NEWEST_HOURS, NEWEST_MS = 4, 24 * 3_600_000
ADDRESS_RATE, ADDRESS_BURST = 120_000, 3_000_000
# When they have painted over so large a share of the picture within a minute, those behind an address that did a good
# part of it are slowed for ten minutes: each by SLOWEST, the address by more. A crowd from everywhere is a crowd.
NEWEST_SHARE, NEWEST_WITHIN, NEWEST_ADDRESS_SHARE = 0.4, 60, 0.05
NEWEST_SLOW_SECONDS, NEWEST_ADDRESS_SLOW = 600, 120
COOL_DOWN = 4  # who cools down has a newcomer's ink, and this many times less
SLOWEST = 20  # the slowest slow mode: a newcomer's line of 20 px then takes twenty times as long as a hand
INK_LOW = 0.4  # the share of one's ink below which the browser shows how much is left
HOURS_DAILY = 6  # clean hours that count in one day (UTC)

# Other people's fresh ink is theirs for a while. What one paints over it costs this many times as much.
OWNERSHIP_CELL = 32  # px; finer would follow strokes more closely than people aim
OWNERSHIP_SECONDS = 240  # until then people have seen each other, the dream has come by, or a moderator is called
OVERPAINTING_NEW = 4.0  # without a clean hour
OVERPAINTING_KNOWN = 3.0  # not trusted yet
OVERPAINTING_TRUSTED = 1.5
# The picture itself, dreamed from what many drew, costs newcomers more than blank ground and ink of their own.
OVER_PICTURE_NEW, OVER_PICTURE_KNOWN = 1.5, 1.0  # with less than NEW_HOURS; with more

# Who is trusted: may cover with others. Long enough that accounts made for one evening are not.
TRUSTED_HOURS, TRUSTED_DAYS = 12, 7  # clean hours, and days since joining; and no sanction in the last 30 days
TRUSTED_AFTER_DAYS = 30
COVER_QUORUM = 3  # trusted people who must ask for it
COVER_VOTES_MINUTES = 5  # within so long
COVER_MINUTES = 10  # how long it lasts, unless a moderator lifts it before or locks the region
COVER_SIDE = 512  # px, the largest side
COVER_VOTES_HOURLY = 6  # of one person
COVER_PAUSE_MINUTES = 30  # an area that a moderator has uncovered cannot be covered again for so long
