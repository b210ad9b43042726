"""Places where a library can lie: a folder, memory, an S3 server of moto's on this machine."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

PLACES = ("folder", "memory", "s3")


@contextmanager
def s3_server() -> Iterator[str]:
    """Runs moto's S3 server for this process and its children; gives the URL of an empty bucket."""
    import boto3
    import s3fs
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    try:
        with patch.dict(os.environ, {**credentials, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}):
            s3fs.S3FileSystem.clear_instance_cache()  # it would go on asking an earlier server
            bucket = f"strata-{uuid.uuid4().hex[:8]}"
            boto3.client("s3").create_bucket(Bucket=bucket)
            yield f"s3://{bucket}"
    finally:
        server.stop()
