"""The tables of the store. Whoever changes one raises `SCHEMA_VERSION`: a store of another version is refused.

A new table is not a change of schema: it is added to a store that lacks it, and an earlier auditkit leaves it alone.
"""

from __future__ import annotations

import sqlalchemy as sa

SCHEMA_VERSION = 3

metadata = sa.MetaData()
meta = sa.Table("meta", metadata, sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text))
answers = sa.Table(
    "answers",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("finish_reason", sa.String(16), nullable=False),
    sa.Column("logprobs", sa.Text),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
)
embeddings = sa.Table(
    "embeddings",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("d", sa.Integer, nullable=False),
    sa.Column("dtype", sa.String(16), nullable=False),
    sa.Column("scale", sa.Double, nullable=False),
    sa.Column("blob", sa.LargeBinary, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
)
renders = sa.Table(
    "renders",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("ssim", sa.Float),
    sa.Column("psnr", sa.Float),
)
sources = sa.Table(
    "sources",
    metadata,
    sa.Column("content", sa.String(64), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
)
protocols = sa.Table(
    "protocols",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("first_seen", sa.String(32), nullable=False),
)
judged = sa.Table(
    "judged",
    metadata,
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("subject", sa.String(129), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("criteria", sa.Text, nullable=False),
    sa.Column("first_judged", sa.String(32), nullable=False),
)
manifests = sa.Table(
    "manifests",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False, index=True),
    sa.Column("images", sa.Text, nullable=False),
)
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("uid", sa.String(64), primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
)
