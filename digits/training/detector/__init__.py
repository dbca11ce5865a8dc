"""The training of the detector: python -m digits.training.detector.

In: MNIST's training digits. Out: the weights that `digits.reading.detector` reads with.

drawing      scenes, drawn while it trains
windows      windows of scenes, and what the network should say of them
losses       what is minimised
calibration  how sure detector and model may be together
"""
