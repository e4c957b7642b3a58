"""What is measured at a step, by the names of RunHistory's fields, one row a network.

Norms and means accumulate in float64, after SUMMED_NARROW numbers where these are float32.  A measure reads; it never
changes what it measures.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from engine.activations import ACTIVATIONS
from engine.blocks import AT_ONCE, ones_row
from engine.history_file import EVALUATIONS, LAYERS_OF_EVALUATIONS, UPDATES
from engine.losses import outputs
from engine.network import Architecture, ErrorSignal, ForwardPass, Parameters
from engine.remedies import penalty

Array = np.ndarray

SATURATED = 0.05  # share of the steepest slope below which a unit counts as saturated (convention)
MOST_JOINED = 16  # arrays that are copied together, to be measured in one call
NARROW, WIDE = np.dtype(np.float32), np.dtype(np.float64)
SUMMED_NARROW = 4096  # squares of float32 added up in float32, which costs their root 10⁻⁶ at most
# Sums and means of squares outside may have lost numbers to under- or overflow.
SAFE_SQUARES = {NARROW: (1e-24, 1e30), WIDE: (1e-280, 1e290)}


def update_shapes(n_layers: int) -> dict[str, tuple[int, ...]]:
    """What is taken down of one update, and the shape of one network's row: see update_rows and update_fields."""
    single = (name for name in UPDATES if name != "total_update_norm")  # which is made of norms
    return dict.fromkeys(single, ()) | {"norms": (3, n_layers + 1), "signal": (2 * n_layers - 1,)}


def evaluation_shapes(n_layers: int, n_classes: int) -> dict[str, tuple[int, ...]]:
    """The fields of one evaluation and the shape of one network's row; n_classes is 0 for regression."""
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(LAYERS_OF_EVALUATIONS, (n_layers,))
    shapes |= dict.fromkeys(EVALUATIONS, ())
    return shapes | ({"confusion": (n_classes, n_classes)} if n_classes else {})


def norms(values: Array) -> Array:
    """Euclidean norm along the last axis, in float64; also where squares would under- or overflow."""
    wide = values.astype(WIDE, copy=False)
    return _roots(np.vecdot(wide, wide), lambda: _scaled_norms(wide))


def parameter_norms(flats: Array, starts: Sequence[int]) -> Array:
    """‖·‖ of the parts of flat arrays (..., n) that begin at starts, from 0 on, (..., parts)."""
    lengths = [end - start for start, end in itertools.pairwise([*starts, flats.shape[-1]])]
    parts, start = [], 0
    for length, neighbours in itertools.groupby(lengths):  # parts of one length take one call
        end = start + sum(neighbours)
        parts.append(flats[..., start:end].reshape(*flats.shape[:-1], -1, length))
        start = end
    squares = np.concatenate([_squares(part) for part in parts], axis=-1)
    return _roots(squares, lambda: np.concatenate([norms(part) for part in parts], axis=-1), flats.dtype)


def root_mean_squares(stacks: Sequence[Array]) -> Array:
    """Root mean square over batch and units of stacks (arrays, networks, batch, units), (all arrays, networks)."""
    n, kind = stacks[0][0, 0].size, stacks[0].dtype
    squares = np.concatenate([_squares(part) for part in _parts(stacks, kind)])
    return _roots(squares / n, lambda: np.concatenate([norms(part) for part in _parts(stacks, kind)]) / n**0.5, kind)


def _parts(stacks: Sequence[Array], kind: np.dtype) -> Iterator[Array]:
    """Stacks of one shape as another type, (arrays, networks, values), as many arrays at once as stay in the cache.

    A call for several costs little more than for one.  Not to be written to: may be the stacks themselves.
    """
    arrays, networks = stacks[0].shape[:2]
    at_once = max(1, AT_ONCE // stacks[0][:1].size)
    if (several := min(at_once, MOST_JOINED) // arrays) > 1:
        for i in range(0, len(stacks), several):
            joined = np.concatenate(stacks[i : i + several], dtype=kind)
            yield joined.reshape(len(joined), networks, -1)
        return
    for stack in stacks:
        for i in range(0, arrays, at_once):
            part = stack[i : i + at_once].astype(kind, copy=False)
            yield part.reshape(len(part), networks, -1)


def _squares(values: Array) -> Array:
    """Sums of squares along the last axis, in float64; of float32 so many at a time in float32, which spares a copy."""
    n = values.shape[-1]
    if values.dtype == WIDE or n <= SUMMED_NARROW:
        return np.vecdot(values, values).astype(WIDE, copy=False)
    rest = n % SUMMED_NARROW
    several = values[..., : n - rest].reshape(*values.shape[:-1], -1, SUMMED_NARROW)
    squares = np.add.reduce(np.vecdot(several, several), axis=-1, dtype=WIDE)
    return squares + _squares(values[..., n - rest :]) if rest else squares


def _roots(squares: Array, again: Callable[[], Array], kind: np.dtype = WIDE) -> Array:
    """√squares, or what `again` gives where sums of squares of this type may have under- or overflowed."""
    low, high = SAFE_SQUARES[kind]
    if (
        low < np.minimum.reduce(squares, axis=None, initial=1)
        and np.maximum.reduce(squares, axis=None, initial=1) < high
    ):
        return np.sqrt(squares)
    # entry by entry, so that a network's numbers do not depend on its neighbours in the stack
    return np.where((squares > low) & (squares < high), np.sqrt(squares), again())


def _scaled_norms(wide: Array) -> Array:
    """Norms along the last axis by way of numbers of at most 1."""
    largest = np.abs(wide).max(axis=-1, initial=0)
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1)
    scaled = wide / scale[..., None]
    return np.sqrt(np.vecdot(scaled, scaled)) * scale


def means_and_deviations(stacks: Sequence[Array]) -> Array:
    """Mean and standard deviation over batch and units of stacks as above, (2, all arrays, networks)."""
    means, squares = [], []
    for wide in _parts(stacks, WIDE):
        mean, centred = _centred(wide)
        means.append(mean)
        squares.append(np.vecdot(centred, centred))
    roots = _roots(
        np.concatenate(squares),
        lambda: np.concatenate([_scaled_norms(_centred(wide)[1]) for wide in _parts(stacks, WIDE)]),
    )
    return np.stack([np.concatenate(means), roots / stacks[0][0, 0].size ** 0.5])


def _centred(wide: Array) -> tuple[Array, Array]:
    """Means along the last axis, and the differences from them."""
    mean = np.add.reduce(wide, axis=-1) / wide.shape[-1]
    return mean, wide - mean[..., None]


def clip_cosine(total: Array, clipped: Array, total_norm: Array, clipped_norm: Array) -> Array:
    """cos ∠(g, clipped g) of flat gradients, (networks,): 1 where nothing was clipped, NaN where g is 0 or not finite.

    Of unit vectors, so that nothing under- or overflows; at most 1, so that it has an angle.
    """
    cosine = np.vecdot(total / total_norm[:, None], clipped / clipped_norm[:, None])
    unclipped = (clipped_norm == total_norm) & (total_norm > 0) & np.isfinite(total_norm)
    return np.where(unclipped, 1.0, np.minimum(cosine, 1.0))


def update_rows(flats: Array, starts: Sequence[int], signals: Sequence[ErrorSignal]) -> dict[str, Array]:
    """What update_fields makes fields of, for several updates with batches of one size, (updates, networks, ...).

    flats (updates, networks, 3, n): gradient of the data loss, parameters and Δ, whose parts (the L layers'
    weights, all the rest) begin at starts.  norms (updates, networks, 3, L + 1): of these parts.  signal (updates,
    networks, H + L): of each ∂L/∂h, then ∂L/∂z, the root mean square for an example's own loss, which is the batch's
    mean times the batch size.  Of what training may add to the gradient or clip from it: as where it does neither.
    """
    updates, (networks, batch) = len(signals), signals[0].output.shape[:2]
    hidden = root_mean_squares([signal.hidden.reshape(-1, *signal.hidden.shape[2:]) for signal in signals])
    output = root_mean_squares([signal.output[None] for signal in signals])
    signal = np.concatenate([hidden.reshape(updates, -1, networks), output[:, None]], axis=1).swapaxes(1, 2) * batch
    each = parameter_norms(flats, starts)
    data_norm = np.hypot.reduce(each[:, :, 0], axis=-1)
    return {
        "norms": each,
        "signal": signal,
        "data_gradient_norm": data_norm,
        "penalty_gradient_norm": np.zeros_like(data_norm),
        "total_gradient_norm": data_norm,
        "clipped_norm": data_norm,
        "clip_cosine": np.ones_like(data_norm),
    }


def update_fields(rows: dict[str, Array]) -> dict[str, Array]:
    """RunHistory's fields of the updates' clock, from the rows (S, ...) of one network that update_rows began.

    Weight and slope factor: how the error fades or grows between ∂L/∂z_{l+1}, ∂L/∂h_l and ∂L/∂z_l.  The slope factor
    includes dropout and a scaled branch's 1/H, the weight factor normalisation and the skip connection.
    """
    fields = dict(rows)
    each, signal = fields.pop("norms"), fields.pop("signal")
    for i, name in enumerate(("gradient_norm", "weight_norm", "update_norm")):
        fields[name] = each[:, i, :-1].copy()
    fields["total_update_norm"] = norms(each[:, 2])
    total = fields["total_gradient_norm"]
    fields["clip_cosine"][(total == 0) | ~np.isfinite(total)] = np.nan
    depth = signal.shape[1] // 2
    hidden, delta = signal[:, :depth], signal[:, depth:].copy()
    weight_factor, slope_factor = np.full((2, *delta.shape), np.nan)
    weight_factor[:, :-1] = hidden / delta[:, 1:]
    slope_factor[:, :-1] = delta[:, :-1] / hidden
    return fields | {"delta_rms": delta, "weight_factor": weight_factor, "slope_factor": slope_factor}


def accuracy(z: Array, targets: Array, output: str, loss: Array, task: str) -> Array:
    """Share of right answers, (networks,); NaN for regression and where the loss (networks,) is not finite.

    z, targets (networks, n, n_out), one-hot rows.
    """
    share = np.full(len(z), np.nan)
    if task != "regression":
        right = predicted_classes(z, output) == true_classes(targets)
        np.divide(np.add.reduce(right, axis=1), right.shape[1], out=share, where=np.isfinite(loss))
    return share


def predicted_classes(z: Array, output: str) -> Array:
    """The class with the highest answer, the first of equals, (networks, n); of two, class 1 (True) above one half."""
    answers, half = (z, 0) if output in ("sigmoid", "softmax") else (outputs(z, output), 0.5)
    return answers[..., 0] > half if z.shape[-1] == 1 else answers.argmax(axis=-1)


def true_classes(targets: Array) -> Array:
    """The class of each target, as predicted_classes gives those of answers."""
    return targets[..., 0] > 0.5 if targets.shape[-1] == 1 else targets.argmax(axis=-1)


def confusion(z: Array, targets: Array, output: str) -> Array:
    """Counts (networks, C, C): row the true class, column the predicted one.  z and targets as in accuracy."""
    n_classes = max(targets.shape[2], 2)
    cell = true_classes(targets) * n_classes + predicted_classes(z, output)
    counts = [np.bincount(row, minlength=n_classes**2) for row in cell]
    return np.array(counts).reshape(-1, n_classes, n_classes)


def probe_rows(
    architecture: Architecture, passes: Sequence[ForwardPass], signals: Sequence[ErrorSignal]
) -> dict[str, Array]:
    """Activations and error signal on the probe, in evaluation mode, of evaluations of one stack one after the other.

    Each field (evaluations · networks, L).  signals: of the mean loss of the probe.
    """
    activation, depth = ACTIVATIONS[architecture.activation], architecture.depth
    networks, batch = passes[0].output.shape[:2]
    rows = len(passes) * networks

    def by_row(values: Array) -> Array:
        """(evaluations, H, networks) as (evaluations · networks, H)."""
        return values.reshape(len(passes), -1, networks).swapaxes(1, 2).reshape(rows, -1)

    dead, saturated, mean, deviation, delta = np.full((5, rows, depth + 1), np.nan)
    if activation.dies:
        ones = ones_row(batch, passes[0].output.dtype)
        silent = np.array([ones @ one.phi for one in passes]) == 0
        dead[:, :-1] = by_row(silent.mean(axis=(3, 4)))
    if activation.saturates:
        slopes = (activation.slope(one.hidden_z, one.phi) for one in passes)
        shallow = np.array([np.abs(slope, out=slope) < SATURATED * activation.steepest for slope in slopes])
        saturated[:, :-1] = by_row(shallow.mean(axis=(3, 4)))
    for both, hidden in zip((mean, deviation), means_and_deviations([one.h for one in passes]), strict=True):
        both[:, :-1] = by_row(hidden)
    answers = [outputs(one.output, architecture.output)[None] for one in passes]
    mean[:, -1:], deviation[:, -1:] = map(by_row, means_and_deviations(answers))
    for share in (dead, saturated):
        share[~np.isfinite(mean)] = np.nan
    delta[:, :-1] = by_row(root_mean_squares([signal.hidden[1] for signal in signals]))
    delta[:, -1:] = by_row(root_mean_squares([signal.output[None] for signal in signals]))
    return {
        "dead_fraction": dead,
        "saturated_fraction": saturated,
        "activation_mean": mean,
        "activation_std": deviation,
        "probe_delta_rms": delta * batch,
    }


def generalization_loss(validation_loss: Array) -> Array:
    """GL(t) = 100 (E(t)/min_{t' ≤ t} E(t') − 1), in per cent, (V,): how far a loss is above its lowest so far.

    NaN where E is NaN, and ∞ until a first finite one is NaN too; numbers that are not finite never are the lowest.
    Where the lowest is 0: 0 at 0, else ∞.  Prechelt 1998.
    """
    lowest = np.fmin.accumulate(validation_loss)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((validation_loss == 0) & (lowest == 0), 1.0, validation_loss / lowest)
    return 100 * (ratio - 1)


def penalty_value(parameters: Parameters, l1: Array, l2: Array) -> Array:
    """L1 and L2 penalty, (networks,)."""
    if not (l1.any() or l2.any()):
        return np.zeros(len(l1))
    return penalty(parameters.flat[:, : parameters.n_weights].astype(np.float64), l1, l2)
