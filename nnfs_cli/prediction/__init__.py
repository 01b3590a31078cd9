"""Use a net: encode rows, evaluate, predict, and turn outputs into decisions and intervals.

Read `predictor` first, with `encoded_rows` and `decision`, then `batch_predict`, `threshold`, `calibration/` and
`background`.
"""
