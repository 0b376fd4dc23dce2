"""Liveness: challenge scripts and what the received frames say about them. Measures, never decides."""
