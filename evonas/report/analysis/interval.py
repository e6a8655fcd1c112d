"""How exactly an accuracy is known."""

from __future__ import annotations

from evonas.arguments import require_integer


def wilson_interval(successes: int, total: int, level: float = 0.95) -> tuple[float, float]:
    """Confidence interval of a share, as of an accuracy on test examples, by Wilson's score (1927).

    It speaks of the draw of the examples alone: another seed of the training is not in it.

    Args:
        successes: right answers.
        total: examples.
        level: of confidence.

    Returns:
        Its ends, each from 0 to 1.

    Raises:
        ValueError: if the successes are not 0 to ``total``, ``total`` is not positive, or the level is not between 0
            and 1.
    """
    from scipy import stats

    require_integer("total", total)
    require_integer("successes", successes, least=0)
    if successes > total:
        raise ValueError(f"successes are a part of the total, got {successes} of {total}: count them in the same data")
    if not 0 < level < 1:
        raise ValueError(f"level is between 0 and 1, got {level}: 0.95 is 95 %")
    interval = stats.binomtest(int(successes), int(total)).proportion_ci(level, method="wilson")
    return float(interval.low), float(interval.high)
