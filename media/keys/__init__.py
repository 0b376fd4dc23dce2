"""Orders' keys: a key store that keeps them, wrapped, and a key service that wraps them (R8.2, R9.1)."""
