from plain import *

SAMPLES = 80
EPOCHS = 12
