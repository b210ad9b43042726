"""Who asked for a job, which engine has it, and what it wants, so that the same is not filed twice."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("asked_by", sa.String(), nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("engine", sa.String(255)))
    op.add_column("jobs", sa.Column("wanted", sa.String(64)))
    op.create_index("ix_jobs_wanted", "jobs", ["wanted"], unique=True)
