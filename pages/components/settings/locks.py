"""Settings that a lecturer's link locks: they are seen, and not moved.

The parameter has their values, and wins over their own: `lock=depth:12,treated_activation:relu,seal:3f9a0c`.  Where
nearly all are locked it names the others: `lock=all,-treated_activation,depth:12`, at the lesson's start what it does
not name.  The seal is no secret, and who edits a link can do as he likes; but it shows that a lock was edited by hand,
and then all settings are locked at the lesson's start, and no goal counts.  That of the whole link is in
pages/components/shell/address.py.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import unquote

from engine.settings import OutOfRange
from pages.components.settings.control import Answer
from pages.components.shell.address import ALTERED, LOCK, SEAL, Address, digest, ignored, only

ALL, BUT = "all", "-"

Answers = Mapping[str, Answer]


class Lockable(Protocol):
    """What can be locked: a control, or what is read and written as one."""

    @property
    def name(self) -> str: ...

    @property
    def label(self) -> str: ...

    @property
    def default(self) -> Answer: ...

    def read(self, texts: Sequence[str]) -> Answer: ...

    def text(self, answer: Answer) -> str: ...


@dataclass(frozen=True)
class LockableText:
    """A text that can be locked, whatever is in it.  most: characters."""

    name: str
    label: str
    most: int
    default: str = ""

    def read(self, texts: Sequence[str]) -> str:
        if len(text := unquote(only(self.name, texts))) > self.most:
            raise OutOfRange(self.name, text, f"at most {self.most} characters")
        return text

    def text(self, answer: Answer) -> str:
        return str(answer).replace("%", "%25").replace(",", "%2C")  # a comma ends what is locked


def read_locks(
    texts: Sequence[str], widgets: Mapping[str, Lockable], start: Answers
) -> tuple[dict[str, Answer], Address]:
    """What each locked widget holds, by name, and sentences about what makes no sense.

    start: what the widgets hold at the lesson's start.  A setting whose value makes no sense is locked there.
    """
    if not texts:
        return {}, Address({}, {}, frozenset(), ())
    if altered(texts):
        why = "as it was made. The link was altered: all settings are locked at the page’s start, and no goal counts"
        sentences = () if texts[-1] == ALTERED else (ignored(LOCK, ",".join(texts), why),)
        return dict(start), Address({}, {LOCK: ALTERED}, frozenset(), sentences)
    _, rest = _entries(texts)
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


def altered(texts: Sequence[str]) -> bool:
    """Whether these texts of the parameter have a seal that is not theirs."""
    sealed, rest = _entries(texts)
    return bool(sealed) and sealed != [_seal(rest)]


def _entries(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Seals, and all else."""
    entries = [entry for text in texts for entry in text.split(",")]
    sealed = [entry for entry in entries if entry.partition(":")[0] == SEAL]
    return sealed, [entry for entry in entries if entry not in sealed]


def read_locked(control: Lockable, locked: Answer, texts: Sequence[str]) -> Answer:
    """The same as what is locked.  OutOfRange for anything else."""
    if control.read(texts) != locked:
        raise OutOfRange(control.name, texts[-1], f"{control.text(locked)}, at which this link locks it")
    return locked


def with_locks(found: Address, locks: Answers, widgets: Mapping[str, Lockable]) -> Address:
    """What the address says, with the locked settings at what they are locked at."""
    texts = {name: text for name, text in found.texts.items() if name not in locks}
    texts |= {name: widgets[name].text(answer) for name, answer in locks.items() if answer != widgets[name].default}
    return replace(found, values={**found.values, **locks}, texts=texts)


def locks_text(locks: Answers, widgets: Mapping[str, Lockable]) -> str:
    """The parameter that locks these widgets at what they hold."""
    free = [name for name in widgets if name not in locks]
    many = len(locks) > len(free)
    named = [name for name, answer in locks.items() if not many or answer != widgets[name].default]
    entries = [ALL, *(BUT + name for name in free)] if many else []
    entries += [f"{name}:{widgets[name].text(locks[name])}" for name in named]
    return ",".join([*entries, _seal(entries)])


def _seal(entries: Collection[str]) -> str:
    return f"{SEAL}:{digest(','.join(entries))}"
