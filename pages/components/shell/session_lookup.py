"""One value of a session looked up, where Streamlit puts all of them together for every number field and every list.

They ask `filtered_state` whether their key has None; with "more settings" open that took two fifths of a page's time.
tests/pages/test_session_lookup.py says when Streamlit does not need this any more.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from streamlit.runtime.state.safe_session_state import SafeSessionState

_whole_state = SafeSessionState.filtered_state


class SessionLookup(Mapping[str, Any]):
    """The same values by the same keys; who goes through them gets them as Streamlit puts them together."""

    def __init__(self, state: SafeSessionState):
        self._state = state

    def __getitem__(self, key: str) -> Any:
        return self._state[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole())

    def __len__(self) -> int:
        return len(self._whole())

    def __str__(self) -> str:
        return str(self._whole())

    def _whole(self) -> dict[str, Any]:
        return _whole_state.__get__(self._state)


def look_values_up() -> None:
    """From now on, in all sessions of the server."""
    SafeSessionState.filtered_state = property(SessionLookup)  # type: ignore[method-assign, assignment]
