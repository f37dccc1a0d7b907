"""Whether earlier studies are to have a say in the next trial: as long as they foretell the latest ones better.

Compared are this study's process beside those of the earlier ones and alone, by how probable each of the latest trials is to
either that knows all others. The latest were chosen where either expects most, so that an earlier study that agrees on what is
bad, and not on what is best, is found out.
"""

import numpy as np

from tunesmith.strategies._gp.cube import Cube
from tunesmith.strategies._gp.earlier import Earlier, processes
from tunesmith.strategies._gp.fitting import fitted
from tunesmith.strategies._gp.joint import Joint
from tunesmith.strategies._gp.kernel import features
from tunesmith.strategies._gp.observations import Observations
from tunesmith.study import StudyView

# With fewer trials of its own a study cannot tell how far to follow earlier ones, with a few more not whether it should.
LEAST, FEW = 2, 6
# So many of the latest trials are compared, and by so much they must be more probable: about seven times.
LATEST, LEAST_GAIN = 10, 2.0
# Studies that foretell worse are asked every fourth time, as long as there are few trials; beyond so many its own tell enough.
RARELY, MOST_RARELY, MOST = 4, 25, 100


def guides(study: StudyView, cube: Cube, seen: Observations) -> tuple[Earlier, ...]:
    """Return the earlier studies that have a say in the next trial: all of them, or none."""
    if not LEAST <= seen.finite <= MOST:
        return ()
    earlier = tuple(process for _, process in processes(study, cube))
    return earlier if earlier and _is_guided(cube, seen, earlier, study) else ()


def _is_guided(cube: Cube, seen: Observations, earlier: tuple[Earlier, ...], study: StudyView) -> bool:
    if seen.finite < FEW:
        return study.issued % 2 == 0
    rarely = seen.finite <= MOST_RARELY and study.issued % RARELY == 0
    return rarely or gain(cube, seen, earlier, study.seed) > LEAST_GAIN


def gain(cube: Cube, seen: Observations, earlier: tuple[Earlier, ...], seed: int) -> float:
    """Return by how much more, as a logarithm, the latest trials are probable beside the earlier studies than alone."""
    past = features(seen.units, cube.columns)
    ((alone, _),) = fitted(cube.columns, seen.units, seen.values, seed, (0.0,))
    ((beside, follows),) = fitted(cube.columns, seen.units, seen.values, seed, (0.0,), earlier)
    # Neither knows the level, or that alone would make a difference.
    own = Joint((), alone, np.zeros(0), past, seen.values).given.surprises()
    joint = Joint(earlier, beside, follows, past, seen.values).given.surprises()[-len(own) :]
    return float((own - joint)[-LATEST:].sum())
