"""The 1,797 handwritten digits of 8x8 pixels that come with scikit-learn: images without a download."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from tunesmith.data.sources._source import Places, RawImages, Source


@dataclass(frozen=True)
class Digits(Source):
    """`digits`: pixels from 0 to 16, ten classes."""

    takes: ClassVar[str] = "digits"
    is_file: ClassVar[bool] = False

    def handles(self, uri: str) -> bool:
        return uri == "digits"

    def read(self, path: Path) -> RawImages:
        from sklearn.datasets import load_digits

        pixels, labels = load_digits(return_X_y=True)
        images = pixels.reshape(-1, 8, 8, 1).astype(np.uint8)
        return RawImages(images, labels.astype(np.float64), Places("example", str))
