"""What comes before an environment's first deployment, and what rotates its key pairs."""
