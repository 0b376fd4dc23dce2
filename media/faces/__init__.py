"""Faces: landmarks, pose, recognition. The only door to mediapipe, insightface and dlib."""

from media.faces.face import Face, FaceFinder, FaceTracker, Pose, Recogniser, similarity
from media.faces.measures import eye_aspect_ratio, mouth_opening
from media.faces.opening import (
    open_beside_event_loop,
    open_finder,
    open_recogniser,
    open_tracker,
    tesselation,
)
from media.faces.pose import head_pose

__all__ = [
    "Face",
    "FaceFinder",
    "FaceTracker",
    "Pose",
    "Recogniser",
    "eye_aspect_ratio",
    "head_pose",
    "mouth_opening",
    "open_beside_event_loop",
    "open_finder",
    "open_recogniser",
    "open_tracker",
    "similarity",
    "tesselation",
]
