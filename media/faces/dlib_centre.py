"""Where the middle of all faces lies among dlib's descriptors.

dlib compares by distance. Cosines of its raw descriptors lie between 0.8 and 1 for everybody, and one
threshold does not serve two populations: at the one that keeps FMR 0.1 % on East Asian faces, 59 % of genuine
pairs of other faces fall below it. Seen from this middle, both populations share a threshold;
`docs/results/match.md` has the figures, measured on people who are not in the mean.

It is the mean of two means, 176 photographs of 34 East Asian and 951 of 605 other public figures.
"""

from __future__ import annotations

import numpy as np

# fmt: off
CENTRE = np.array([
    -0.0871, 0.0851, 0.0666, -0.0288, -0.0806, -0.0313, -0.0339, -0.1326, 0.1218, -0.0710, 0.2149,
    -0.0516, -0.2182, -0.0643, -0.0353, 0.1490, -0.1585, -0.1229, -0.0981, -0.0454, 0.0339, 0.0269,
    0.0385, 0.0057, -0.1072, -0.3179, -0.0826, -0.0782, 0.0551, -0.0601, -0.0159, 0.0494, -0.1817,
    -0.0718, 0.0484, 0.0743, -0.0330, -0.0673, 0.1980, -0.0006, -0.1944, 0.0250, 0.0609, 0.2361, 0.2128,
    0.0214, 0.0206, -0.0961, 0.1210, -0.2214, 0.0403, 0.1308, 0.1087, 0.0673, 0.0553, -0.1290, 0.0245,
    0.1261, -0.1624, 0.0357, 0.0918, -0.0878, -0.0289, -0.0394, 0.1666, 0.0744, -0.0957, -0.1581,
    0.1425, -0.1320, -0.0550, 0.0637, -0.1172, -0.1460, -0.2821, 0.0152, 0.3967, 0.0931, -0.1778,
    0.0283, -0.0607, -0.0073, 0.0722, 0.0713, -0.0447, -0.0257, -0.0909, 0.0016, 0.2020, -0.0448,
    -0.0285, 0.1989, -0.0072, 0.0259, 0.0404, 0.0478, -0.0896, 0.0128, -0.1219, -0.0204, 0.0380,
    -0.0637, 0.0127, 0.0979, -0.1643, 0.1449, -0.0175, 0.0157, 0.0202, -0.0237, -0.0721, -0.0189,
    0.1455, -0.2360, 0.1989, 0.1751, 0.0067, 0.1099, 0.0854, 0.0674, 0.0017, 0.0110, -0.1626, -0.0883,
    0.0440, -0.0162, 0.0410, 0.0237,
], dtype=np.float32)
# fmt: on
