"""The executives' e-mail: the figures of the day, week or month that has just ended."""
