"""Figures as steps show them."""

import math
from collections.abc import Mapping


def in_words(metrics: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())


def finite(figures: Mapping[str, float]) -> dict[str, float]:
    """Leave out NaN and infinities: Kubeflow fails the whole pipeline over one of them."""
    return {name: value for name, value in figures.items() if math.isfinite(value)}


def page(title: str, body: str) -> str:
    """Return a page of HTML."""
    head = f'<head><meta charset="utf-8"><title>{title}</title></head>'
    return f'<!doctype html>\n<html lang="en">{head}<body>\n{body}\n</body></html>\n'
