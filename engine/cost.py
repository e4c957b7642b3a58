"""What a run costs, estimated before any work.

The constants were fitted to measured runs on one core of a 2-core server (NumPy 2.4, OpenBLAS on one thread); they need
only be right to a factor of three.
"""

from dataclasses import dataclass
from typing import Protocol

RECORD_BYTES = 16e6  # of a run's history, into which its frames are made to fit
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
MAX_UPDATES = 2000  # rows of the updates' clock, thinned evenly beyond
MAX_FRAMES = 60  # frames that the timeline moves over
EVALUATIONS = 100  # evaluations that a run is divided into


class Sizes(Protocol):
    """What the cost of an experiment is estimated from."""

    @property
    def depth(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def normalization(self) -> str: ...
    @property
    def precision(self) -> str: ...
    @property
    def n_train(self) -> int: ...
    @property
    def examples_per_update(self) -> int: ...
    @property
    def steps(self) -> int: ...


@dataclass(frozen=True)
class Cost:
    """operations: floating-point operations of a run's matrix products; seconds on one core; bytes of history."""

    operations: float
    seconds: float
    bytes: float


def evaluation_interval(steps: int) -> int:
    """E = max(1, steps // 100): a run is evaluated at 0, E, 2E, ..., and at the last step."""
    return max(1, steps // EVALUATIONS)


def n_evaluations(steps: int) -> int:
    """How many evaluations a run of so many steps has."""
    return -(-steps // evaluation_interval(steps)) + 1


def counted_evaluations(steps: int) -> int:
    """As many as every run of so many steps or more has.

    The evaluations themselves are up to 200 for 199 steps and 101 for 200: counted like that, fewer steps would cost
    more.
    """
    return min(steps, EVALUATIONS) + 1


def n_parameters(experiment: Sizes, n_in: int, n_out: int) -> int:
    """Parameters of one network, running statistics included."""
    width, depth = experiment.width, experiment.depth
    weights = n_in * width + (depth - 1) * width**2 + width * n_out
    normalised = {"none": 0, "layer": 2, "batch": 4}[experiment.normalization]
    return weights + depth * width + n_out + normalised * depth * width


def _rows(experiment: Sizes, steps: int) -> float:
    """Bytes of the rows of updates and evaluations together."""
    layers = experiment.depth + 1
    return 8 * min(steps, MAX_UPDATES) * (6 * layers + 8) + 8 * n_evaluations(steps) * (5 * layers + 6)


def _frames(experiment: Sizes, n_in: int, n_out: int, max_frames: int, steps: int) -> tuple[str, int, float]:
    """Type and number of the frames that fit beside the rows of so many steps, and bytes of one."""
    images = 4 * (N_GRID * n_out if n_in <= 2 else 0) + 4 * max(n_out, 2) ** 2
    for precision in (experiment.precision, "float32"):
        each = images + n_parameters(experiment, n_in, n_out) * (8 if precision == "float64" else 4)
        frames = int((RECORD_BYTES - _rows(experiment, steps)) / each)
        if frames >= MIN_FRAMES:
            break
    return precision, max(min(frames, max_frames), MIN_FRAMES), each


def frame_limits(experiment: Sizes, n_in: int, n_out: int, max_frames: int) -> tuple[str, int]:
    """Type and number of the parameters' frames that fit into RECORD_BYTES: fewer frames first, then in float32."""
    return _frames(experiment, n_in, n_out, max_frames, experiment.steps)[:2]


def estimate(experiment: Sizes, n_in: int, n_out: int, max_frames: int = MAX_FRAMES) -> Cost:
    """Cost of a run with n_in inputs and n_out outputs, all recorded.  Seconds never fall with more steps."""
    width, layers, steps = experiment.width, experiment.depth + 1, experiment.steps
    weights = n_parameters(experiment, n_in, n_out)
    batch = experiment.examples_per_update
    evaluations = counted_evaluations(steps)
    evaluated = experiment.n_train + N_EVALUATED
    examples = steps * batch + evaluations * evaluated
    # Beside more rows there is room for fewer frames: as many as a long run keeps are counted.
    _, drawn, _ = _frames(experiment, n_in, n_out, max_frames, MAX_UPDATES)
    operations = 6.0 * weights * examples + 2.0 * weights * drawn * (N_GRID if n_in <= 2 else 0)
    calls = (steps + evaluations) * (CALLS_PER_STEP + CALLS_PER_LAYER * layers)
    seconds = (
        operations / OPERATIONS_PER_SECOND
        + calls * CALL_SECONDS
        + examples * experiment.depth * width * VALUE_SECONDS
        + steps * weights * VALUE_SECONDS
    )
    _, frames, each = _frames(experiment, n_in, n_out, max_frames, steps)
    return Cost(operations, seconds, _rows(experiment, steps) + frames * each)


def stack_limit(experiment: Sizes, n_in: int, n_out: int) -> int:
    """How many networks of this shape one stack takes: a power of two, so that equal numbers of seeds fill stacks."""
    batch = experiment.examples_per_update
    most = min(STACK_BYTES / estimate(experiment, n_in, n_out).bytes, CACHED / (batch * experiment.width))
    return min(LARGEST_STACK, 1 << int(max(1, most)).bit_length() - 1)
