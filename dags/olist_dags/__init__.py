"""What the DAGs share: their environment, task defaults, and how Cosmos renders dbt."""
