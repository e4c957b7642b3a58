"""Settings that a lecturer's link locks: they are seen, and not moved.

The parameter has their values, and wins over their own: `lock=depth:12,treated_activation:relu,seal:3f9a0c`.  Where
nearly all are locked it names the others: `lock=all,-treated_activation,depth:12`, at the lesson's start what it does
not name.  The seal is no secret, and who edits a link can do as he likes; but it shows that a link was edited by hand,
and then all settings are locked at the lesson's start.
"""

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256

from engine.settings import OutOfRange
from pages.components.settings.control import Answer, Control
from pages.components.shell.address import LOCK, Address, ignored

ALL, BUT, SEAL = "all", "-", "seal"
SEAL_CHARACTERS = 6

Answers = Mapping[str, Answer]


def read_locks(
    texts: Sequence[str], widgets: Mapping[str, Control], start: Answers
) -> tuple[dict[str, Answer], Address]:
    """What each locked widget holds, by name, and what is said about what makes no sense.

    start: what the widgets hold at the lesson's start.  A setting whose value makes no sense is locked there.
    """
    if not texts:
        return {}, Address({}, {}, frozenset(), ())
    entries = [entry for text in texts for entry in text.split(",")]
    sealed = [entry for entry in entries if entry.partition(":")[0] == SEAL]
    rest = [entry for entry in entries if entry not in sealed]
    if sealed and sealed != [_seal(rest)]:
        sentence = ignored(LOCK, ",".join(entries), "as it was made. The link was changed; all is locked at the start")
        return dict(start), Address({}, {LOCK: ALL}, frozenset(), (sentence,))
    locks: dict[str, Answer] = dict(start) if ALL in rest else {}
    problems = []
    for entry in rest:
        name, _, value = entry.partition(":")
        free = name.removeprefix(BUT)
        if entry == ALL:
            continue
        if free not in widgets:
            problems.append(ignored(LOCK, entry, "a setting of this page"))
        elif free != name:
            locks.pop(name.removeprefix(BUT), None)
        else:
            locks[name] = start[name]
            try:
                locks[name] = widgets[name].read([value]) if value else start[name]
            except OutOfRange as problem:
                problems.append(ignored(LOCK, entry, f"{problem.allowed}. It is locked at the start"))
    return locks, Address({}, {LOCK: locks_text(locks, widgets)} if locks else {}, frozenset(), tuple(problems))


def locks_text(locks: Answers, widgets: Mapping[str, Control]) -> str:
    """The parameter that locks these widgets at what they hold."""
    free = [name for name in widgets if name not in locks]
    many = len(locks) > len(free)
    named = [name for name, answer in locks.items() if not many or answer != widgets[name].default]
    entries = [ALL, *(BUT + name for name in free)] if many else []
    entries += [f"{name}:{widgets[name].text(locks[name])}" for name in named]
    return ",".join([*entries, _seal(entries)])


def _seal(entries: Collection[str]) -> str:
    return f"{SEAL}:{sha256(','.join(entries).encode()).hexdigest()[:SEAL_CHARACTERS]}"
