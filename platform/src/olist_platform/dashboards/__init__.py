"""Dashboards, made from the one description of each in `platform/dashboards/`."""
