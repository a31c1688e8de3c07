"""The components that stand up an environment, one a file; `environment_stack` joins them."""
