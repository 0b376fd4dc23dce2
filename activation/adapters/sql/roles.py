"""Two roles on PostgreSQL: the owner, who migrates, and the application's, who cannot touch the audit trail.

Whoever takes the application over gets what its role may do: read and append entries, and no more. A hole in
the trail takes the owner's password, which the application does not have.
"""

from __future__ import annotations

import sqlalchemy as sa

from activation.adapters.sql.audit_guards import APPEND_ONLY

#: What DBOS keeps lies in a schema of its own, where the application makes and changes tables.
DURABLE = "dbos"
_AUDIT = (*APPEND_ONLY, "audit_heads")
_READ = (*_AUDIT, "alembic_version")
#: What a checkpoint writes; forging one takes the audit key as well.
_INSERTED = ("audit_checkpoints", "audit_checkpoint_heads")


class NoSuchRole(ValueError):
    """The role was not made yet."""


def grants(connection: sa.Connection, role: str) -> tuple[str, ...]:
    """Statements for the owner that give `role` what the application needs and take everything else.

    Run them again after each migration. Raises NoSuchRole.
    """
    found = connection.execute(
        sa.text("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = :role"), {"role": role}
    )
    if found.first() is None:
        raise NoSuchRole(f'there is no role {role}; CREATE ROLE "{role}" LOGIN PASSWORD …')
    quote = connection.dialect.identifier_preparer.quote_identifier
    database, schema = connection.execute(sa.text("SELECT current_database(), current_schema()")).one()
    tables = connection.scalars(
        sa.text("SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = :schema ORDER BY 1"),
        {"schema": schema},
    )
    own, read = list[str](), list[str]()
    for name in tables:
        (read if name in _READ else own).append(quote(name))
    app, home = quote(role), quote(schema)
    return (
        f"REVOKE CREATE ON SCHEMA {home} FROM PUBLIC, {app}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {home} FROM PUBLIC, {app}",
        f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {home} FROM PUBLIC, {app}",
        f"GRANT CONNECT ON DATABASE {quote(database)} TO {app}",
        f"GRANT USAGE ON SCHEMA {home} TO {app}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(own)} TO {app}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {home} TO {app}",
        f"GRANT SELECT ON {', '.join(read)} TO {app}",
        f"GRANT INSERT ON {', '.join(_INSERTED)} TO {app}",
        f"GRANT EXECUTE ON FUNCTION audit_append(jsonb) TO {app}",
        f"CREATE SCHEMA IF NOT EXISTS {DURABLE}",
        f"GRANT USAGE, CREATE ON SCHEMA {DURABLE} TO {app}",
        f"GRANT ALL ON ALL TABLES IN SCHEMA {DURABLE} TO {app}",
        f"GRANT ALL ON ALL SEQUENCES IN SCHEMA {DURABLE} TO {app}",
        f"GRANT ALL ON ALL FUNCTIONS IN SCHEMA {DURABLE} TO {app}",
    )


# Each row: whether the present role has a power over the trail, and its name.
_POWERS = sa.text(
    """
    SELECT rolsuper, 'is a superuser' FROM pg_catalog.pg_roles WHERE rolname = current_user
    UNION ALL
    SELECT rolcreaterole, 'may make roles' FROM pg_catalog.pg_roles WHERE rolname = current_user
    UNION ALL
    SELECT pg_has_role(current_user, oid, 'MEMBER'), 'is a member of ' || rolname
    FROM pg_catalog.pg_roles WHERE rolname IN ('pg_execute_server_program', 'pg_write_server_files')
    UNION ALL
    SELECT pg_has_role(current_user, nspowner, 'MEMBER'), 'owns the schema ' || nspname
    FROM pg_catalog.pg_namespace WHERE nspname = current_schema()
    UNION ALL
    SELECT has_schema_privilege(oid, 'CREATE'), 'may create in the schema ' || nspname
    FROM pg_catalog.pg_namespace WHERE nspname = current_schema()
    UNION ALL
    SELECT pg_has_role(current_user, relowner, 'MEMBER'), 'owns ' || relname
    FROM pg_catalog.pg_class
    WHERE relname = ANY(:tables) AND relnamespace = current_schema()::regnamespace
    UNION ALL
    SELECT has_table_privilege(oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER'), 'may change ' || relname
    FROM pg_catalog.pg_class
    WHERE relname = ANY(:tables) AND relnamespace = current_schema()::regnamespace
    UNION ALL
    SELECT has_table_privilege(oid, 'INSERT'), 'may insert into ' || relname
    FROM pg_catalog.pg_class
    WHERE relname IN ('audit_entries', 'audit_heads') AND relnamespace = current_schema()::regnamespace
    UNION ALL
    SELECT pg_has_role(current_user, proowner, 'MEMBER'), 'owns the function ' || proname
    FROM pg_catalog.pg_proc
    WHERE proname IN ('audit_append', 'audit_next', 'audit_head', 'audit_refuse')
        AND pronamespace = current_schema()::regnamespace
    """
)


def powers(connection: sa.Connection) -> tuple[str, ...]:
    """What the present role of a PostgreSQL database could do to the trail; none: as it should be."""
    found = connection.execute(_POWERS, {"tables": list(_AUDIT)})
    has = [what for may, what in found if may]
    if connection.dialect.server_version_info and connection.dialect.server_version_info >= (15,):
        replica = "SELECT has_parameter_privilege('session_replication_role', 'SET')"
        if connection.scalar(sa.text(replica)):
            has.append("may switch triggers off")
    return tuple(has)
