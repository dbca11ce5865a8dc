"""What the scripts share. Nothing in here imports a script.

mnist         the data set: find, check, cache
augment       training digits, a little different every time
hands         digits as MNIST's writers do not write them
outliers      images of what is no digit
images        a picture of handwriting -> 28x28 digits
reading       digits -> answers
workers       processes that open many pictures at once
model_files   the pair model.json + model.h5: save whole, rebuild
model_checks  what the pair may hold, checked before anything is built
checkpoint    the state of a stopped training
evaluation    probabilities, and how many are right
figures       result.png, training.png, the picture with boxes
server        the page to draw on, in page/: what it asks, and what it gets
command_line  errors, exit codes and progress, the same for every script
quiet_keras   Keras, imported late and without noise
"""
