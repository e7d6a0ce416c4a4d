"""How long a promise runs, and everything that follows from it.

A holder counts its hold from before it asked, a voter its promise from when it was
asked, so the hold ends first even if the holder's clock runs slower than the voter's by
(PROMISE_S - HOLD_S) / HOLD_S, a ninth; quartz is a thousand times better.

A holder that dies just after it renewed is replaced within
PROMISE_S + STAGGER_S + JITTER_S and one round; see docs/takeover.md.
"""

from __future__ import annotations

#: Seconds for which a voter promises a seat to nobody else.
PROMISE_S = 2.0
#: Seconds from asking on for which a holder acts on the promises it got.
HOLD_S = 1.8
#: Seconds between two renewals, and until a round without a majority is given up.
RENEW_S, ROUND_S = PROMISE_S / 3, 0.5
#: Seconds that a candidate leaves to each one before it, and the most it adds by lot.
STAGGER_S, JITTER_S = 0.3, 0.15
#: Seconds between two claims of a preferred device, and between two of one row.
CLAIM_S, CLAIM_GAP_S = 0.5, 1.6
#: Seconds for which a preferred device claims a seat before it is handed over.
STABLE_S = 2.0
#: Seconds for which a seat that was handed over is kept for its heir.
HEIR_S = 1.0
#: Seconds for which who gave a seat away does not claim it back.
YIELD_S = 3600.0
#: Seconds without a majority until a device acts alone that has not just held.
ALONE_AFTER_S = 3.0
#: Seconds between two looks where nothing is to be awaited.
IDLE_S = 0.5
