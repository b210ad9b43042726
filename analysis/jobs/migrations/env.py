"""Run by Alembic: migrations go over the connection that analysis.jobs.database holds."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
