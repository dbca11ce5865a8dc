"""Reading: a picture of handwriting -> lines of digits.

In: pictures (paths, bytes, arrays) and a Keras model. Out: a `Reading` of each: text, digits,
confidence, answers, boxes of what is unread.

reader            pictures -> Readings, many at a time
pictures          the forms that pictures have in programs
results           a Reading and its Answers
finding           a picture -> what may be digits, by the rules below, in order
geometry          at a size to work at
background        contrast with the paper
thresholding      dark ink or light ink, and where it is
rulings           tables, forms, ruled paper
border            shadows, the sheet's edge
components        connected components, joined to digits
strokes           no blots, no shades
lines             the page made level, and its lines
segmentation      where neighbours touch
tangles           digits tangled with what is around them
region_reading    the second way: a picture -> what may be digits, by the next two
extremal_regions  components at all thresholds, dark and light: which persist
competition       of regions that overlap, which are digits
recognition       where touching digits are cut and a page is turned, by the model's confidence
rejection         which of what was found are no digits, by what is around them
unread            what else stands there, and why an answer is unsure
merging           of the two readings the better, with what only the other found
detector/         the third way: a network that has learned what a digit among other things is
own_digits        the digits on labelled pictures, for the training
workers           processes that open many pictures at once
plot              the drawing of what was read
"""

from digits.reading.own_digits import read_own
from digits.reading.reader import read, read_many, read_pictures
from digits.reading.results import UNSURE, Answer, Reading

__all__ = ["UNSURE", "Answer", "Reading", "read", "read_many", "read_own", "read_pictures"]
