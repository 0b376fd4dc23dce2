"""Every threshold of the liveness measures, with why it stands where it does.

Angles are degrees and ratios are shares, both relative to the person's own baseline unless said otherwise.
"""

from __future__ import annotations

# --- The script
MOVEMENTS_PER_SCRIPT = 3
"""At least; where a profile leaves little to choose from, one more is asked for."""
LEAST_ORDERS = 100
"""Orders that a profile has at least, so that a recording of another check hardly ever fits."""
WINDOW_MS = 8_000
"""Time for one movement from its prompt."""
POSITION_WINDOW_MS = 20_000
"""Time to bring the face into the oval."""
SHORTEST_PAUSE_MS = 300
PAUSE_STEP_MS = 100
PAUSE_STEPS = 10
"""Pauses run from 300 to 1200 ms."""

# --- Position: where the baseline is measured
HOLD_MS = 700
HOLD_FRAMES = 4
"""At least so many frames within the hold, also where few are analysed."""
SMALLEST_SIZE = 0.28
LARGEST_SIZE = 0.85
"""The face's diagonal over the frame's shorter side; above it nobody could come a quarter closer."""
OFF_CENTRE_X = 0.20
OFF_CENTRE_Y = 0.24
"""Furthest from the middle, as a share of the frame's width and height."""
STRAIGHT_YAW = 12.0
STRAIGHT_PITCH = 22.0
"""Absolute degrees. Phones are held low, so faces look 10 degrees up or down in them at rest."""
STILL_DEGREES = 7.0
"""How far yaw and pitch may spread within the hold."""

# --- Movements: done from here on
TURN_DONE = 16.0
NOD_DONE = 11.0
MOUTH_DONE = 0.15
CLOSER_DONE = 0.25
BLINK_DONE = 0.35
DONE_MS = 100
"""A movement other than a blink is held so long; one frame alone may be a mistake of the landmarks."""
BLINK_LONGEST_MS = 1_200
BLINK_OPEN = 0.20
"""Eyes count as open again when they are closed by less than this."""
BLINK_STEADY_PITCH = 9.0
"""Looking down also narrows the eyes, so a blink counts only while the head stays level."""
REST_YAW = 9.0
REST_PITCH = 8.0
REST_MOUTH = 0.10
"""Within these a person is back at rest, and the next movement may start."""
OTHER_FIRST = 0.5
"""Another movement counts as done instead while the wanted one has not come half-way."""
CLOSER_FROM = (0.8, 1.1)
"""Coming closer is measured from the size at the prompt, which may differ so much from the baseline."""

# --- Depth
DEPTH_ANGLE = 25.0
"""Frames foreshortened like a plane tilted so far tell a head from a picture."""
DEPTH_TURN_SHARE = 2.5
"""A head that turns or nods by 10 degrees tells as much: a flat picture never seems to turn so far."""
DEPTH_NEAR_MOST = 0.75
"""Frames rotated by less than this share of the most rotated one would only blur the measure."""
DEPTH_FRAMES = 12
"""The most rotated frames are kept and measured."""
DEPTH_LEAST_FRAMES = 2
"""One frame alone may be a mistake of the landmarks; a movement that is held gives two at ten a second."""
DEPTH_OFFERED = 32
"""Frames of the hold from which the frontal view is chosen."""

# --- Continuity
LOST_MS = 500
"""A face away for longer than a blink of the tracker is a break."""
JUMP = 0.6
"""A face that moves further from one sighting to the next, in its diagonals, was exchanged or cut. Sightings
further apart than LOST_MS are a break already, so a slow stream hides nothing."""
JUMP_SIZE = 1.4
SECOND_FACE_SHARE = 0.35
"""A second face counts from this share of the first one's size."""
EMBED_YAW = 20.0
EMBED_PITCH = 15.0
"""Only faces that look this straight are worth an embedding. Beyond TURN_DONE and NOD_DONE, so that whoever
does the movement is compared too and not only who rests between them. At 16 to 20 degrees a real person is
0.77 like themself looking ahead, by both measured recognisers, which is above what they accept."""
SHOWN_YAW = 28.0
SHOWN_PITCH = 20.0
"""A movement is done in a frame that looks at least this straight, and that frame is always embedded: whoever
does a movement cannot avoid being compared by doing it between two samples. Somebody who turns further gets
there on the way back."""

# --- Frozen and repeated pictures (levels of 0..255 on a 16 x 12 thumbnail)
STILL_LEVELS = 0.11
"""Through VP8 at 1.4 Mbit/s a frozen picture changes by 0.03 to 0.10 from frame to frame, because the codec
goes on refining it; a person who sits before a webcam by 0.14 or more in 99 of 100 frames."""
MOVING_LEVELS = 0.20
"""Below this, as in a tenth of the frames of a person at a webcam, neighbours are too alike to tell."""
LOOP_SHARE = 0.6
"""A frame repeats an old one when it is nearer to it than this share of the way to its own neighbour."""
LOOP_RUN = 6
"""So many frames in a row that follow the old ones step by step are a loop, not a coincidence."""
LOOP_DRIFT = 2
"""Frames by which the distance in time may change: the loop is analysed at other moments each time."""
LOOP_AGE = 10
"""Frames younger than this are neighbours."""
WATCHED_FRAMES = 3_000
"""Frames that are watched at most: three minutes at more than 16 a second."""
