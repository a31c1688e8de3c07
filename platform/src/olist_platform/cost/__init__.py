"""What running the platform costs: per model, DAG run, warehouse and day, and against its budget.

Credits (Snowflake) and the notional money of an embedded warehouse are never summed together.
"""
