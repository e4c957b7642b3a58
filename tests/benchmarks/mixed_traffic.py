"""Classes that do everything that there is to do, for minutes: what becomes of the memory of server and workers."""

import asyncio
import random
import time
from dataclasses import dataclass, field

from pages.components.settings.dragging import stops
from tests.benchmarks.visitor import Visitor, joined, resident_bytes
from tests.serving import Server

CLIENTS = 30
THINK = 2.0, 6.0  # s between two actions of a client
PAGES_A_VISIT = 6  # then it leaves, and comes again as somebody else
SWEEP_SECONDS = 12.0  # that a client watches a sweep
IDLE_SECONDS = 150.0  # Streamlit keeps the session of a visitor who left for two minutes
LESSONS = "vanishing_gradients", "exploding_gradients", "overfitting", "underfitting", "data_faults"
PARTS = "look", "why", "cure", "try", "more", "read"
PAGES = (*LESSONS, *LESSONS, "laboratory", "laboratory", "mystery_patient", "mystery_patient", "backpropagation", "")
ACTIVATIONS = "relu", "sigmoid", "tanh", "gelu", "selu"
INITIALIZERS = "he_normal", "xavier_normal", "orthogonal", "small_normal", "standard_normal"
SAMPLES = "iris", "wine", "diabetes", "moons", "sine"
STEPS = 100, 200, 300, 400
LEVELS = "easy", "medium", "hard"
MOVED = "gain", "learning_rate", "clip_threshold", "l1", "l2", "dropout", "label_noise"  # which make no run longer


@dataclass
class Traffic:
    """What happened: bytes of server and of all workers by minute, and after a rest; answers; errors."""

    minutes: list[tuple[int, int]] = field(default_factory=list)
    idle: tuple[int, int] = (0, 0)
    answers: int = 0
    errors: list[str] = field(default_factory=list)


def mixed_traffic(server: Server, minutes: int) -> Traffic:
    return asyncio.run(_traffic(server, minutes))


async def _traffic(server: Server, minutes: int) -> Traffic:
    traffic, end = Traffic(), time.monotonic() + 60 * minutes
    clients = [asyncio.create_task(_client(server, number, end, traffic)) for number in range(CLIENTS)]
    while time.monotonic() < end:
        await asyncio.sleep(60)
        traffic.minutes.append(_memory(server))
        print(f"{len(traffic.minutes)} min: {_written(traffic.minutes[-1])}, {traffic.answers} answers", flush=True)
    await asyncio.gather(*clients)
    await asyncio.sleep(IDLE_SECONDS)
    traffic.idle = _memory(server)
    print(f"idle: {_written(traffic.idle)}", flush=True)
    return traffic


def _memory(server: Server) -> tuple[int, int]:
    first, *workers = resident_bytes(server)
    return first, sum(workers)


def _written(memory: tuple[int, int]) -> str:
    return f"server {memory[0] / 1e6:.0f} + workers {memory[1] / 1e6:.0f} = {sum(memory) / 1e6:.0f} MB"


async def _client(server: Server, number: int, end: float, traffic: Traffic) -> None:
    draw = random.Random(number)
    await asyncio.sleep(draw.uniform(0, THINK[1]))
    while time.monotonic() < end:
        try:
            async with joined(server) as socket:
                visitor = Visitor(socket, server)
                for _ in range(PAGES_A_VISIT):
                    if time.monotonic() < end:
                        await _visit(visitor, draw, traffic)
        except Exception as problem:
            traffic.errors.append(repr(problem))


async def _visit(visitor: Visitor, draw: random.Random, traffic: Traffic) -> None:
    page = draw.choice(PAGES)

    async def did(answer) -> None:
        done = await answer
        traffic.answers += 1
        traffic.errors += done.errors
        await visitor.stay(draw.uniform(*THINK))

    await did(visitor.open(page, **_address(page, draw)))
    for key in visitor.keys("button", "start_") + visitor.keys("button", "try_cures"):
        if draw.random() < 0.4:
            await did(visitor.press(key))
            await visitor.stay(SWEEP_SECONDS)
    if page in LESSONS:
        if draw.random() < 0.3:
            await did(visitor.press("settings"))
        for _ in range(3):
            fields = [key for key in visitor.keys("number_input") if key.removeprefix("treated_") in MOVED]
            key = draw.choice(fields or ["steps"])
            values = stops(key.removeprefix("treated_")) if fields else STEPS
            await did(visitor.set_number(key, draw.choice(values)))
    elif page == "mystery_patient":
        for key in draw.sample(looks := visitor.keys("button", "look_"), min(3, len(looks))):
            await did(visitor.press(key))
        await _commit(visitor, draw, did)


async def _commit(visitor: Visitor, draw: random.Random, did) -> None:
    """To a diagnosis and a prescription."""
    for kind, start in (("radio", "diagnosis_"), ("selectbox", "prescription_")):
        for key in visitor.keys(kind, start):
            options = visitor.options[visitor.widgets[f"{kind} {key}"]]
            await did(visitor.choose(kind, key, draw.randrange(len(options))))
    if visitor.keys("button", "commit"):
        await did(visitor.press("commit"))


def _address(page: str, draw: random.Random) -> dict[str, str]:
    seed = {"seed": f"{draw.randrange(1000)}"}
    if page == "mystery_patient":
        return seed | {"level": draw.choice(LEVELS)}
    if page == "laboratory":
        return seed | {"sample": draw.choice(SAMPLES), "depth": f"{draw.randint(1, 8)}", "steps": "300"}
    if page in LESSONS:
        return seed | {
            "part": draw.choice(PARTS),
            "activation": draw.choice(ACTIVATIONS),
            "depth": f"{draw.randint(2, 20)}",
            "treated_activation": draw.choice(ACTIVATIONS),
            "treated_initializer": draw.choice(INITIALIZERS),
        }
    return {}
