"""What the detector's training minimises; keras.ops alone, so that every backend trains it."""


def centre_loss(truth, found):
    """Focal loss of the peaks, and the absolute error of sizes, as CenterNet's."""
    from keras import ops

    heat, sizes, there, weight = truth[..., 0], truth[..., 1:3], truth[..., 3:4], truth[..., 4]
    p = ops.clip(ops.sigmoid(found[..., 0]), 1e-4, 1 - 1e-4)
    peak = ops.cast(heat > 0.999, "float32") * weight
    hit = -peak * (1 - p) ** 2 * ops.log(p)
    miss = -weight * (1 - heat) ** 4 * p**2 * ops.log(1 - p)
    wrong = ops.sum(there * ops.abs(found[..., 1:] - sizes)) / (ops.sum(there) + 1)
    return ops.sum(hit + miss) / (ops.sum(peak) + 1) + 0.5 * wrong


def ink_loss(truth, found):
    """Cross entropy of ink and other writing, and the absolute error of the way to the middle."""
    from keras import ops

    ink, way, there, weight = truth[..., :5], truth[..., 5:7], truth[..., 7:8], truth[..., 8:]
    logit = found[..., :5]
    entropy = ops.maximum(logit, 0) - logit * ink + ops.log1p(ops.exp(-ops.abs(logit)))
    entropy = ops.mean(weight * (1 + 2 * ink) * entropy)
    wrong = ops.sum(there * ops.abs(found[..., 5:] - way)) / (ops.sum(there) + 1)
    return 4 * entropy + wrong
