"""Jobs, and the layers people look at. Databases from before there were migrations have some of it already."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    there = sa.inspect(op.get_bind()).get_table_names()
    if "jobs" not in there:
        op.create_table(
            "jobs",
            sa.Column("id", sa.String(32), primary_key=True),
            sa.Column("kind", sa.String(16), nullable=False),
            sa.Column("request", sa.JSON(), nullable=False),
            sa.Column("state", sa.String(16), nullable=False),
            sa.Column("done", sa.Integer(), nullable=False),
            sa.Column("total", sa.Integer(), nullable=False),
            sa.Column("note", sa.String(), nullable=False),
            sa.Column("progress", sa.JSON(), nullable=False),
            sa.Column("error", sa.String()),
            sa.Column("result", sa.JSON(), nullable=False),
            sa.Column("created", sa.String(40), nullable=False),
            sa.Column("started", sa.String(40)),
            sa.Column("finished", sa.String(40)),
            sa.Column("heartbeat", sa.String(40)),
            sa.Column("cancel", sa.Boolean(), nullable=False),
        )
        op.create_index("ix_jobs_state", "jobs", ["state"])
        op.create_index("ix_jobs_created", "jobs", ["created"])
    if "looks" not in there:
        op.create_table(
            "looks",
            sa.Column("number", sa.Integer(), primary_key=True, autoincrement=True),
            sa.Column("atlas", sa.String(255), nullable=False),
            sa.Column("layer", sa.String(1024), nullable=False),
        )
        op.create_index("ix_looks_atlas", "looks", ["atlas"])
