"""The page: draw in the browser and watch the model read.

In: what the browser sends, drawings and photos. Out: what it shows, as JSON; pictures that people
corrected are kept in a folder, and a training learns from them.

server            what the page asks, and what it gets
export            the page as one file, for any web host
network           a Keras model as the browser runs it
detector          the learned detector as the exported page runs it
learner           the model that reads, and what people decide about what it learned
training_process  a training, and what it prints
kept_pictures     pictures with what is written on them
addresses         where it listens, and under which names this machine is reached
qr_code           brings a phone there
static/           the page itself
"""
