"""The simulated fleet of the benchmark of scale, against cases worked out by hand."""

import itertools
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

from fleet.schedule import (
    Conditions,
    Outages,
    Process,
    asynchronous,
    fleet,
    fleet_that_fails_together,
    in_rounds,
    training_seconds,
)


def process(devices, *uptimes):
    return Process(devices, Outages(itertools.chain(uptimes, itertools.repeat(1e9)), 300.0))


def shares(usage):
    return {part: usage.share(part) for part in ("training", "waiting", "outages", "host")}


def test_a_round_lasts_as_long_as_its_slowest_training():
    usage = in_rounds([10.0, 40.0, 20.0, 20.0], [process(1), process(1)], 2, 60.0, 0.0)
    assert usage.makespan == 40 + 20
    assert shares(usage) == {"training": 90 / 120, "waiting": 30 / 120, "outages": 0, "host": 0}


def test_in_a_batch_a_device_takes_the_next_candidate_of_its_process_when_it_is_free():
    # One device does 40, the other 10 + 20 + 20 and waits for nobody; then 5 alone.
    usage = in_rounds([10.0, 40.0, 20.0, 20.0, 5.0], [process(2)], 4, 60.0, 0.0)
    assert usage.makespan == 50 + 5
    assert usage.waiting == 10 + 5


def test_in_a_batch_processes_do_not_help_each_other():
    usage = in_rounds([10.0, 40.0, 10.0, 40.0], [process(1), process(1)], 4, 60.0, 0.0)
    assert usage.makespan == 80
    assert usage.waiting == 60


def test_all_devices_wait_while_a_batch_is_asked_for_and_told():
    usage = in_rounds([10.0, 10.0, 10.0, 10.0], [process(2)], 2, 60.0, 0.5)
    assert usage.makespan == 2 * (10 + 2 * 0.5)
    assert usage.host == 2 * 2.0
    assert usage.waiting == 0


def test_asynchronous_devices_wait_for_nobody_until_nothing_is_left():
    usage, order = asynchronous([10.0, 40.0, 20.0, 20.0], [process(1), process(1)], 60.0, 0.0)
    assert usage.makespan == 50  # 10 + 20 + 20 beside 40
    assert order == [0, 2, 1, 3]
    assert usage.waiting == 10


def test_asynchronous_devices_queue_for_the_host():
    # Asked at 1 and 2, free at 11 and 12, told and asked at 12 and 13, free at 22 and 23, told at 23 and 24.
    usage, order = asynchronous([10.0] * 4, [process(2)], 60.0, 1.0)
    assert usage.makespan == 24
    assert order == [0, 1, 2, 3]
    assert usage.host == (1 + 2) + (1 + 1)
    assert usage.waiting == 48 - 40 - 5


def test_a_training_goes_on_from_its_last_checkpoint_when_its_process_is_back():
    assert process(1, 150.0).end(0.0, 200.0, 60.0) == 150 + 300 + (200 - 120)
    assert process(1, 30.0).end(0.0, 40.0, 60.0) == 30 + 300 + 40
    assert process(1, 150.0).end(0.0, 150.0, 60.0) == 150
    assert process(1, 150.0).end(200.0, 10.0, 60.0) == 450 + 10  # started while the process is gone


def test_a_training_survives_several_failures():
    # Up for 100, gone until 400, up for 50 of it, gone until 750: 60 and then 110 of 130 were done, 60 kept each time.
    assert process(1, 100.0, 50.0).end(0.0, 130.0, 60.0) == 750 + 70


def test_outage_and_repeated_training_are_no_waiting():
    usage = in_rounds([200.0], [process(1, 150.0)], 1, 60.0, 0.0)
    assert usage.outages == 300 + 30
    assert usage.waiting == 0


@pytest.mark.parametrize("make", [fleet, fleet_that_fails_together])
def test_a_fleet_has_all_devices_and_the_same_failures_each_time(make):
    first, again = make(Conditions(), 8), make(Conditions(), 8)
    assert [each.devices for each in first] == [4, 4]
    assert [each.outages.after(1e6) for each in first] == [each.outages.after(1e6) for each in again]
    alone = first[0].outages.after(0.0) != first[1].outages.after(0.0)
    assert alone == (make is fleet)


def test_outages_have_the_stated_share_of_time():
    conditions = Conditions(between_failures=1000.0, outage=250.0)
    usage = in_rounds([1.0] * 300_000, fleet(conditions, 1), 1, 1e9, 0.0)
    assert usage.makespan == pytest.approx(300_000 * 1.25, rel=0.05)


def test_trainings_have_the_stated_mean():
    conditions = Conditions(median=60.0, sigma=0.4, slow_share=0.01, slow_factor=4.0)
    assert sum(training_seconds(conditions, 100_000)) / 100_000 == pytest.approx(60 * 1.0833 * 1.03, rel=0.01)
