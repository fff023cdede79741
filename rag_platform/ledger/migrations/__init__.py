"""Schema migrations: alembic, run from code so that nobody needs an ini file."""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from rag_platform.errors import LedgerUnavailable
from rag_platform.ledger.database import Ledger

if TYPE_CHECKING:
    from alembic.config import Config

# One migration at a time on PostgreSQL, whoever starts it; any constant will do.
_ADVISORY_LOCK = 7_245_001


def migrate(ledger: Ledger) -> str:
    """Bring the schema to the newest revision, in one transaction, and return the revision.

    Raises :class:`LedgerUnavailable` where the schema is from a newer version of the platform.
    """
    # Imported here: only the start migrates, and every other process would pay for the import.
    from alembic import command
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = _config()
    script = ScriptDirectory.from_config(config)
    with ledger.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in {
            item.revision for item in script.walk_revisions()
        }:
            raise LedgerUnavailable(
                f"The ledger's schema ({current}) is newer than this version of the platform.",
                "Update the platform, or restore the ledger from before the update.",
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return str(script.get_current_head())


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
