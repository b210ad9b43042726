"""The dashboard's frame: which pages there are. Nothing else happens here."""

from __future__ import annotations

import streamlit as st
from streamlit.errors import FragmentHandledException

from dashboard.components.history import history
from dashboard.failures import tell_failure
from dashboard.frame import MARK, astray, style
from dashboard.goto import go_by_name

st.set_page_config(page_title="Strata", page_icon=MARK, layout="wide")
pages = [
    st.Page("views/library.py", title="Library", icon=":material/collections_bookmark:", default=True),
    st.Page("views/open.py", title="Open a model", url_path="open", visibility="hidden"),
    st.Page("views/overview.py", title="Overview", url_path="overview", visibility="hidden"),
    st.Page("views/layer.py", title="Layer", url_path="layer", visibility="hidden"),
    st.Page("views/channel.py", title="Channel", url_path="channel", visibility="hidden"),
    st.Page("views/map.py", title="Map", url_path="map", visibility="hidden"),
    st.Page("views/image.py", title="Image", icon=":material/image_search:", url_path="image"),
    st.Page("views/dream.py", title="Dream", icon=":material/auto_awesome:", url_path="dream"),
    st.Page("views/compare.py", title="Compare", icon=":material/compare:", url_path="compare"),
    st.Page("views/jobs.py", title="Jobs", icon=":material/list_alt:", url_path="jobs"),
]
for name in astray({page.url_path for page in pages}):
    pages.append(st.Page("views/astray.py", title="Not found", url_path=name, visibility="hidden"))
page = st.navigation(pages, position="top")
style()
history()
try:
    go_by_name(page.url_path or "library")
    page.run()
except FragmentHandledException:
    raise  # the fragment has told of it where it stands
except Exception as error:
    tell_failure(error, page.url_path or "library")
