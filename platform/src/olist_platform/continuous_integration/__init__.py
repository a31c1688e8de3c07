"""What workflows do besides what a person does; a person can run each part of it too."""
