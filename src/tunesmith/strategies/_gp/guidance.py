"""Whether earlier studies are to have a say in the next trial: as long as they foretell the latest ones better.

Compared are this study's process beside those of the earlier ones and alone, by how probable each of the latest trials is to
either that knows all others. The latest were chosen where either expects most, so that an earlier study that agrees on what is
bad, and not on what is best, is found out.
"""

import numpy as np

from tunesmith.strategies._gp.cube import Cube
from tunesmith.strategies._gp.earlier import Earlier
from tunesmith.strategies._gp.fitting import fitted
from tunesmith.strategies._gp.joint import Joint
from tunesmith.strategies._gp.kernel import features
from tunesmith.strategies._gp.observations import Observations

# With fewer trials of its own a study cannot tell how far to follow earlier ones, with a few more not whether it should.
LEAST, FEW = 2, 6
# So many of the latest trials are compared, and by so much they must be more probable: about seven times.
LATEST, LEAST_GAIN = 10, 2.0
# Studies that foretell worse are asked every fourth time, as long as there are few trials; beyond so many its own tell enough.
RARELY, MOST_RARELY, MOST = 4, 25, 100


def is_guided(cube: Cube, seen: Observations, earlier: tuple[Earlier, ...], issued: int, seed: int) -> bool:
    """Tell whether earlier studies have a say in the trial with the number `issued`."""
    if not earlier or not LEAST <= seen.finite <= MOST:
        return False
    if seen.finite < FEW:
        return issued % 2 == 0
    return gain(cube, seen, earlier, seed) > LEAST_GAIN or (seen.finite <= MOST_RARELY and issued % RARELY == 0)


def gain(cube: Cube, seen: Observations, earlier: tuple[Earlier, ...], seed: int) -> float:
    """Return by how much more, as a logarithm, the latest trials are probable beside the earlier studies than alone."""
    past = features(seen.units, cube.columns)
    ((alone, _),) = fitted(cube.columns, seen.units, seen.values, seed, (0.0,))
    ((beside, follows),) = fitted(cube.columns, seen.units, seen.values, seed, (0.0,), earlier)
    # Neither knows the level, or that alone would make a difference.
    own = Joint((), alone, np.zeros(0), past, seen.values).given.surprises()
    joint = Joint(earlier, beside, follows, past, seen.values).given.surprises()[-len(own) :]
    return float((own - joint)[-LATEST:].sum())
