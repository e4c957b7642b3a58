"""Number fields and lists look one value of the session up, and see what Streamlit would have shown them."""

import inspect
from collections.abc import Iterator

import pytest
from streamlit.elements.widgets import number_input, selectbox
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.testing.v1 import AppTest

from pages.components.shell.session_lookup import SessionLookup, look_values_up
from tests.pages.opened import charts, opened


@pytest.fixture
def looked_up() -> Iterator[None]:
    before = SafeSessionState.filtered_state
    look_values_up()
    yield
    SafeSessionState.filtered_state = before  # type: ignore[method-assign]


def test_it_is_still_needed() -> None:
    """Where this fails, Streamlit does not put all values together any more: take session_lookup.py away."""
    for widget in (number_input, selectbox):
        assert "get_session_state().filtered_state" in inspect.getsource(widget)


def fields() -> None:
    import streamlit as st

    st.session_state.setdefault("empty", None)
    st.session_state.setdefault("full", 3)
    st.number_input("Empty", 0, 9, 5, key="empty")
    st.number_input("Full", 0, 9, 5, key="full")
    st.number_input("New", 0, 9, 5, key="new")
    st.selectbox("None", ["a", "b"], key="chosen")
    st.text(str(sorted(st.session_state.to_dict(), key=str)))


def test_fields_see_what_they_have_seen(looked_up: None) -> None:
    page = AppTest.from_function(fields).run()
    assert [field.value for field in page.number_input] == [None, 3, 5]
    page.number_input(key="full").set_value(7).run()
    assert [field.value for field in page.number_input] == [None, 7, 5]
    assert page.text[0].value == "['chosen', 'empty', 'full', 'new']"


def test_a_page_with_all_its_settings_is_drawn_without_putting_them_together(
    looked_up: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened("vanishing_gradients", steps="30")
    monkeypatch.setattr(SessionLookup, "_whole", lambda _: pytest.fail("all values were put together"))
    page.button(key="settings").click().run()
    assert not page.exception
    assert charts(page)
    assert len(page.number_input) > 30
