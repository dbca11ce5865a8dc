"""Data: what comes from files and what is made up, all as plain arrays.

In: MNIST from wherever it lies, people's pictures, and folders of pictures named after what is
written on them. Out: images (n, 28, 28) uint8 with labels (n,), and grey pictures (height, width).

mnist            find MNIST, check it, cache it
mnist_files      the files that hold it: .npz, IDX, a package's pickle
mnist_search     find it among other files, or say what these are
downloads        fetch it
own_pictures     people's own pictures in folders named after what is written
picture_files    a picture file of any kind -> grey values
picture_folders  paths, patterns and folders -> picture files
file_signatures  what a file is, by its first bytes
transparency     the paper under a transparent picture
colours          a coloured picture in grey: its luminance, or the channel of more contrast
normalization    the ink of a digit -> 28x28 pixels, as MNIST's are
known_digits     a hundred of MNIST's digits, to try a model on
drawn_digits     digits as MNIST's writers do not write them
printed_digits   digits in fonts and in seven segments
outliers         images of what is no digit
made_pages/      whole pages, which say which ink is whose
statistics       fractions and quantiles of pixels
"""

from digits.data.mnist import VALIDATION, load_mnist
from digits.data.own_pictures import find_own

__all__ = ["VALIDATION", "find_own", "load_mnist"]
