"""The dashboard as an ASGI app: Streamlit's pages, and the routes that carry pictures.

Started by `strata serve`, or by hand with `STRATA_LIBRARY=… python dashboard/serve.py`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:  # `streamlit run` puts this file's own folder on the path, not the project
    sys.path.insert(0, str(HERE.parent))

import streamlit as st  # noqa: E402

from dashboard.failures import tell_failure  # noqa: E402
from dashboard.routes import ROUTES  # noqa: E402
from dashboard.warm import warmed  # noqa: E402

app = st.App(HERE / "app.py", routes=ROUTES, on_script_error=tell_failure, lifespan=warmed)


def main() -> None:
    """`python dashboard/serve.py --address 0.0.0.0 --port 8501`."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--address", default="localhost")
    options.add_argument("--port", type=int, default=8501)
    chosen = options.parse_args()
    app.run(config={"server.address": chosen.address, "server.port": chosen.port})


if __name__ == "__main__":
    main()
