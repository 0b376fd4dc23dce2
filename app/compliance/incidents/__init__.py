"""Incidents (R9.2): recorded, remedied, reported in time, with the people whom they concern."""
