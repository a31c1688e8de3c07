"""Predictions: models fitted on the warehouse's own data, judged on what they have not seen.

Parameters are rows (`parameter_store`); dbt scores people from the newest accepted ones. Why and
how: platform/docs/decisions/fitted-predictions.md.
"""
