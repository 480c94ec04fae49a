// @ts-check
/** The protocol's codes, as in canvas/wire.py; docs/protocol.md says what each means. A test holds them equal. */

/** Why the server ended the socket. */
export const CloseCode = Object.freeze({
    RESTARTING: 4012,
    MALFORMED: 4400,
    SIGNED_OUT: 4401,
    FORBIDDEN: 4403,
    NO_CANVAS: 4404,
    VERSION: 4406,
    BEHIND: 4408,
    ENDED: 4410,
    TOO_LARGE: 4413,
    TOO_FAST: 4429,
    UNAVAILABLE: 4503,
});

/** Why a piece of ink did not enter the journal. */
export const RejectReason = Object.freeze({
    SIGN_IN: 1,
    GAP: 2,
    DREAMED: 3,
    STALE: 4,
    BUDGET: 5,
    LOCKED: 6,
    SUSPENDED: 7,
    UNAVAILABLE: 8,
    ENDED: 9,
});

export const ALL_OF_IT = 0xffff; // ACK's `next` for an UNDO that the journal has already
