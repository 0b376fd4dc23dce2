"""Every bound of a video check, in one place. Seconds unless the name says otherwise."""

from __future__ import annotations

SESSION_SECONDS = 180
CONNECT_SECONDS = 20
"""From the answer to frames and an open guidance channel."""
NO_FRAMES_SECONDS = 5
DOCUMENT_SECONDS = 45
SIM_SECONDS = 40

ANALYSED_PER_SECOND = 10
"""Frames looked at while the face is being followed; half of that while cards are shown."""
CARD_INTERVAL_MS = 300
"""Between two readings of a card; one costs some 100 ms of one core."""

MAX_EMBEDDINGS = 152
"""More than the longest check takes at the intervals below: whoever comes in late is sampled too."""
FIRST_EMBEDDINGS = 3
FIRST_EMBEDDING_INTERVAL_MS = 400
EMBEDDING_INTERVAL_MS = 1000
CARD_STAGE_EMBEDDING_INTERVAL_MS = 2000
LIVE_FACE_SHARE = 0.6
"""While cards are shown, a face is the person's from this share of its former size; a portrait is smaller."""

MAX_KEYFRAMES = 8
MAX_KEYFRAME_BYTES = 400_000

SAME_ICCID = 2
"""Frames that must give the same number before it counts."""

DARK_LEVEL = 45.0
"""Mean of a frame, 0..255, below which a face that is not found is put down to darkness."""

SETTLE_SECONDS = 30
"""At its end a session waits this long for its threads; the recogniser gives up after 20."""
LOST_THREADS = 16
"""Threads of a kind that do not come back and are replaced; from then on the process needs a restart."""
THREADS_CLOSING_SECONDS = 3
"""Looks and readings under way get this long to end when the process does."""
FINISH_SECONDS = 60
"""For the last embeddings and the clip."""

PROGRESS_STEP = 0.04
MAX_DELAYS = 2048
"""Guidance delays remembered for the report."""

FAREWELL_SECONDS = 1.0
"""The phone gets this long to take the result before the connection is closed."""
RECORDING_TRIES = 3
RECORDING_PAUSE_SECONDS = 2.0
"""A database that is away for a moment must not cost the evidence; the sweep comes after the last try."""
ENDING_SECONDS = 5
"""Who ends a session from outside waits this long for it to be recorded."""
CLOSING_SECONDS = 10
"""A desk that closes waits this long for its sessions to record how they ended."""
