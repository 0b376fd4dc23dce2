"""Media: what images and video show, measured and reported with numbers. Never decides on an activation."""

import os

# ONNX Runtime reports models and machine to its maker unless this is set before it is first loaded, in every
# process. Set for the C library alone, which reads it: it is no setting of ours.
os.putenv("ORT_DISABLE_TELEMETRY", "1")
