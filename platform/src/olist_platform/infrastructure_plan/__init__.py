"""What `pulumi up` would stand up, seen and judged without any cloud account."""
