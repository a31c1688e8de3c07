"""Alerts: what happened, who is told, and an outbox that loses nothing on the way.

`router` holds what DAGs and commands call: `raise_alert`, `resolve`, `deliver_due`.
"""
