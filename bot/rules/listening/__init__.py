"""Statistics of listening experiments: how well people tell a human's clip from the model's, and how sure that is.

    judgements           one counted vote each; grouping them
    intervals            Wilson, quantiles
    detection            signal detection: d', criterion, balanced accuracy, human-call ratio
    resampling           bootstrap over voters and clips
    confidence_sequence  an interval that holds however often one looks
    verdict              three words from it, and about how many votes more they take
    planning             what a series is likely to show, before it starts
    confidence           Brier score, calibration and ROC of stated confidence
    summary              all of it together, for results, charts and exports

Nothing here knows Discord, the store or the clock; nothing but the standard library is loaded.
"""
