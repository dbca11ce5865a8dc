"""The page: draw in the browser and watch the model read.

In: what the browser sends, drawings and photos. Out: what it shows, as JSON; pictures that people
corrected are kept in a folder, and a training learns from them.

server         what the page asks, and what it gets
learner        the model that reads, and a training from what is kept
kept_pictures  pictures with what is written on them
addresses      under which names this machine is reached
static/        the page itself
"""
