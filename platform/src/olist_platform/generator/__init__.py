"""A deterministic generator of the nine Olist files, calibrated to the published data set.

It ships so that nobody needs the real files (their licence forbids shipping those) to run, test
or measure the platform. No row of the real data is in here: only aggregates, see `calibration`.
"""
