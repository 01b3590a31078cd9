"""Use a trained net: encode rows, predict, and turn the outputs into answers.

Read `predictor` first, then `batch_predict`, `threshold` and `calibration`.
"""
