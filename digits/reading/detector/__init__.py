"""The learned detector: which ink on a picture is a digit, and whose.

In: a picture, (height, width) uint8, at a size to work at. Out: its digits as MNIST has them, and
how sure it is of each that it is one; the model says which.

network   the convolutional network and its weights
finding   from its maps to digits
deciding  which of what was found are digits, and how sure the whole is
"""
