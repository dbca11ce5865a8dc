"""The page: draw in the browser and watch the model read.

In: what the browser sends, drawings and photos. Out: what it shows, as JSON; pictures that people
corrected are kept in a folder, and a training learns from them.

server         what the page asks, and what it gets
learner        the model that reads, and a training from what is kept
kept_pictures  pictures with what is written on them
addresses      under which names this machine is reached
network        a Keras model as the page runs it in the browser
export         the page as one file that any web host serves
qr_code        a QR code in the terminal
static/        the page itself
"""
