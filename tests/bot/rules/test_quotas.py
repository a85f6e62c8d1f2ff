"""A quota lets through what it promises, and no more, in every window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.quotas import Quota


@given(st.integers(1, 5), st.integers(1, 30), st.lists(st.integers(0, 20), max_size=60))
def test_no_window_ever_holds_more_than_the_limit(limit: int, window_s: int, gaps: list[int]) -> None:
    quota = Quota(limit, window_s)
    now, allowed = 0, []
    for gap in gaps:
        now += gap
        wait_s = quota.take("ann", now)
        if wait_s == 0:
            allowed.append(now)
        else:
            assert 0 < wait_s <= window_s
            assert quota.wait_s("ann", now + wait_s) == 0
        assert sum(now - window_s < at <= now for at in allowed) <= limit


def test_members_do_not_use_up_each_others_quota() -> None:
    quota = Quota(1, 60)
    assert quota.take("ann", 0) == 0
    assert quota.take("bob", 1) == 0
    assert quota.take("ann", 2) == 58


@pytest.mark.parametrize(("limit", "window_s"), [(0, 1), (1, 0)])
def test_an_impossible_quota_is_an_error(limit: int, window_s: float) -> None:
    with pytest.raises(ValueError, match="quota"):
        Quota(limit, window_s)
