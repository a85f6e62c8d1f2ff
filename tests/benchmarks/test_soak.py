"""A short soak: whatever breaks, no confirmed vote or answer is lost, and nobody is left without an answer."""

from benchmarks.hosting.soak import soak


async def test_a_class_at_work_gets_through_a_few_bad_moments(tmp_path, capsys):
    wrong = await soak(tmp_path, seconds=12.0, members=6, every_s=1.5, quiet_s=8.0, calm_s=3.0, pause_s=1.0)
    printed = capsys.readouterr().out
    assert wrong == [], printed
    assert "vote: confirmed" in printed
