"""Every threshold of the liveness measures, with why it stands where it does.

Angles are degrees relative to the person's own baseline; ratios are relative to the baseline too.
"""

from __future__ import annotations

# --- The script
MOVEMENTS_PER_SCRIPT = 3
WINDOW_MS = 8_000
"""Time for one movement from its prompt."""
POSITION_WINDOW_MS = 20_000
"""Time to bring the face into the oval."""
SHORTEST_PAUSE_MS = 300
PAUSE_STEP_MS = 100
PAUSE_STEPS = 10
"""Pauses run from 300 to 1200 ms."""
