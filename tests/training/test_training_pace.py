"""How much is done in a slice: until the first device is free, and never for long."""

import pytest

from evonas.training.pace import SLICE_SECONDS, Lane, Pace


def lane(left, cost=1.0, seconds=None):
    made = Lane(row=0, cost=cost, left=left)
    if seconds is not None:
        made.block_seconds = seconds
    return made


def test_before_anything_is_known_a_block_is_tried():
    assert Pace().blocks([lane(100), lane(7)]) == [1, 1]


def test_a_slice_ends_when_the_first_candidate_does():
    assert Pace().blocks([lane(4, seconds=0.5), lane(100, seconds=0.1)]) == [4, 20]


def test_a_slice_is_not_longer_than_is_waited_for_a_notice():
    assert Pace().blocks([lane(1000, seconds=0.1), lane(1000, seconds=SLICE_SECONDS * 2)]) == [50, 1]


def test_nobody_does_more_than_it_has_left_and_everybody_something():
    assert Pace().blocks([lane(2, seconds=1.0), lane(3, seconds=0.6), lane(9, seconds=8.0)]) == [2, 3, 1]
    assert Pace().blocks([lane(0, seconds=1.0)]) == [1]  # done, and only to be measured


def test_new_candidates_are_expected_on_the_line_of_time_over_cost():
    pace = Pace()
    for cost, seconds in ((10.0, 0.3), (20.0, 0.4), (40.0, 0.6)):
        pace.measured(lane(100, cost), 5 * seconds, 5)
    assert pace.blocks([lane(1000, cost=30.0)]) == [10]
    assert pace.blocks([lane(10, seconds=0.1), lane(1000, cost=80.0)]) == [10, 1]
    assert pace.blocks([lane(1000, cost=-1e6)]) == [round(SLICE_SECONDS / 0.15)], "not below half of the fastest"


def test_one_measurement_alone_is_expected_of_all():
    pace = Pace()
    first = lane(100, cost=10.0)
    pace.measured(first, 2.0, 4)
    assert first.block_seconds == pytest.approx(0.5)
    assert pace.blocks([lane(100, cost=99.0)]) == [10]
