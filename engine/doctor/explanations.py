"""What a finding says in words: the sentences of all rules.  Layers come as arrays count them, from 0."""

from collections.abc import Sequence

from engine.doctor.examination import Examination
from engine.doctor.thresholds import LARGE_UPDATE, TWICE
from engine.formatting import PERCENT, counted, number, percent, plural

# --- signals and gradients ---


def symmetry(layers: Sequence[int], share: float, all_zero: bool) -> str:
    start = f"{_layers(layers)}: {percent(share)} of the units are equal at the start"
    if all_zero:
        start = "All weights are 0 at the start"
    return (
        f"{start}, so the units of a layer get equal gradients and stay equal: together they do no more than one unit."
    )


def vanishing_gradients(ratio: float, decides: float, depth: int, threshold: float) -> str:
    """decides: what theory predicts where ratio, which differs from seed to seed, is near the threshold."""
    arrives = f"{number(ratio)} of the error signal of layer {depth}" if ratio > 0 else "no error signal at all"
    expected = "" if decides == ratio else f"; theory predicts {number(decides)} for weights drawn like these"
    return (
        f"Before the first step layer 1 receives {arrives}{expected}. A layer that receives less than "
        f"{number(threshold)} of the last hidden layer’s hardly learns."
    )


def exploding_backward(ratio: float, depth: int, threshold: float) -> str:
    return (
        f"Before the first step the error signal grows {number(ratio)} times on its way back from layer {depth} to "
        f"layer 1. {_too_much(threshold)}"
    )


def exploding_forward(growth: float, threshold: float) -> str:
    return (
        f"Before the first step the signal grows {number(growth)} times on its way from the inputs to the output, and "
        f"gradients with it. {_too_much(threshold)}"
    )


def small_start(share: float, plateau: float) -> str:
    return (
        f"The weights start at {number(share)} of the size that keeps signals alive, so hardly anything gets through "
        f"at first, and for {percent(plateau)} of the training nothing was learnt. Weights that grow from so little "
        "have to move a long way before a step shows."
    )


def large_start(size: float, loss: float) -> str:
    return (
        f"The weights start at {number(size)} times the size that keeps signals as they are, so before the first step "
        f"the loss is {number(loss)} times that of always giving the average answer: from so far off it can fit its "
        "own examples without learning anything that serves new ones."
    )


# --- data ---


def large_targets(size: float) -> str:
    return (
        f"The targets are {number(size)} in size (root mean square), and the network’s first outputs about 1: the "
        "loss and its gradient start so large that steps explode, or, shortened, take forever."
    )


def small_targets(spread: float) -> str:
    return (
        f"The targets differ by no more than {number(spread)} (standard deviation), and the network’s first outputs "
        "by about 1: what there is to learn hardly counts in the loss."
    )


def wrong_output(output: str, lowest: float, highest: float, unreached: float) -> str:
    ranges = {"sigmoid": "from 0 to 1", "tanh": "from −1 to 1", "relu": "of 0 and above"}
    name = "ReLU" if output == "relu" else output
    return (
        f"The targets reach from {number(lowest)} to {number(highest)}, and {name} as the output gives values "
        f"{ranges[output]}. The nearest that it can say still costs {number(unreached)} of always giving the average "
        "answer, whatever is learnt."
    )


def dead_output(dead: int, outputs: int) -> str:
    return (
        f"The output is ReLU, and {dead} of {outputs} of its units give 0 for every example: no gradient reaches them, "
        "and their classes cannot be learnt any more."
    )


def noisy_batches(batch: int, spread: float, rises: float) -> str:
    by = "a single example" if batch == 1 else f"{batch} examples"
    return (
        f"Every step goes by {by}: the batch losses scatter by {number(spread)} of their mean, and all rises of the "
        f"training loss together are {number(rises)} times what always giving the average answer costs. One step "
        "undoes what another has learnt."
    )


def large_inputs(size: float) -> str:
    return (
        f"The inputs are {number(size)} in size (root mean square); initializers take them to be about 1. The first "
        "layer’s pre-activations are as many times too large, which saturates its units or makes its gradient explode."
    )


def small_inputs(size: float) -> str:
    return (
        f"The inputs are {number(size)} in size (root mean square); initializers take them to be about 1. The first "
        "layer hardly notices them, and its gradient is as many times too small."
    )


def unequal_inputs(name: str, unequal: float) -> str:
    return (
        f"The largest input, {name}, is {number(unequal)} times the size of a typical one: a step that is short "
        "enough for it is far too short for the others."
    )


def one_answer(run: Examination, rare: int, share: float, recall: float) -> str:
    name = run.dataset.class_names[rare] if run.dataset else f"{rare + 1}"
    return (
        f"Of the examples of class “{name}”, {percent(share)} of all new data, it recognises {percent(recall)}: "
        "always giving the other answer is right for nearly all examples, and so the accuracy looks good."
    )


def label_noise(step: int, train: float, validation: float) -> str:
    return (
        f"Where its loss on new data was lowest, at step {step}, it got {percent(validation)} of new data right and "
        f"only {percent(train)} of its own training labels: some of these contradict what all the others say."
    )


def small_batch(batch: int) -> str:
    examples = f"{batch} example{'s' if batch > 1 else ''}"
    return (
        f"Batch normalization takes mean and variance of {examples}, which say next to nothing of the rest: what the "
        "next layer gets depends more on who else is in the batch than on the example itself."
    )


def unshuffled(batch: int, spread: float) -> str:
    return (
        f"The examples come sorted: the mean target of a batch of {batch} varies {number(spread)} times as much from "
        "batch to batch as it would by chance. Every batch pulls the network to its own answer, and the next one away "
        "again."
    )


def leakage(validation: float, test: float) -> str:
    return (
        f"{percent(validation)} of the validation examples are training examples, number for number; of the test "
        f"examples {percent(test)} are. Accuracy and loss on validation data look better than they will be on new ones."
    )


def validation_shift(validation: float, test: float) -> str:
    return (
        f"The inputs of the validation examples lie {number(validation)} standard deviations from those of training, "
        f"those of the test examples {number(test)}: they come from elsewhere, and say little of what was learnt."
    )


def label_mismatch(right: float, agreed: float) -> str:
    return (
        f"{percent(right)} of the validation examples are answered rightly, but {percent(agreed)} would be if each "
        "class bore another’s name: their labels are in another code than those of training."
    )


# --- units ---


def born_dead(layers: Sequence[int]) -> str:
    return (
        f"{_layers(layers)}: before the first step all units output 0 for every example, and neither signal nor "
        "gradient gets through."
    )


def dead_units(layer: int, share: float, since: int) -> str:
    cut = " Nothing gets through this layer." if share == 1 else ""
    return (
        f"In layer {layer + 1}, {percent(share)} of the units output 0 for every example (median of the last "
        f"evaluations), half or more since step {since}; they get no gradient.{cut}"
    )


def saturated_units(layer: int, share: float, at_the_start: bool, steepest: float, biases: float) -> str:
    """biases: their size where they outweigh the weights, else 0."""
    pushed = f"with biases {number(biases)} in size, " if biases else ""
    return (
        f"In layer {layer + 1} at the {'start' if at_the_start else 'end'}, {pushed}{percent(share)} of the values lie "
        f"where the slope is below a twentieth of its largest, {number(steepest)}: hardly any gradient gets through."
    )


# --- steps ---


def too_few_steps(steps: int) -> str:
    return f"It was trained for only {_steps(steps)} and has hardly begun: too few to tell how it would learn."


def long_steps(run: Examination, layer: int, update: float) -> str:
    size = percent(update) if update < 2 else f"{number(update)} times their size"
    return (
        f"One in ten of the first steps changes the weights of {_layer(run, layer)} by {size} or more; a change of "
        f"more than {percent(LARGE_UPDATE)} throws away what was learnt before."
    )


def lengthening_inputs(size: float) -> str:
    return (
        f"The inputs are {number(size)} in size (root mean square), so the same step changes what the first layer "
        f"passes on about {number(size**2)} times as much as with inputs of size 1."
    )


def loss_jumps(rise: float) -> str:
    return f"The training loss jumps to {number(rise)} times what it was at the start: the steps overshoot."


def weights_thrown(distance: float) -> str:
    return (
        f"The weights of a layer ended {number(distance)} times their size away from where they started, and nothing "
        "was learnt."
    )


def loss_oscillates(rises: float) -> str:
    return (
        f"The training loss goes up and down: all its rises together are {number(rises)} times what always giving the "
        "average answer costs, and it ends not far below that. The steps throw away what was learnt."
    )


def learning_rate_too_low(step: int, distance: float, update: float, clipped: bool) -> str:
    return (
        f"After {_steps(step)} the weights are only {number(distance)} of their size away from where they started; a "
        f"typical step is {number(update)} of a layer’s size{', after clipping' if clipped else ''}."
    )


def tensor_not_finite(run: Examination, step: int, layer: int | None, tensor: str) -> str:
    where = "" if layer is None else f" of {_layer(run, layer)}"
    verb = "are" if plural(tensor) else "is"
    return f"At step {step} the {tensor}{where} {verb} no longer finite, and training ends."


def loss_diverges(growth: float) -> str:
    return f"The training loss grows to {number(growth)} times what it was at the start."


# --- fit ---


REFERENCE = "the better of two simple methods, nearest neighbours and kernel ridge regression,"


def linear_network(line: float, reference: float) -> str:
    return (
        "All its layers are linear, so together they make no more than one straight line. The best line makes "
        f"{number(line)} of the error of always giving the average answer; {REFERENCE} makes {number(reference)} of it."
    )


def too_few_units(units: int, line: float, reference: float) -> str:
    return (
        f"Its answer has no more than {units} bend{'s' if units > 1 else ''}, one for each hidden unit. Without any, a "
        f"straight line makes {number(line)} of the error of always giving the average answer; {REFERENCE} makes "
        f"{number(reference)} of it."
    )


def high_loss(step: int, share: float, falling: bool) -> str:
    much = "no less than" if share > 0.995 else f"{number(share)} of"
    much = f"{number(share)} times" if share > TWICE else much
    return (
        f"After {_steps(step)} the training loss is {much} what always giving the average answer costs."
        f"{_falling(falling)}"
    )


def high_error(step: int, error: float, reference: float, falling: bool) -> str:
    return (
        f"After {_steps(step)} its error, on new data and on its training data, is at least {number(error)} of that of "
        f"always giving the average answer; {REFERENCE} makes {number(reference)} of it.{_falling(falling)}"
    )


def most_dropped(dropout: float) -> str:
    return f"{percent(dropout)} of the hidden units are dropped at a time, and the rest cannot fit the data."


def costly_dropout(dropout: float, width: int, with_mask: float, without: float) -> str:
    kept = (1 - dropout) * width
    return (
        f"While {percent(dropout)} of the units are dropped, {number(kept)} of {width} in a layer are left on average, "
        f"and the training loss is {number(with_mask)}; with all units it is {number(without)}. What is left of the "
        "network cannot fit the data, and so the whole does not learn to either."
    )


def penalty_overshoots(product: float) -> str:
    return (
        f"Every step multiplies the weights by 1 − ηλ = {number(1 - product)}: where ηλ is above 2, the penalty makes "
        "them grow."
    )


def strong_penalty(pull: float, kept: float) -> str:
    return (
        f"In the first steps the penalty pulls {number(pull)} times as hard as the data, and in the end the weights of "
        f"a typical layer have shrunk to {number(kept)} of their size."
    )


def overfitting(run: Examination, best: int, rise: float, no_better: bool) -> str:
    """best: the evaluation with the lowest validation loss; rise: by how many per cent it ends above that; no_better:
    whether simple methods do no better."""
    history, end = run.history, run.result
    if run.is_classification:
        noisy = "" if run.experiment.label_noise == 0 else ", though some of them are labelled wrong,"
        fit = (
            f"It gets {percent(float(history.train_accuracy[end]))} of its training data right{noisy} and "
            f"{percent(float(history.validation_accuracy[end]))} of new data (validation)"
        )
    else:
        fit = (
            f"Its loss on new data (validation) is {number(float(history.validation_loss[end]))}, on its training data "
            f"{number(float(history.train_loss[end]))}"
        )
    return (
        f"{fit}. On new data its loss ends {number(rise)}{PERCENT} above its lowest, which was at step "
        f"{history.evaluation_step[best]}.{_help(run, no_better)}"
    )


def _help(run: Examination, no_better: bool) -> str:
    """Which cures can be hoped for."""
    if not no_better:
        return ""
    return (
        f" Nearest neighbours and kernel ridge regression do no better with {run.experiment.n_train} examples: what "
        "helps is more of them; penalties, dropout and early stopping change little."
    )


# --- parts of sentences ---


def _too_much(threshold: float) -> str:
    return f"More than {number(threshold)} times is too much."


def _falling(falling: bool) -> str:
    return " The loss is still falling." if falling else ""


def _layer(run: Examination, layer: int) -> str:
    return "the output layer" if layer == run.depth else f"layer {layer + 1}"


def _layers(layers: Sequence[int]) -> str:
    if len(layers) == 1:
        return f"Layer {layers[0] + 1}"
    return f"Layers {layers[0] + 1} to {layers[-1] + 1}"


def _steps(count: int) -> str:
    return counted(count, "step")


def cannot_tell(error: float, reference: float) -> str:
    """error and reference: shares of what always giving the average answer costs; NaN where the data are not known."""
    much = f"{number(error)} {'of' if error < 1 else 'times'}"
    made = f"On new data it makes {much} the error of always giving the average answer"
    if reference != reference:
        return (
            f"{made}. Whether more is possible cannot be told without the data: missing are a reference on the same "
            "examples, and the sizes of inputs and targets."
        )
    return (
        f"{made}; {REFERENCE} makes {number(reference)} of it. Nothing that was measured explains the difference. "
        "Missing is a second run: with another seed, to see whether it was bad luck, and for longer."
    )


def rate_or_batch(batch: int) -> str:
    by = "a single example" if batch == 1 else f"{batch} examples"
    return (
        f"The steps go too far, and each goes by {by}: either the learning rate is too high, or the batches are too "
        "small for it. Missing is a run at the same rate with larger batches, which tells the two apart."
    )
