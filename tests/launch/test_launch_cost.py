"""Chips, devices and dollars."""

import pytest

from evonas.launch import Accelerator, estimate


@pytest.mark.parametrize(
    ("kind", "chips", "devices"),
    [
        ("v2-8", 4, 8),
        ("v3-32", 16, 32),
        ("v4-8", 4, 4),
        ("v4-32", 16, 16),
        ("v5litepod-1", 1, 1),
        ("v5litepod-16", 16, 16),
        ("v5p-8", 4, 4),
        ("v6e-256", 256, 256),
    ],
)
def test_a_slices_name_counts_cores_or_chips(kind, chips, devices):
    assert (Accelerator(kind).chips, Accelerator(kind).devices) == (chips, devices)


@pytest.mark.parametrize("kind", ["v4-7", "v4-0", "v4-08", "v5e-8", "tpu", "V4-8", "v4-8 "])
def test_other_names_are_refused(kind):
    with pytest.raises(ValueError, match=kind):
        Accelerator(kind)


def test_a_cost_is_that_of_full_rounds_of_the_slice():
    cost = estimate(Accelerator("v4-32"), 1600, 16, 36, 2.0)
    assert cost.hours == pytest.approx(100 * 36 / 3600)
    assert cost.chip_hours == pytest.approx(16 * cost.hours)
    assert cost.dollars == pytest.approx(2 * cost.chip_hours)


@pytest.mark.parametrize(
    ("candidates", "batch_size", "rounds"),
    [(16, 16, 1), (17, 16, 2), (16, 8, 2), (40, 24, 3), (40, 32, 3), (1, 64, 1)],
)
def test_a_round_takes_as_long_for_few_candidates_as_for_many(candidates, batch_size, rounds):
    assert estimate(Accelerator("v4-32"), candidates, batch_size, 3600, 1.0).hours == rounds


@pytest.mark.parametrize("bad", [(0, 1, 1.0, 1.0), (1, 0, 1.0, 1.0), (1, 1, 0.0, 1.0), (1, 1, 1.0, float("nan"))])
def test_numbers_that_are_not_positive_are_refused(bad):
    with pytest.raises(ValueError, match="must be"):
        estimate(Accelerator("v4-8"), *bad)
