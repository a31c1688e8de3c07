"""Monitoring: hourly checks of what the platform left behind, their history, and their alerts.

`hourly.run_checks` is what the DAG and `olist monitor` call; the checks themselves are pure
functions over rows, one theme a file.
"""
