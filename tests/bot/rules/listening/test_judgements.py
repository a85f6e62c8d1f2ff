"""What single clips did to listeners."""

from __future__ import annotations

from bot.rules.listening.judgements import Design, Judgement, Reason, clip_results


def test_clips_are_ordered_by_whom_they_fooled_with_what_the_others_went_by():
    fooling = [Judgement(n, 1, 1, Design.PAIR, True, n == 0) for n in range(4)]
    telling = [
        Judgement(n, 2, 2, Design.PAIR, True, True, reasons=(Reason.TIMING,) if n else (Reason.NOTES, Reason.TIMING))
        for n in range(4)
    ]
    first, second = clip_results([*telling, *fooling])
    assert (first.trial, first.fooled, first.votes, first.reasons) == (1, 3, 4, ())
    assert (second.trial, second.share) == (2, 0.0)
    assert second.reasons == ((Reason.TIMING, 4), (Reason.NOTES, 1))
