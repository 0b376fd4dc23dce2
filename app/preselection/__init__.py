"""Preselection, from choosing a number to confirming what was read (R1, R3.1, R4.1)."""
