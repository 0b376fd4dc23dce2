"""Holds (R9.3): placed and lifted by operators, seen by every process, shown to have been obeyed."""
