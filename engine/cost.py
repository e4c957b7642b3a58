"""What a run costs, estimated before any work, and what is too much.

The constants were fitted to measured runs on one core of a 2-core server (NumPy 2.4, OpenBLAS on one thread); they need
only be right to a factor of three.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.settings import OutOfRange

if TYPE_CHECKING:
    from engine.experiment import Experiment

MAX_SECONDS = 5.0  # of one core, a run
MAX_BYTES = 16e6  # of history, a run
STACK_BYTES = 200e6  # of histories, a stack
LARGEST_STACK = 64  # beyond, a stack gains no more speed
CACHED = 50_000  # activations of a layer, over the stack, that stay in a core's cache; beyond, a stack loses speed

OPERATIONS_PER_SECOND = 40e9  # multiplications and additions in matrix products
CALL_SECONDS = 1.3e-6  # overhead of one NumPy call
CALLS_PER_LAYER, CALLS_PER_STEP = 14, 40
VALUE_SECONDS = 10e-9  # activation, slope and measures of one hidden value
N_EVALUATED = 300  # examples evaluated beside the training set
N_GRID = 1024
MIN_FRAMES = 3  # first, best, last


@dataclass(frozen=True)
class Cost:
    """operations: floating-point operations of a run's matrix products; seconds on one core; bytes of history."""

    operations: float
    seconds: float
    bytes: float


def n_evaluations(steps: int) -> int:
    """Evaluations at 0, E, 2E, ..., the last step with E = max(1, steps // 100)."""
    return -(-steps // max(1, steps // 100)) + 1


def n_parameters(experiment: "Experiment", n_in: int, n_out: int) -> int:
    """Parameters of one network, running statistics included."""
    width, depth = experiment.width, experiment.depth
    weights = n_in * width + (depth - 1) * width**2 + width * n_out
    normalised = {"none": 0, "layer": 2, "batch": 4}[experiment.normalization]
    return weights + depth * width + n_out + normalised * depth * width


def _bytes(experiment: "Experiment", n_in: int, n_out: int) -> tuple[float, float]:
    """Bytes of all rows together, and of one frame without its parameters."""
    layers = experiment.depth + 1
    rows = 8 * min(experiment.steps, 2000) * (6 * layers + 8)
    evaluations = 8 * n_evaluations(experiment.steps) * (5 * layers + 6)
    frame = 4 * (N_GRID * n_out if n_in <= 2 else 0) + 4 * max(n_out, 2) ** 2
    return rows + evaluations, frame


def frame_limits(experiment: "Experiment", n_in: int, n_out: int, max_frames: int) -> tuple[str, int]:
    """Type and number of the parameters' frames that fit into MAX_BYTES: fewer frames first, then in float32."""
    rows, frame = _bytes(experiment, n_in, n_out)
    for precision in (experiment.precision, "float32"):
        each = frame + n_parameters(experiment, n_in, n_out) * (8 if precision == "float64" else 4)
        frames = int((MAX_BYTES - rows) / each)
        if frames >= MIN_FRAMES:
            break
    return precision, max(min(frames, max_frames), MIN_FRAMES)


def estimate(experiment: "Experiment", n_in: int, n_out: int, max_frames: int = 60) -> Cost:
    """Cost of a run with n_in inputs and n_out outputs, all recorded."""
    width, layers = experiment.width, experiment.depth + 1
    weights = n_parameters(experiment, n_in, n_out)
    batch = min(experiment.batch_size or experiment.n_train, experiment.n_train)
    evaluations = n_evaluations(experiment.steps)
    evaluated = experiment.n_train + N_EVALUATED
    precision, frames = frame_limits(experiment, n_in, n_out, max_frames)
    examples = experiment.steps * batch + evaluations * evaluated
    operations = 6.0 * weights * examples + 2.0 * weights * frames * (N_GRID if n_in <= 2 else 0)
    calls = (experiment.steps + evaluations) * (CALLS_PER_STEP + CALLS_PER_LAYER * layers)
    seconds = (
        operations / OPERATIONS_PER_SECOND
        + calls * CALL_SECONDS
        + examples * experiment.depth * width * VALUE_SECONDS
        + experiment.steps * weights * VALUE_SECONDS
    )
    rows, frame = _bytes(experiment, n_in, n_out)
    return Cost(operations, seconds, rows + frames * (frame + weights * (8 if precision == "float64" else 4)))


def check_budget(experiment: "Experiment", n_in: int, n_out: int) -> None:
    """Raise OutOfRange for a run that would take too long or leave too much behind."""
    cost = estimate(experiment, n_in, n_out)
    if cost.seconds > MAX_SECONDS:
        steps = int(experiment.steps * MAX_SECONDS / cost.seconds)
        raise OutOfRange(
            "steps", experiment.steps, f"at most about {steps:,} for this network and data set",
            f"The run would take about {cost.seconds:.0f} seconds, and {MAX_SECONDS:g} are allowed; "
            "fewer examples, layers or units help as well.",
        )  # fmt: skip
    if cost.bytes > MAX_BYTES:
        raise OutOfRange(
            "width", experiment.width, f"smaller for a network of {experiment.depth} hidden layers",
            f"The record of the run would take {cost.bytes / 1e6:.0f} MB, and {MAX_BYTES / 1e6:.0f} are allowed.",
        )  # fmt: skip


def stack_limit(experiment: "Experiment", n_in: int, n_out: int) -> int:
    """How many networks of this shape one stack takes: a power of two, so that equal numbers of seeds fill stacks."""
    batch = min(experiment.batch_size or experiment.n_train, experiment.n_train)
    most = min(STACK_BYTES / estimate(experiment, n_in, n_out).bytes, CACHED / (batch * experiment.width))
    return min(LARGEST_STACK, 1 << int(max(1, most)).bit_length() - 1)
