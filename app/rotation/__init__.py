"""Rotation of keys: what hangs on a former key is put under the current one, beside running servers."""
