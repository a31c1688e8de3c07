"""Importing a DAG's modules imports Airflow, which writes its settings somewhere."""

import os
import tempfile

# Before any test module is imported; runs have a home of their own.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-of-tests-")
