"""The landing: where extracts of the nine datasets lie before they are loaded."""
