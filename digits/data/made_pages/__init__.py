"""Made pages: pictures of writing with the truth, which pixel belongs to which digit.

In: MNIST's digits and a random generator. Out: a `Drawn` page: picture, lines, boxes, marks.

drawing  a pen, a sheet of paper, light and a camera
kinds    twenty kinds of pages, to measure the reading on
writing  what is no digit: letters and signs by hand, words in many fonts
clutter  what is no writing: rulings, strokes through numbers, a desk, pictures
layouts  how writing stands on a page
grids    and in cells
scenes   pages of endless variety, to train the detector on
"""
