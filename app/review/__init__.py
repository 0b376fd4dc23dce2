"""Reviewers' cases: what the gate found doubtful, looked at and decided by people, as one more fact."""
