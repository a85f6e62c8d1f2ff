"""The simulation behind docs/scaling.md agrees with queueing theory where theory has an answer."""

from statistics import mean

import pytest

from benchmarks.scaling import Crowd, Engine, Kind, all_at_once, busiest_hour, engines_for

ONE_SECOND = Engine("one second a job", (Kind("job", 1.0, 1.0, 0.0),), finishers=64, queue_length=10_000)


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_one_engine_waits_as_pollaczek_and_khinchine_say(load):
    """M/G/1: mean wait = rate E[S^2] / (2 (1 - load)); E[S^2] = 1 + 0.5^2 (Gross et al., Queueing Theory).

    Who goes first doesn't change the mean, as long as it doesn't depend on how long the job will take."""
    crowd = Crowd(members=10**6, jobs_a_day=load * 3600 / 10**6, busiest_hour=1.0)
    assert crowd.jobs_per_s == pytest.approx(load)
    waited = mean(mean(busiest_hour(ONE_SECOND, 1, crowd, seed).waits_s) for seed in range(10))
    assert waited == pytest.approx(load * 1.25 / (2 * (1 - load)), rel=0.2)


def test_a_class_that_presses_at_once_is_served_at_the_engines_pace():
    outcome = all_at_once(ONE_SECOND, 4, 200)
    assert outcome.quantile(1.0) == pytest.approx(200 / 4, rel=0.1)
    assert not outcome.refused


def test_a_full_queue_refuses():
    outcome = all_at_once(Engine("small", ONE_SECOND.kinds, finishers=1, queue_length=64), 1, 200)
    assert outcome.refused == 200 - 64 - 1


def test_a_lost_engine_loses_no_job():
    crowd = Crowd(members=1000, jobs_a_day=5.0, busiest_hour=0.5)
    calm = busiest_hour(ONE_SECOND, 2, crowd)
    hit = busiest_hour(ONE_SECOND, 2, crowd, lost=(600.0, 300.0))
    assert len(hit.waits_s) == len(calm.waits_s)
    assert hit.again <= 1
    assert hit.quantile(0.95) > calm.quantile(0.95)


def test_enough_engines_keep_the_promise():
    crowd = Crowd(members=20_000)
    engines = engines_for(ONE_SECOND, crowd)
    assert busiest_hour(ONE_SECOND, engines, crowd).quantile(0.95) < 10.0
    assert busiest_hour(ONE_SECOND, engines - 1, crowd).quantile(0.95) >= 10.0
