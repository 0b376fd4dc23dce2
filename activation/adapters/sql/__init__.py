"""Storage of the activation room: SQLAlchemy on SQLite or PostgreSQL."""
