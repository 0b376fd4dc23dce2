"""What the database itself refuses to do to the audit trail: change, remove, or append what does not follow.

On PostgreSQL only the tables' owner could take these guards away, and the application need not be the
owner (`python -m app database roles`): it appends through `audit_append`, which runs as the owner. On
SQLite whoever can write the file can take them away; there checkpoints alone are the proof.

Revision 0002 makes what stands here: a change is a new revision.
"""

from __future__ import annotations

import sqlalchemy as sa

from activation.adapters.sql.audit_chain import START

APPEND_ONLY = ("audit_entries", "audit_checkpoints", "audit_checkpoint_heads")
_REFUSED = "the audit trail is append-only"
_NO_LINK = "not the next entry of its chain"


def guards(connection: sa.Connection) -> tuple[str, ...]:
    """Statements that make the guards, without parameters. Making them again changes nothing."""
    if connection.dialect.name == "sqlite":
        return _SQLITE
    schema = connection.scalar(sa.text("SELECT current_schema()"))
    quoted = connection.dialect.identifier_preparer.quote_identifier(str(schema))
    words = {"@schema@": quoted, "@start@": START, "@refused@": _REFUSED, "@no_link@": _NO_LINK}
    return tuple(_filled(statement, words) for statement in _POSTGRESQL)


def no_guards(connection: sa.Connection) -> tuple[str, ...]:
    """Statements that take away what does not go with its table."""
    if connection.dialect.name == "sqlite":
        return ()
    functions = ("audit_append(jsonb)", "audit_next()", "audit_head()", "audit_refuse()")
    return tuple(f"DROP FUNCTION IF EXISTS {name} CASCADE" for name in functions)


def _filled(statement: str, words: dict[str, str]) -> str:
    for word, meant in words.items():
        statement = statement.replace(word, meant)
    return statement


def _sqlite_trigger(name: str, when: str, body: str, condition: str = "") -> str:
    return f"CREATE TRIGGER IF NOT EXISTS {name} {when} {condition} BEGIN {body}; END"


def _sqlite_refusal(message: str) -> str:
    return f"SELECT RAISE(ABORT, '{message}')"


_LAST = "SELECT {} FROM audit_heads WHERE chain = NEW.chain"
_STANDS = "EXISTS (SELECT 1 FROM audit_entries WHERE chain = NEW.chain AND seq = NEW.seq AND hash = NEW.hash)"
_SQLITE = (
    *(
        _sqlite_trigger(f"{table}_{action.lower()}", f"BEFORE {action} ON {table}", _sqlite_refusal(_REFUSED))
        for table in APPEND_ONLY
        for action in ("UPDATE", "DELETE")
    ),
    # `kaika_link` is a function that the application's connections have; others cannot insert.
    _sqlite_trigger(
        "audit_entries_next",
        "BEFORE INSERT ON audit_entries",
        _sqlite_refusal(_NO_LINK),
        f"WHEN NEW.seq IS NOT coalesce(({_LAST.format('seq')}), 0) + 1 OR NEW.hash IS NOT kaika_link("
        f"coalesce(({_LAST.format('hash')}), '{START}'), NEW.chain, NEW.seq, NEW.content)",
    ),
    _sqlite_trigger(
        "audit_entries_head",
        "AFTER INSERT ON audit_entries",
        "INSERT INTO audit_heads (chain, seq, hash) VALUES (NEW.chain, NEW.seq, NEW.hash) "
        "ON CONFLICT (chain) DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
    ),
    _sqlite_trigger(
        "audit_heads_insert",
        "BEFORE INSERT ON audit_heads",
        _sqlite_refusal(_NO_LINK),
        f"WHEN NOT {_STANDS}",
    ),
    _sqlite_trigger(
        "audit_heads_update",
        "BEFORE UPDATE ON audit_heads",
        _sqlite_refusal(_NO_LINK),
        f"WHEN NEW.chain IS NOT OLD.chain OR NEW.seq IS NOT OLD.seq + 1 OR NOT {_STANDS}",
    ),
    _sqlite_trigger("audit_heads_delete", "BEFORE DELETE ON audit_heads", _sqlite_refusal(_REFUSED)),
)

_REFUSE = """
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '@refused@' USING ERRCODE = 'restrict_violation'; END $$
"""
# Takes the chain's lock, which its other writers wait for, and lets nothing in but the next link. Who
# names neither seq nor hash (audit_append) gets them here.
_NEXT = """
CREATE OR REPLACE FUNCTION audit_next() RETURNS trigger
LANGUAGE plpgsql SET search_path = @schema@, pg_temp AS $$
DECLARE
    last_seq integer;
    last_hash text;
    linked text;
BEGIN
    SELECT seq, hash INTO last_seq, last_hash FROM audit_heads WHERE chain = NEW.chain FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO audit_heads (chain, seq, hash) VALUES (NEW.chain, 0, '@start@')
            ON CONFLICT (chain) DO NOTHING;
        SELECT seq, hash INTO last_seq, last_hash FROM audit_heads WHERE chain = NEW.chain FOR UPDATE;
    END IF;
    linked := encode(sha256(convert_to(
        last_hash || E'\\n' || NEW.chain || E'\\n' || (last_seq + 1)::text || E'\\n' || NEW.content, 'UTF8'
    )), 'hex');
    NEW.seq := coalesce(NEW.seq, last_seq + 1);
    NEW.hash := coalesce(NEW.hash, linked);
    IF NEW.seq <> last_seq + 1 OR NEW.hash <> linked THEN
        RAISE EXCEPTION '@no_link@' USING ERRCODE = 'restrict_violation';
    END IF;
    UPDATE audit_heads SET seq = NEW.seq, hash = NEW.hash WHERE chain = NEW.chain;
    RETURN NEW;
END $$
"""
_HEAD = """
CREATE OR REPLACE FUNCTION audit_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION '@no_link@' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
_APPEND = """
CREATE OR REPLACE FUNCTION audit_append(entries jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = @schema@, pg_temp AS $$
BEGIN
    INSERT INTO audit_entries (chain, at, actor, event, content)
    SELECT chain, at, actor, event, content FROM jsonb_to_recordset(entries)
        AS entry (chain text, at timestamptz, actor text, event text, content text);
END $$
"""
_POSTGRESQL = (
    _REFUSE,
    _NEXT,
    _HEAD,
    _APPEND,
    "REVOKE ALL ON FUNCTION audit_append(jsonb) FROM PUBLIC",
    *(
        f"CREATE OR REPLACE TRIGGER {table}_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
        for table in APPEND_ONLY
    ),
    "CREATE OR REPLACE TRIGGER audit_entries_next BEFORE INSERT ON audit_entries "
    "FOR EACH ROW EXECUTE FUNCTION audit_next()",
    "CREATE OR REPLACE TRIGGER audit_heads_refuse BEFORE DELETE OR TRUNCATE ON audit_heads "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_heads_link BEFORE INSERT OR UPDATE ON audit_heads "
    "FOR EACH ROW EXECUTE FUNCTION audit_head()",
)
